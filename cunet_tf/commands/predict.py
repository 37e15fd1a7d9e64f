"""cunet predict: landmarks of pictures or video, as JSON in their own pixels and drawn over them.

STEM.jpg gives OUT/STEM.json and OUT/STEM_found.jpg; a file that cunet did not write is never replaced.

Example:
  cunet predict --model=face-mobile --out=found photo.jpg
  cunet predict --model=face-mobile --out=found --box=120,80,310,290 photo.jpg
  cunet predict --model=runs/drawn/best.keras --out=found folder/
  cunet predict --model=runs/pose/best.keras --data=mpii --root=mpii --split=test --out=submission
  cunet predict --model=face-mobile --out=found --video=clip.mp4 --box=120,80,310,290
  cunet predict --model=face-mobile --out=found --camera=0
"""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.commands import predict_data, predict_video
from cunet_tf.data.sample import read_image
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import DECODERS
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.outputs import claim, is_ours, json_text, replace_text
from cunet_tf.presets import PRESETS, preset

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def define(values: flags.FlagValues) -> None:
    flags.DEFINE_string("model", None, "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    flags.DEFINE_string(
        "out", None, "Folder for NAME.json and NAME_found.jpg, of video NAME.jsonl and NAME.mp4.", flag_values=values
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
    targets = name_targets(files, Path(values.out))
    claim([target for pair in targets for target in pair], "--out")
    box = parse_box(values.box) if values.box else None
    spec = preset(values.preset) if values.preset else None
    localizer = Localizer.load(values.model, spec=spec, decoder=values.decoder, flip_test=values.flip_test)
    if values.data:
        return predict_data.run(values, localizer)
    if source is not None:
        return predict_video.run(values, source, localizer, box)
    results, bad = [], []
    for file, pair in zip(files, targets, strict=True):
        try:
            image = read_image(file)
        except CUNetError as error:
            if not values.allow_bad:
                raise
            print(f"skipped {error}")
            bad.append(str(file))
            continue
        results.append(write_result(file, image, localizer.locate(image, box), localizer, *pair))
        print(f"{file} -> {results[-1]['json']}")
    return {"model": values.model, "out": values.out, "pictures": results, "skipped": bad}


def list_pictures(names: list[str]) -> list[Path]:
    """Files, and the pictures in folders, in order; overlays that we drew are no pictures.

    Raises:
        CUNetError: nothing given, a path that does not exist, or an overlay.
    """
    if not names:
        raise CUNetError("name the pictures, or a folder of them, at the end of the line.")
    files: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            found = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES and not is_ours(file))
            if not found:
                raise CUNetError(f"{path}: no picture in this folder ({', '.join(sorted(PICTURES))}).")
            files += found
        elif path.exists():
            if path.suffix.lower() in PICTURES and is_ours(path):
                raise CUNetError(f"{path}: cunet drew this picture: name the one it was drawn from.")
            files.append(path)
        else:
            raise CUNetError(f"{path}: no such file or folder.")
    return files


def name_targets(files: list[Path], out: Path) -> list[tuple[Path, Path]]:
    """JSON file and overlay of each picture: by its stem, or by its whole name where others share the stem.

    Raises:
        CUNetError: two pictures have the same name.
    """
    stems = Counter(file.stem for file in dict.fromkeys(files))
    owners: dict[Path, Path] = {}
    targets = []
    for file in files:
        name = file.stem if stems[file.stem] == 1 else file.name
        pair = out / f"{name}.json", out / f"{name}_found.jpg"
        other = next((owners[target] for target in pair if owners.setdefault(target, file) != file), None)
        if other is not None:
            raise CUNetError(f"{file} and {other} would write the same result: use two --out folders.")
        targets.append(pair)
    return targets


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


def write_result(
    file: Path, image: np.ndarray, found: Landmarks, localizer: Localizer, target: Path, overlay: Path
) -> dict[str, Any]:
    """Write the JSON file and the overlay; returns their paths and the mean score."""
    from cunet_tf.draw import draw_landmarks, save_result

    skeleton = localizer.spec.skeleton
    height, width = image.shape[:2]
    record = {
        "image": str(file), "width": width, "height": height,
        "box": [round(float(value), 3) for value in found.box], "skeleton": skeleton.name,
        "landmarks": np.round(found.points, 4).tolist(),
        "scores": np.round(found.scores.astype(float), 4).tolist(),
    }  # fmt: skip
    replace_text(target, json_text(record))
    save_result(overlay, draw_landmarks(image, found.points, skeleton, box=found.box))
    return {
        "image": str(file), "json": str(target), "overlay": str(overlay),
        "mean_score": float(found.scores.mean()),
    }  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    if "data" in result:
        return predict_data.describe(result)
    if "video" in result:
        return predict_video.describe(result)
    skipped = f", {len(result['skipped'])} skipped" if result["skipped"] else ""
    return f"{len(result['pictures'])} pictures in {result['out']}{skipped}"
