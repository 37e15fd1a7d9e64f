"""What a trained model's description says about itself: how far to trust it, and how detectors' boxes fit it.

python -m cunet_tf.trainers.study.describe --model=face-mobile --data=300w --root=300w --out=face-mobile.cunet
    --test_split=helen/testset --results=docs/results

Learned from disturbed views of the pictures of --split; figures, on those of --test_split, go to
RESULTS/confidence_NAME.csv, .md and .png. About a minute for 600 pictures of two cores.
"""

import sys
from pathlib import Path

import numpy as np
from absl import flags

from cunet_tf.data.sample import Source
from cunet_tf.detector import load_detector
from cunet_tf.errors import CUNetError
from cunet_tf.export.described import require_writable, write_described
from cunet_tf.files.described import is_exported
from cunet_tf.files.shipped import find_model
from cunet_tf.flags import define_data, shown_path, source_for
from cunet_tf.localizer import Localizer
from cunet_tf.metrics import normalizer_distance
from cunet_tf.outputs import claim, claim_pages
from cunet_tf.progress import progress
from cunet_tf.trainers.study import program
from cunet_tf.trainers.study.describe.fitting import blank, fit_box_map, fit_confidence, shape_of
from cunet_tf.trainers.study.describe.report import write_report
from cunet_tf.trainers.study.describe.results import Results, look_at, main_normalizer
from cunet_tf.trainers.study.describe.views import disturbed

MODULE = "python -m cunet_tf.trainers.study.describe"
FLAGS = ("model", "data", "root", "allow_missing", "split", "test_split", "images", "test_images", "detector", "seed")


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="train")
    flags.DEFINE_string("model", None, "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("test_split", "test", "Part of the data set for the figures.", flag_values=values)
    flags.DEFINE_integer("images", 600, "Pictures to learn from.", 20, flag_values=values)
    flags.DEFINE_integer("test_images", 330, "Pictures for the figures.", 10, flag_values=values)
    flags.DEFINE_string("detector", "auto", "auto (faces), none, or a file, as of predict.", flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of the disturbances.", flag_values=values)
    flags.DEFINE_string("out", None, "The described model file; none is written without it.", flag_values=values)
    flags.DEFINE_string("name", None, "Another name for the model.", flag_values=values)
    flags.DEFINE_string("license", None, "Terms of the weights, written into the file.", flag_values=values)
    flags.DEFINE_bool("half", False, "A .keras file with kernels in float16, to be passed on.", flag_values=values)
    flags.DEFINE_string("results", None, "Folder of the figures; none are taken without it.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, write the model file and the page; returns 0, or 2 on bad input."""
    return program.run("describe", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Measure and write."""
    if not values.model or not (values.out or values.results):
        raise CUNetError("give --model, and --out=FILE for the described model or --results=FOLDER for figures.")
    if values.out:
        claim([values.out], "--out", is_exported)
        require_writable(find_model(values.model), Path(values.out), values.half)
    localizer = Localizer.load(values.model)
    changes = {key: values[key].value for key in ("name", "license") if values[key].value}
    spec = localizer.spec.replace(**changes)
    name = f"confidence_{spec.name.replace('/', '-')}"
    if values.results:
        claim_pages(values.results, [name], "--results")
    train = thinned(source_for(values, spec), values.images)
    blank_confidence = blank(shape_of(train))
    one, two = _look_at(localizer.described(blank_confidence), train, values.seed)
    confidence = fit_confidence(blank_confidence.shape, one, two)
    box_map = spec.detector
    if values.detector != "none":
        with progress("pictures for the detector") as show:
            box_map = fit_box_map(train, load_detector(values.detector), lambda done: show(done, len(train)))
    print(f"detector: {box_map}")
    described = spec.replace(confidence=confidence, detector=box_map)
    if values.out:
        write_described(find_model(values.model), described, Path(values.out), values.half)
        print(f"wrote {values.out}")
    if values.results:
        test = thinned(source_for(values, spec, values.test_split), values.test_images)
        looks = _look_at(localizer.described(confidence), test, values.seed + 1)
        paths = {each: f"--{each}={shown_path(values[each].value or '')}" for each in ("model", "root", "detector")}
        given = [each for each in FLAGS if values[each].present]
        call = " ".join([MODULE, *(paths.get(each) or values[each].serialize() for each in given)])
        print(write_report(Path(values.results), name, call, confidence, {"one look": looks[0], "two looks": looks[1]}))


def thinned(source: Source, count: int) -> Source:
    """At most ``count`` samples, evenly spread, each with a normalizer of its own."""
    name = main_normalizer(source.skeleton)
    points = np.stack([sample.points for sample in source])
    masks = np.stack([sample.mask for sample in source])
    usable = np.flatnonzero(normalizer_distance(points, source.skeleton, name, masks) > 0)
    chosen = np.unique(np.linspace(0, len(usable) - 1, min(count, len(usable))).round().astype(int))
    return source.subset(usable[chosen])


def _look_at(localizer: Localizer, source: Source, seed: int) -> tuple[Results, Results]:
    with progress("views") as show:
        return look_at(localizer, source, disturbed(source, 1, seed), lambda done: show(done, None))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
