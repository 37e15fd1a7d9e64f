"""What Python finds, for the browser to be compared with: pictures and answers in ``web_demo/build/golden``.

    python web_demo/tools/golden.py [--root=300w] [--count=50]

Drawn faces and a photograph as PNG, so that both sides see the same pixels; with a root faces of the data set too.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cunet_tf.data.geometry import crop_matrix, warp
from cunet_tf.data.sample import read_image
from cunet_tf.data.w300 import load_300w
from cunet_tf.draw import save_png
from cunet_tf.landmarks import Landmarks
from cunet_tf.localizer import Localizer

WEB = Path(__file__).parents[1]
FOLDER = WEB / "build/golden"
PICTURES = WEB.parent / "docs/pictures"
PHOTOGRAPH = PICTURES / "astronaut.jpg"
BODY_BOX = [30.0, 20.0, 330.0, 300.0]  # the astronaut, as a user would drag it
EXIF_HEAD = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"


def cases(root: str | None, count: int) -> list[tuple[np.ndarray, list[float] | None, str]]:
    """Pictures, tight boxes, models; without a box a detector looks."""
    photograph = read_image(PHOTOGRAPH)
    found = [(photograph, None, "face-mobile"), (photograph, None, "face-tiny"), (photograph, BODY_BOX, "pose-mobile")]
    for file in sorted((PICTURES / "drawn").glob("*.png")):
        image = read_image(file)
        found.append((image, [0.15 * image.shape[1]] * 2 + [0.85 * image.shape[1]] * 2, "face-mobile"))
    if root:
        source = load_300w(root, "helen/testset")
        chosen = [source.samples[int(index)] for index in np.linspace(0, len(source) - 1, count)]
        found += [(sample.load(), sample.box.astype(float).tolist(), "face-mobile") for sample in chosen]
    return found


def answer(found: Landmarks) -> dict[str, Any]:
    """An object as the page gives it."""
    return {"box": found.box.tolist(), "landmarks": found.points.tolist(), "confidence": found.confidence}


def digest(image: np.ndarray, box: list[float], localizer: Localizer) -> str:
    """SHA-256 of the bytes of the crop around a box."""
    size = localizer.spec.input_size
    return hashlib.sha256(warp(image, crop_matrix(box, localizer.spec.crop_factor, size), size).tobytes()).hexdigest()


def write_turned(image: np.ndarray) -> None:
    """``turned_N.jpg`` with every EXIF orientation, and the upright pixels that Python reads of each."""
    jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    for tag in range(1, 9):
        body = EXIF_HEAD + tag.to_bytes(2, "little") + bytes(6)
        segment = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
        file = FOLDER / f"turned_{tag}.jpg"
        file.write_bytes(jpeg[:2] + segment + jpeg[2:])
        save_png(FOLDER / f"turned_{tag}.png", read_image(file))


def write_video(image: np.ndarray) -> None:
    """``camera.mjpeg``, which Chromium shows in place of a camera."""
    frame = cv2.imencode(".jpg", cv2.resize(image, (640, 480))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    (FOLDER / "camera.mjpeg").write_bytes(frame.tobytes() * 2)


def main() -> None:
    """Write all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="folder of 300-W")
    parser.add_argument("--count", type=int, default=50, help="faces of it")
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    localizers = {name: Localizer.load(name) for name in ("face-mobile", "face-tiny", "pose-mobile")}
    rows = []
    for index, (image, box, model) in enumerate(cases(options.root, options.count)):
        file = FOLDER / f"{index:03d}.png"
        save_png(file, image)
        found = localizers[model].locate(image, box) if box else localizers[model].locate_all(image)[0]
        crop = digest(image, box, localizers[model]) if box else None
        rows.append({"picture": file.name, "model": model, "box": box, "crop": crop, "object": answer(found)})
    (FOLDER / "golden.json").write_text(json.dumps(rows) + "\n")
    small = read_image(PHOTOGRAPH)[40:240:2, 60:220:2]
    write_turned(small)
    write_video(read_image(PHOTOGRAPH)[:300, 30:430])
    print(f"golden: {len(rows)} pictures")


if __name__ == "__main__":
    main()
