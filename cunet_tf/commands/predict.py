"""cunet predict: landmarks of pictures or video, as JSON in their own pixels and drawn over them.

Example:
  cunet predict --model=face-mobile --out=found photo.jpg
  cunet predict --model=face-mobile --out=found --box=120,80,310,290 photo.jpg
  cunet predict --model=runs/drawn/best.keras --out=found folder/
  cunet predict --model=runs/pose/best.keras --data=mpii --root=mpii --split=test --out=submission
  cunet predict --model=face-mobile --out=found --video=clip.mp4 --box=120,80,310,290
  cunet predict --model=face-mobile --out=found --camera=0
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.commands import predict_data, predict_video
from cunet_tf.data.sample import read_image
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import DECODERS
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.presets import PRESETS, preset

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("model", None, "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    flags.DEFINE_string(
        "out", None, "Folder for NAME.json and NAME.png, of video NAME.jsonl and NAME.mp4.", flag_values=values
    )
    flags.DEFINE_list(
        "box", None, "x0,y0,x1,y1 in pixels: the object's tight box (video: in the first frame). "
        "Without it the whole picture is searched.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string("decoder", None, f"{', '.join(DECODERS)}; the model's own by default.", flag_values=values)
    flags.DEFINE_bool("flip_test", False, "Average with the mirror image.", flag_values=values)
    flags.DEFINE_bool("allow_bad", False, "Go on past pictures that cannot be read.", flag_values=values)
    predict_video.define(values)
    predict_data.define(values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    for name, hint in (("model", "a file or a shipped name"), ("out", "a folder for the results")):
        if not values[name].value:
            raise CUNetError(f"give --{name}: {hint}.")
    source = predict_video.source_of(values, rest)
    if values.data and (rest or source is not None or values.box):
        raise CUNetError("--data stands alone, without pictures, --video, --camera or --box.")
    files = list_pictures(rest) if source is None and not values.data else []
    box = parse_box(values.box) if values.box else None
    spec = preset(values.preset) if values.preset else None
    localizer = Localizer.load(values.model, spec=spec, decoder=values.decoder, flip_test=values.flip_test)
    if values.data:
        return predict_data.run(values, localizer)
    if source is not None:
        return predict_video.run(values, source, localizer, box)
    results, bad = [], []
    for file in files:
        try:
            image = read_image(file)
        except CUNetError as error:
            if not values.allow_bad:
                raise
            print(f"skipped {error}")
            bad.append(str(file))
            continue
        results.append(write_result(file, image, localizer.locate(image, box), localizer, Path(values.out)))
        print(f"{file} -> {results[-1]['json']}")
    return {"model": values.model, "out": values.out, "pictures": results, "skipped": bad}


def list_pictures(names: list[str]) -> list[Path]:
    """Files, and the pictures in folders, in order.

    Raises:
        CUNetError: nothing given, or a path that does not exist; two pictures with one stem.
    """
    if not names:
        raise CUNetError("name the pictures, or a folder of them, at the end of the line.")
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES)
            if not found:
                raise CUNetError(f"{path}: no picture in this folder ({', '.join(sorted(PICTURES))}).")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise CUNetError(f"{path}: no such file or folder.")
    stems: dict[str, Path] = {}
    for file in files:
        if stems.setdefault(file.stem, file) != file:
            raise CUNetError(f"{file} and {stems[file.stem]} would write the same result: use two --out folders.")
    return files


def parse_box(parts: list[str]) -> np.ndarray:
    """``[x0, y0, x1, y1]`` from the flag.

    Raises:
        CUNetError: not four numbers, or an empty box.
    """
    try:
        box = np.array([float(part) for part in parts])
    except ValueError:
        box = np.array([])
    if box.shape != (4,) or not np.isfinite(box).all() or box[2] <= box[0] or box[3] <= box[1]:
        raise CUNetError(f"--box={','.join(parts)}: give x0,y0,x1,y1 with x0 < x1 and y0 < y1, in pixels.")
    return box


def write_result(file: Path, image: np.ndarray, found: Landmarks, localizer: Localizer, out: Path) -> dict[str, Any]:
    """Write ``STEM.json`` and ``STEM.png``; returns their paths and the mean score."""
    from cunet_tf.draw import draw_landmarks, save_png

    skeleton = localizer.spec.skeleton
    out.mkdir(parents=True, exist_ok=True)
    height, width = image.shape[:2]
    record = {
        "image": str(file), "width": width, "height": height,
        "box": [round(float(value), 3) for value in found.box], "skeleton": skeleton.name,
        "landmarks": np.round(found.points, 4).tolist(),
        "scores": np.round(found.scores.astype(float), 4).tolist(),
    }  # fmt: skip
    target = out / f"{file.stem}.json"
    target.write_text(json.dumps(record) + "\n")
    save_png(target.with_suffix(".png"), draw_landmarks(image, found.points, skeleton, box=found.box))
    return {
        "image": str(file), "json": str(target), "png": str(target.with_suffix(".png")),
        "mean_score": float(found.scores.mean()),
    }  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    if "data" in result:
        return predict_data.describe(result)
    if "video" in result:
        return predict_video.describe(result)
    skipped = f", {len(result['skipped'])} skipped" if result["skipped"] else ""
    return f"{len(result['pictures'])} pictures in {result['out']}{skipped}"
