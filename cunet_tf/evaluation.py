"""A model's figures on a data set; means are over the whole set, not over batches."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.localizer import Localizer
from cunet_tf.metrics import (
    AUC_THRESHOLD,
    auc,
    failure_rate,
    nme_per_image,
    normalizer_distance,
    pck,
    point_errors,
)

BATCH = 16
NORMALIZERS = ("interocular", "interpupil", "box")


def evaluate(
    localizer: Localizer, source: Source, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Figures of ``localizer`` on ``source``.

    Args:
        localizer: with its decoder and flip test.
        source: annotated samples.
        progress: called with (done, total) after each batch.

    Returns:
        The keys of ``cunet evaluate``: NME, failure rate and PCK in percent, AUC 0..1;
        ``None`` where a figure is not defined for these landmarks. ``nme`` holds the NME of
        each picture under the main normalizer (for the error curve).

    Raises:
        CUNetError: model and data have different landmarks.
    """
    skeleton = source.skeleton
    if skeleton.size != localizer.spec.skeleton.size:
        raise CUNetError(
            f"the model finds {localizer.spec.skeleton.size} landmarks ({localizer.spec.skeleton.name}), "
            f"{source.name} has {skeleton.size} ({skeleton.name}): evaluate on matching data."
        )
    truth = np.stack([sample.points for sample in source])
    mask = np.stack([sample.mask for sample in source])
    errors = point_errors(_predict(localizer, source, progress), truth)
    main = next(iter(skeleton.normalizers), "box")
    scored = mask * np.isin(np.arange(skeleton.size), skeleton.scored or range(skeleton.size))

    def nme(name: str) -> np.ndarray | None:
        if name != "box" and name not in skeleton.normalizers:
            return None
        return nme_per_image(errors, scored, normalizer_distance(truth, skeleton, name))

    per_image = nme(main)
    distance = normalizer_distance(truth, skeleton, main)
    subsets = np.array([sample.subset for sample in source])
    return {
        **_headline(per_image, main),
        **{f"nme_{name}": _percent(nme(name)) for name in NORMALIZERS},
        "pck": 100 * pck(errors, scored, distance, 0.2) if main == "torso" else None,
        "pckh": None,
        "images": len(source),
        "auc_threshold": AUC_THRESHOLD,
        "normalizer": main,
        "mean_over": f"{len(skeleton.scored) or skeleton.size} landmarks of each picture, then pictures",
        "subsets": {
            str(name): {"images": int((subsets == name).sum()), f"nme_{main}": _percent(per_image[subsets == name]),
                        **_headline(per_image[subsets == name], main)}
            for name in dict.fromkeys(subsets)
        },
        "per_landmark": _per_landmark(errors, mask, distance, source),
        "per_group": {
            name: _percent(nme_per_image(errors[:, list(ids)], mask[:, list(ids)], distance))
            for name, ids in skeleton.groups.items()
        },
        "box": source.box,
        "decoder": localizer.decoder,
        "flip_test": localizer.flip_test,
        "missing": list(source.missing),
        "nme": per_image,
    }  # fmt: skip


def _predict(localizer: Localizer, source: Source, progress: Callable | None) -> np.ndarray:
    points = []
    for start in range(0, len(source), BATCH):
        batch = source.samples[start : start + BATCH]
        found = localizer.locate_batch([sample.load() for sample in batch], [sample.box for sample in batch])
        points += [landmarks.points for landmarks in found]
        if progress:
            progress(len(points), len(source))
    return np.stack(points)


def _headline(nme: np.ndarray, main: str) -> dict[str, float | None]:
    """Failure rate and AUC, defined for the faces' inter-ocular NME."""
    if main != "interocular":
        return {"failure_rate": None, "auc": None}
    return {"failure_rate": 100 * failure_rate(nme), "auc": auc(nme)}


def _per_landmark(errors: np.ndarray, mask: np.ndarray, distance: np.ndarray, source: Source) -> dict[str, float]:
    """Landmark name -> mean error in percent of the main normalizer."""
    shares = np.where(mask > 0, errors / distance[:, None], np.nan)
    return {name: _percent(shares[:, index]) for index, name in enumerate(source.skeleton.names)}


def _percent(shares: np.ndarray | None) -> float | None:
    """Mean in percent, pictures without a value left out."""
    if shares is None or np.isnan(shares).all():
        return None
    return float(100.0 * np.nanmean(shares))
