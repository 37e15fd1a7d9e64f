"""cunet predict: landmarks of pictures or video, as JSON in their own pixels and drawn over them.

STEM.jpg gives OUT/STEM.json and OUT/STEM_found.jpg; a file that cunet did not write is never replaced.
A second call looks only at pictures that are new, changed, or asked for with other flags.

Example:
  cunet predict --model=face-mobile --out=found photo.jpg
  cunet predict --model=face-mobile --out=found --box=120,80,310,290 photo.jpg
  cunet predict --model=face-mobile --out=found --recursive --csv=found.csv --jobs=2 folder/
  cunet predict --model=pose-mobile --out=found --boxes=people.csv folder/
  cunet predict --model=runs/pose/best.keras --data=mpii --root=mpii --split=test --out=submission
  cunet predict --model=face-mobile --out=found clip.mp4
  cunet predict --model=face-mobile --out=found --camera=0
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands import predict_data, predict_video
from cunet_tf.commands.predict_inputs import VIDEOS, Boxes, list_pictures, name_targets, parse_box
from cunet_tf.commands.predict_pictures import Outcome, Setup, Task, look
from cunet_tf.detector import load_detector
from cunet_tf.engines import load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.flags import define_averaging, define_pictures
from cunet_tf.heatmaps import DECODERS
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import begins_with, claim, json_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.results import COLUMNS, Record, coco, csv_columns, csv_rows, read_record
from cunet_tf.rows import write_csv
from cunet_tf.writing import replace_text


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    flags.DEFINE_string("model", None, "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    flags.DEFINE_string(
        "out", None, "Folder for NAME.json and NAME_found.jpg, of video NAME.jsonl and NAME.mp4.", flag_values=values
    )
    flags.DEFINE_list(
        "box", None, "x0,y0,x1,y1 in pixels: the object's tight box in every picture (video: in the first frame).",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "boxes", None, "Boxes of each picture, several if need be: CSV image,x0,y0,x1,y1 or JSON.", flag_values=values
    )
    flags.DEFINE_string(
        "detector", "auto", "Finds boxes where none are given: auto (faces), none (the whole picture is one object), "
        "or a file: .tflite like BlazeFace or MediaPipe's pose detector, YuNet's .onnx.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_enum("draw", "jpg", ["jpg", "png", "none"], "Format of the overlays.", flag_values=values)
    flags.DEFINE_string("csv", None, "Write one row an object to this file as well.", flag_values=values)
    flags.DEFINE_string("coco", None, "Write COCO keypoints to this file as well.", flag_values=values)
    flags.DEFINE_float(
        "min_confidence", None, "Below it an object counts as not found; the model's own threshold by default.",
        0.0, 1.0, flag_values=values,
    )  # fmt: skip
    flags.DEFINE_bool("recursive", False, "Look into folders of folders; results keep them.", flag_values=values)
    flags.DEFINE_bool("again", False, "Repeat what is done.", flag_values=values)
    flags.DEFINE_integer("jobs", 1, "Processes that share the pictures.", 1, flag_values=values)
    flags.DEFINE_string("decoder", None, f"{', '.join(DECODERS)}; the model's own by default.", flag_values=values)
    define_averaging(values)
    define_pictures(values)
    predict_video.define(values)
    predict_data.define(values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    for name, hint in (("model", "a file or a shipped name"), ("out", "a folder for the results")):
        if not values[name].value:
            raise CUNetError(f"give --{name}: {hint}.")
    box = parse_box(values.box, rest) if values.box else None
    rest = _name_video(values, rest)
    source = predict_video.source_of(values, rest)
    _refuse_mixtures(values, rest, source is not None)
    if source is None and not values.data:
        return _pictures(values, rest)
    spec = preset(values.preset) if values.preset else None
    localizer = Localizer(
        load_engine(values.model), spec, values.decoder, values.flip_test, values.min_confidence, values.crops
    )
    if source is None:
        return predict_data.run(values, localizer)
    detector = _detector_name(values, localizer) if box is None else None
    return predict_video.run(values, source, localizer, box, detector)


def _name_video(values: flags.FlagValues, rest: list[str]) -> list[str]:
    """A single video among the words is meant as ``--video``."""
    videos = [word for word in rest if Path(word).suffix.lower() in VIDEOS]
    if not videos:
        return rest
    if len(rest) > 1 or values.video or values.camera is not None:
        raise CUNetError(f"{videos[0]} is a video: name it alone, with --video={videos[0]} or at the end of the line.")
    values.video = videos[0]
    return []


def _refuse_mixtures(values: flags.FlagValues, rest: list[str], video: bool) -> None:
    if values.data and (rest or video or values.box or values.boxes):
        raise CUNetError("--data stands alone, without pictures, --video, --camera, --box or --boxes.")
    if values.box and values.boxes:
        raise CUNetError("give --box for all pictures or --boxes=FILE for each, not both.")
    for name in ("boxes", "csv", "coco"):
        if values[name].value and (video or values.data):
            raise CUNetError(f"--{name} goes with pictures; of a video the .jsonl file holds every frame.")


def _detector_name(values: flags.FlagValues, localizer: Localizer) -> str | None:
    """The detector to load; ``None`` takes whole pictures.

    Raises:
        CUNetError: it cannot be loaded, or finds something else than the model needs.
    """
    spec = localizer.spec
    if values.detector == "none":
        return None
    if values.detector == "auto" and not (spec.detector and spec.detector.name == "blazeface"):
        print(
            f"notice: no detector of boxes comes with {values.model}: where none is given, each picture is taken as "
            "one object. Give --box, --boxes=FILE or --detector=FILE.", file=sys.stderr,
        )  # fmt: skip
        return None
    localizer.box_map(load_detector(values.detector))
    return values.detector


def _pictures(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Look at pictures; write JSON, overlays, CSV and COCO."""
    draw = None if values.draw == "none" else values.draw
    files, passed = list_pictures(rest, values.recursive)
    pictures = name_targets(files, Path(values.out), draw)
    claim([target for picture in pictures for target in picture.targets], "--out")
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    if values.coco:
        claim([values.coco], "--coco")
    setup = Setup(
        values.model, values.preset, values.decoder, values.flip_test, values.min_confidence, values.crops, draw=draw
    )
    localizer = setup.localizer()
    fixed, boxes = [[float(v) for v in values.box]] if values.box else None, None
    if values.boxes:
        boxes = Boxes(Path(values.boxes))
    given = [fixed if boxes is None else boxes.of(picture.file) for picture in pictures]
    if any(each is None for each in given):
        setup = replace(setup, detector=_detector_name(values, localizer))
    tasks = [Task(picture, each, setup.digest(each)) for picture, each in zip(pictures, given, strict=True)]
    outcomes = look(setup, tasks, values.jobs, values.again)
    if values.csv:
        write_csv(Path(values.csv), csv_rows(_records(outcomes)), csv_columns(localizer.spec.skeleton), digits=None)
    if values.coco:
        replace_text(Path(values.coco), json_text(coco(_records(outcomes), localizer.spec.skeleton)))
    return _summary(values, outcomes, passed, boxes)


def _records(outcomes: list[Outcome]) -> Iterator[Record]:
    """Of the pictures that have one, as they lie on the disk."""
    for outcome in outcomes:
        record = read_record(outcome.task.picture.json) if outcome.objects is not None else None
        if record:
            yield record


def _summary(
    values: flags.FlagValues, outcomes: list[Outcome], passed: list[str], boxes: Boxes | None
) -> dict[str, Any]:
    """The result of the verb; not ok where a picture could not be read."""
    for text in [*passed, *(f"{name}: boxes without a picture" for name in (boxes.unused() if boxes else []))]:
        print(f"passed over {text}.", file=sys.stderr)
    good = [outcome for outcome in outcomes if outcome.objects is not None]
    return {
        "model": values.model,
        "out": values.out,
        "pictures": [_line(outcome) for outcome in good],
        "done_before": sum(outcome.done for outcome in good),
        "skipped": [outcome.error for outcome in outcomes if outcome.error],
        "passed_over": passed,
        "ok": all(not outcome.error for outcome in outcomes),
    }


def _line(outcome: Outcome) -> dict[str, Any]:
    picture = outcome.task.picture
    return {
        "image": str(picture.file), "json": str(picture.json),
        "overlay": str(picture.overlay) if picture.overlay else None,
        "objects": outcome.objects, "found": outcome.found,
    }  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    if "data" in result:
        return predict_data.describe(result)
    if "video" in result:
        return predict_video.describe(result)
    found = sum(line["found"] for line in result["pictures"])
    parts = [f"{len(result['pictures'])} pictures, {found} objects found, results in {result['out']}"]
    if result["done_before"]:
        parts.append(f"{result['done_before']} were done before (--again repeats them)")
    if result["skipped"]:
        parts.append(f"{len(result['skipped'])} could not be read")
    return "; ".join(parts)
