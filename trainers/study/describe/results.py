"""What a network makes of disturbed views: features, and how far off the points are."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from cunet_tf.data.sample import Sample, Source
from cunet_tf.localizer import Localizer, View, seen_before
from cunet_tf.metrics import normalizer_distance
from cunet_tf.skeletons import Skeleton
from cunet_tf.trainers.study.describe.views import Disturbed

BATCH = 16
# Mean error below which a result is good, above which it is lost, in shares of the normalizer.
BORDERS = {"interocular": (0.08, 0.20), "torso": (0.40, 1.00), "box": (0.04, 0.10)}


@dataclass(frozen=True, eq=False)
class Results:
    """Results of N views after one look, or after two.

    Attributes:
        kinds: ``[N]``, names of the disturbances.
        features: ``[N, F]``, see :mod:`cunet_tf.confidence`.
        errors: ``[N]``, mean distance from the true points over the normalizer; infinite without an object.
        scores: ``[N, C]``, heights of the peaks.
        points: ``[N, C]``, error of each point over the normalizer; NaN without a label.
        borders: errors below which a result is good, and above which it is lost.
    """

    kinds: np.ndarray
    features: np.ndarray
    errors: np.ndarray
    scores: np.ndarray
    points: np.ndarray
    borders: tuple[float, float]

    @property
    def good(self) -> np.ndarray:
        """bool ``[N]``."""
        return self.errors < self.borders[0]

    @property
    def lost(self) -> np.ndarray:
        """bool ``[N]``; the rest, neither good nor lost, failed."""
        return self.errors > self.borders[1]


def main_normalizer(skeleton: Skeleton) -> str:
    """The distance that errors are measured in."""
    return next((name for name in skeleton.normalizers if name in BORDERS), "box")


def look_at(
    localizer: Localizer, source: Source, views: Iterable[Disturbed], progress: Callable[[int], None] | None = None
) -> tuple[Results, Results]:
    """Results of views after one look, and after a second one in the box of the first one's points.

    Args:
        localizer: its description has a confidence, which may be blank.
        source: gives the skeleton.
        views: of its pictures.
        progress: called with the number of views done.
    """
    name = main_normalizer(source.skeleton)
    rows: tuple[list[tuple], list[tuple]] = ([], [])
    views = iter(views)
    while batch := list(islice(views, BATCH)):
        for part, row in _rows(localizer, source.skeleton, name, batch):
            rows[part].append(row)
        if progress:
            progress(len(rows[0]))
    one, two = (_results(part, BORDERS[name]) for part in rows)
    return one, two


def _results(rows: list[tuple], borders: tuple[float, float]) -> Results:
    kinds, features, errors, scores, points = (np.array(column) for column in zip(*rows, strict=True))
    return Results(kinds, features, errors, scores, points, borders)


def _rows(localizer: Localizer, skeleton: Skeleton, name: str, batch: list[Disturbed]) -> Iterator[tuple[int, tuple]]:
    confidence = localizer.spec.confidence
    assert confidence is not None
    images = [view.image for view in batch]
    places = [View(view.box, localizer.spec.crop_factor, "given") for view in batch]
    first = localizer.look(images, places)
    closer = [localizer.closer(look.points, place) for look, place in zip(first, places, strict=True)]
    second = localizer.look(images, closer)
    for view, one, two in zip(batch, first, second, strict=True):
        for part, look, before in ((0, one, None), (1, two, one)):
            seen = None if before is None else seen_before(look, before)
            features = confidence.features(look.maps, look.inner, look.scores, seen)
            errors, mean = _errors(view, look.points, skeleton, name)
            yield part, (view.kind, features, mean, look.scores, errors)


def _errors(view: Disturbed, points: np.ndarray, skeleton: Skeleton, name: str) -> tuple[np.ndarray, float]:
    """See :func:`mean_error`; infinite where the box shows no object."""
    if view.sample is None:
        return np.full(len(points), np.nan), np.inf
    return mean_error(view.sample, points, skeleton, name)


def mean_error(sample: Sample, points: np.ndarray, skeleton: Skeleton, name: str) -> tuple[np.ndarray, float]:
    """Errors ``[C]`` of points over the normalizer, NaN without a label, and their mean."""
    truth, mask = sample.points[None].astype(float), sample.mask[None]
    distance = float(normalizer_distance(truth, skeleton, name, mask)[0])
    errors = np.where(mask[0] > 0, np.linalg.norm(points - truth[0], axis=1) / distance, np.nan)
    return errors, float(np.nanmean(errors))
