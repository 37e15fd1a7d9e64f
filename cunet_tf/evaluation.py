"""A model's figures on a data set; means are over the whole set, not over batches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.aliases import Mask, Points
from cunet_tf.boxes import best_over
from cunet_tf.crops import TURN
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.matching import require_matching
from cunet_tf.data.reach import require_reach, say_reduced, turned
from cunet_tf.data.sample import Sample, Source
from cunet_tf.detector import Detector, load_detector
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Localizer
from cunet_tf.metrics import (
    AUC_THRESHOLD,
    auc,
    failure_rate,
    nme_per_image,
    normalizer_distance,
    pck_means,
    point_errors,
)
from cunet_tf.spec import ModelSpec

BATCH = 16
NORMALIZERS = ("interocular", "interpupil", "box")
MEANS = ("joints", "groups", "limbs")
OWN = ("detector", "whole")  # boxes that a model looks for by itself


def evaluate(
    model: Localizer | str | Path,
    data: Source,
    progress: Callable[[int, int], None] | None = None,
    box: str | None = None,
    detector: Detector | str = "auto",
    *,
    spec: ModelSpec | None = None,
    decoder: str | None = None,
    flip_test: bool = False,
    crops: int = 1,
) -> dict[str, Any]:
    """Figures of a model on data.

    Args:
        model: a file or shipped name, or a localizer with its own decoder, flip test and crops.
        data: annotated samples.
        progress: called with (done, total) after each batch.
        box: ``"detector"``, the object whose points lie best over the annotated ones; ``"whole"``, the whole picture;
            the samples' own boxes by default.
        detector: see :func:`cunet_tf.detector.load_detector`.
        spec, decoder, flip_test, crops: of a file, see :meth:`cunet_tf.localizer.Localizer.load`.

    Returns:
        The keys of ``cunet evaluate``: ``recall``, pictures in percent whose object was seen (others count as
        failures and are in no mean), ``undefined``, pictures without what the main figure is divided by (they are in
        no figure), NME, failure rate and PCK in percent, AUC 0..1;
        ``None`` where a figure is not defined for these landmarks. ``per_image`` holds, for
        error curves, the NME ``[N]`` of faces or the errors ``[N, C]`` of joints as shares of
        the torso.

    Raises:
        CUNetError: no such model; model and data have different landmarks, or in another order;
            :func:`cunet_tf.data.matching.matched` mends the order. Or records do not hold what the model looks at.
    """
    localizer, source = _localizer(model, spec, decoder, flip_test, crops), data
    require_matching(source, localizer.spec.skeleton)
    if source.reach is not None and box in OWN:
        raise CUNetError(f"--box={box} looks at whole pictures, and records hold a part of each: use the data itself.")
    turn = turned(TURN) if localizer.crops == 2 else 1.0
    require_reach(source, localizer.spec.crop_factor * turn, "this model")
    say_reduced(source, localizer.spec.input_size / localizer.spec.crop_factor)
    points = _predict(localizer, source, progress, box, detector)
    return {
        **figures_of(points, source),
        "images": len(source),
        "recall": float(100.0 * (~np.isnan(points).all(axis=(1, 2))).mean()),
        "box": box or source.box,
        "decoder": localizer.decoder,
        "flip_test": localizer.flip_test,
        "crops": localizer.crops,
        "missing": list(source.missing),
    }


def _localizer(
    model: Localizer | str | Path, spec: ModelSpec | None, decoder: str | None, flip_test: bool, crops: int
) -> Localizer:
    """A localizer as it is, or a file's with these options.

    Raises:
        CUNetError: options beside a localizer, which has its own; or see :meth:`cunet_tf.localizer.Localizer.load`.
    """
    if isinstance(model, (str, Path)):
        return Localizer.load(str(model), spec=spec, decoder=decoder, flip_test=flip_test, crops=crops)
    if spec or decoder or flip_test or crops != 1:
        raise CUNetError("evaluate: a localizer has its own decoder, flip_test and crops: load it with them.")
    return model


def figures_of(points: Points, source: Source) -> dict[str, Any]:
    """NME, failure rate, AUC and PCK of found points ``[N, C, 2]`` in the pictures' pixels; NaN without an object."""
    truth = np.stack([sample.points for sample in source])
    mask = np.stack([sample.mask for sample in source])
    figures = pose_figures if "torso" in source.skeleton.normalizers else face_figures
    return figures(point_errors(points, truth), truth, mask, source)


def face_figures(errors: np.ndarray, truth: Points, mask: Mask, source: Source) -> dict[str, Any]:
    """NME under each normalizer, failure rate, AUC; per subset, group and landmark.

    Args:
        errors: pixels ``[N, C]``; NaN where no object was seen.
        truth: points ``[N, C, 2]``.
        mask: ``[N, C]``.
        source: gives skeleton and subsets.
    """
    skeleton = source.skeleton
    main = next(iter(skeleton.normalizers), "box")
    names = [name for name in NORMALIZERS if name == "box" or name in skeleton.normalizers]
    boxes = np.stack([sample.box for sample in source])
    distances = {name: normalizer_distance(truth, skeleton, name, mask, boxes) for name in {main, *names}}
    nme = {name: nme_per_image(errors, mask, distance) for name, distance in distances.items()}
    subsets = np.array([sample.subset for sample in source])
    parts = {str(name): nme[main][subsets == name] for name in dict.fromkeys(subsets)}
    groups = {name: list(ids) for name, ids in skeleton.groups.items()}
    shares = np.where(mask > 0, errors / distances[main][:, None], np.nan)
    unseen = np.isnan(errors).all(axis=1)
    parts = {name: np.where(unseen[subsets == name], np.inf, part) for name, part in parts.items()}
    return {
        **_headline(np.where(unseen, np.inf, nme[main]), main),
        **{f"nme_{name}": _percent(nme.get(name)) for name in dict.fromkeys((*NORMALIZERS, main))},
        "pck": None,
        "pckh": None,
        "auc_threshold": AUC_THRESHOLD,
        "undefined": int((np.isnan(nme[main]) & ~unseen).sum()),
        "normalizer": main,
        "mean_over": "landmarks of each picture, then pictures",
        "subsets": {
            name: {"images": len(part), f"nme_{main}": _percent(part), **_headline(part, main)}
            for name, part in parts.items()
        },
        "per_landmark": {name: _percent(shares[:, index]) for index, name in enumerate(skeleton.names)},
        "per_group": {
            name: _percent(nme_per_image(errors[:, ids], mask[:, ids], distances[main])) for name, ids in groups.items()
        },
        "per_image": np.where(unseen, np.inf, nme[main]),
    }


def pose_figures(errors: np.ndarray, truth: Points, mask: Mask, source: Source) -> dict[str, Any]:
    """PCK@0.2 of the torso, PCKh@0.5 and @0.1 where head sizes are known; arguments as above."""
    skeleton = source.skeleton
    box = nme_per_image(errors, mask, normalizer_distance(truth, skeleton, "box", mask))
    errors = np.where(np.isnan(errors), np.inf, errors)
    torso = normalizer_distance(truth, skeleton, "torso", mask)
    head = np.array([np.nan if sample.head is None else sample.head for sample in source])
    pck = pck_means(errors, mask, torso, 0.2, skeleton)
    heads = None if np.isnan(head).all() else {
        share: pck_means(errors, mask, head, float(share), skeleton) for share in ("0.5", "0.1")
    }  # fmt: skip
    return {
        **{f"nme_{name}": None for name in ("interocular", "interpupil")},
        "nme_box": _percent(box),
        "failure_rate": None,
        "auc": None,
        "pck": pck["joints"],
        "pckh": heads and heads["0.5"]["joints"],
        "pck_means": {name: pck[name] for name in MEANS},
        "pckh_means": heads and {share: {name: row[name] for name in MEANS} for share, row in heads.items()},
        "auc_threshold": AUC_THRESHOLD,
        "undefined": int((np.isnan(torso) | ~mask.any(axis=1)).sum()),
        "normalizer": "torso" if heads is None else "torso for pck, head for pckh",
        "mean_over": f"{len(skeleton.scored) or skeleton.size} joints, pooled over pictures",
        "subsets": {},
        "per_landmark": (heads["0.5"] if heads else pck)["per_joint"],
        "per_group": (heads["0.5"] if heads else pck)["per_group"],
        "per_image": np.where(mask > 0, errors / torso[:, None], np.nan),
    }


def _predict(
    localizer: Localizer, source: Source, progress: Callable | None, box: str | None, detector: Detector | str
) -> np.ndarray:
    """Points ``[N, C, 2]``."""
    points: list[np.ndarray] = []
    find = _points_at(localizer, box) if box != "detector" else _points_seen(localizer, detector)
    for start in range(0, len(source), BATCH):
        points += find(source.samples[start : start + BATCH])
        if progress:
            progress(len(points), len(source))
    return np.stack(points)


def _points_at(localizer: Localizer, box: str | None) -> Callable[[list[Sample]], list[np.ndarray]]:
    """Points in the samples' own boxes, or in whole pictures."""

    def find(batch: list[Sample]) -> list[np.ndarray]:
        boxes = [None if box == "whole" else sample.box for sample in batch]
        found = localizer.locate_batch([sample.load() for sample in batch], boxes)
        return [landmarks.points for landmarks in found]

    return find


def _points_seen(localizer: Localizer, detector: Detector | str) -> Callable[[list[Sample]], list[np.ndarray]]:
    """Points of the objects that a detector sees."""
    finds = load_detector(detector) if isinstance(detector, str) else detector
    return lambda batch: [_seen(localizer, sample, finds) for sample in batch]


def _seen(localizer: Localizer, sample: Sample, detector: Detector) -> np.ndarray:
    """Points of the object that lies best over the annotated one; NaN where none touches it."""
    found = localizer.locate_all(sample.load(), detector)
    index = best_over(sample.box, [tight_box(each.points) for each in found])
    return np.full_like(sample.points, np.nan, dtype=np.float64) if index is None else found[index].points


def _headline(nme: np.ndarray, main: str) -> dict[str, float | None]:
    """Failure rate and AUC, defined for the faces' inter-ocular NME."""
    if main != "interocular" or np.isnan(nme).all():
        return {"failure_rate": None, "auc": None}
    return {"failure_rate": 100 * failure_rate(nme), "auc": auc(nme)}


def _percent(shares: np.ndarray | None) -> float | None:
    """Mean in percent, pictures without a value or without a result left out."""
    if shares is None or not np.isfinite(shares).any():
        return None
    return float(100.0 * np.mean(shares[np.isfinite(shares)]))
