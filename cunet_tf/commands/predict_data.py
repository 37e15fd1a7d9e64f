"""``cunet predict --data=...``: landmarks of every sample of a data set, in its own boxes."""

from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.data.reach import require_reach
from cunet_tf.data.sample import Source
from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.flags import define_outside
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.outputs import claim, json_text
from cunet_tf.progress import progress
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.writing import replacing, writing

BATCH = 16
PREDICTIONS, SUBMISSION = "predictions.jsonl", "pred_keypoints_mpii.mat"


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    flags.DEFINE_string("data", None, f"Data set instead of pictures: {', '.join(SOURCES)}.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of the data set.", flag_values=values)
    flags.DEFINE_string("split", "test", "Part of the data set.", flag_values=values)
    define_outside(values)


def run(values: flags.FlagValues, localizer: Localizer) -> dict[str, Any]:
    """Write ``predictions.jsonl`` and, for MPII's official test part, the submission file."""
    out = Path(values.out)
    claim([out / PREDICTIONS, out / SUBMISSION], "--out")
    request = Request(values.root, values.split, localizer.spec.skeleton, allow_outside=values.allow_outside)
    source = load_source(values.data, request)
    require_reach(source, localizer.spec.crop_factor, "this model")
    out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Landmarks] = {}
    target = out / PREDICTIONS
    with replacing(target) as part, writing(target), part.open("w") as file, progress("samples") as show:
        for start in range(0, len(source), BATCH):
            batch = source.samples[start : start + BATCH]
            with native_stderr_hidden():  # what decoders say of damage is in the error
                images = [sample.load() for sample in batch]
            places = localizer.locate_batch(images, [sample.box for sample in batch])
            for sample, landmarks in zip(batch, places, strict=True):
                found[sample.name] = landmarks
                file.write(json_text({"name": sample.name, **landmarks.to_dict()}))
            show(min(start + BATCH, len(source)), len(source))
    result = {"model": values.model, "data": values.data, "split": source.split, "samples": len(source),
              "out": str(out / PREDICTIONS), "submission": None}  # fmt: skip
    if values.data == "mpii" and values.split == "test":
        result["submission"] = _submit(out / SUBMISSION, found, source, values.root)
    return result


def _submit(file: Path, found: dict[str, Landmarks], source: Source, root: str) -> str:
    from cunet_tf.data.mpii_submission import person_key, write_submission

    write_submission(file, {person_key(sample.name): found[sample.name].points for sample in source}, root)
    return str(file)


def describe(result: dict[str, Any]) -> str:
    """Where the results are."""
    submission = f"\nsubmission: {result['submission']}" if result["submission"] else ""
    return f"{result['samples']} samples of {result['data']} {result['split']} in {result['out']}{submission}"
