"""The desktop run beside ``cunet predict``: the same pixels, the same model, how far apart the landmarks are.

    python android_demo/tools/parity.py [--root=300w] [--model=face-mobile] [--count=50]

Pictures of the data set, or drawn faces without ``--root``, are decoded once by Python and handed over as PPM with
their tight boxes; with a root the files themselves follow, decoded by each side on its own. Prints pixels.
"""

import argparse
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import java_build
import numpy as np
import toolchain

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cunet_tf.cli import main as cunet
from cunet_tf.data.sample import Sample
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w
from cunet_tf.files.shipped import find_model
from cunet_tf.skeletons import FACE68

SAME_PIXELS = 0.01  # pixels of the picture, the largest difference allowed
SAME_CONFIDENCE = 0.001


def samples(root: str | None, count: int) -> list[Sample]:
    """Faces spread over the test part of Helen, or drawn ones."""
    source = load_300w(root, "helen/testset") if root else load_synthetic(FACE68, f"8:{count}")
    return [source.samples[int(index)] for index in np.linspace(0, len(source) - 1, count)]


def python_result(model: str, file: Path, box: np.ndarray, out: Path) -> dict[str, Any]:
    """What ``cunet predict`` writes for one picture."""
    words = ["predict", f"--model={model}", f"--out={out}", "--box=" + ",".join(map(repr, box.tolist())), str(file)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        if cunet(words):
            raise SystemExit("cunet predict failed")
    return result_of(out, file.stem)


def result_of(out: Path, stem: str) -> dict[str, Any]:
    """The one object of ``STEM.json``."""
    (found,) = json.loads((out / f"{stem}.json").read_text())["objects"]
    return found


def java_run(java: toolchain.Java, model: str, out: Path, boxes: Path, pictures: list[Path]) -> str:
    """Run the desktop program; returns what it prints."""
    import ai_edge_litert

    library = Path(ai_edge_litert.__file__).parent / "libLiteRt.so"
    core = java_build.core(java)
    words = ["predict", f"--library={library}", f"--model={find_model(model)}", f"--out={out}", f"--boxes={boxes}"]
    return toolchain.run([*java_build.launcher(java, core, java_build.desktop(java, core)), *words, *pictures])


def compare(java: toolchain.Java, model: str, chosen: list[Sample], real: bool, folder: Path) -> dict[str, float]:
    """Differences in pixels and of the confidence: ``same_pixels``, and with real files ``own_decoder``."""
    from cunet_tf.draw import save_png

    boxes, expected, ppms, files = {}, [], [], []
    for index, sample in enumerate(chosen):
        stem, image = f"{index:03d}", sample.load()
        boxes[stem] = sample.box.astype(float).tolist()
        ppms.append(folder / "ppm" / f"{stem}.ppm")
        ppms[-1].parent.mkdir(exist_ok=True)
        ppms[-1].write_bytes(b"P6 %d %d 255\n" % image.shape[1::-1] + image.tobytes())
        png = folder / "png" / f"{stem}.png"
        save_png(png, image)
        expected.append(python_result(model, png, sample.box.astype(float), folder / "python"))
        if real:
            files.append(folder / "files" / f"{stem}{Path(sample.picture).suffix}")
            files[-1].parent.mkdir(exist_ok=True)
            files[-1].symlink_to(Path(sample.picture).resolve())
    (folder / "boxes.json").write_text(json.dumps(boxes))
    result: dict[str, float] = {"pictures": len(chosen)}
    for name, pictures in (("same_pixels", ppms), ("own_decoder", files)):
        if pictures:
            print(java_run(java, model, folder / name, folder / "boxes.json", pictures).strip())
            found = [result_of(folder / name, file.stem) for file in pictures]
            points, true = (np.array([each["landmarks"] for each in side]) for side in (found, expected))
            sure, truly = (np.array([each["confidence"] or 0.0 for each in side]) for side in (found, expected))
            apart = np.linalg.norm(points - true, axis=-1)
            result |= {
                f"{name}_largest": round(float(apart.max()), 4), f"{name}_mean": round(float(apart.mean()), 5),
                f"{name}_confidence": round(float(np.abs(sure - truly).max()), 4),
            }  # fmt: skip
    return result


def main() -> None:
    """Compare, print, and fail when the same pixels give other landmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", help="300-W; drawn faces without it")
    parser.add_argument("--model", default="face-mobile")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    chosen = samples(options.root, options.count)
    with tempfile.TemporaryDirectory() as folder:
        result = compare(toolchain.java(), options.model, chosen, bool(options.root), Path(folder))
    print(json.dumps(result))
    if result["same_pixels_confidence"] > SAME_CONFIDENCE:
        sys.exit(f"the same pixels give a confidence {result['same_pixels_confidence']} apart")
    if result["same_pixels_largest"] > SAME_PIXELS:
        sys.exit(f"the same pixels give landmarks {result['same_pixels_largest']} px apart, {SAME_PIXELS} allowed")


if __name__ == "__main__":
    main()
