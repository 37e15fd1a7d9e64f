"""Landmarks from frame to frame: objects are followed, smoothed, lost and found again."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from cunet_tf.aliases import Box, Picture, Points
from cunet_tf.boxes import overlap
from cunet_tf.data.geometry import tight_box
from cunet_tf.detector import Detector
from cunet_tf.landmarks import Landmarks
from cunet_tf.localizer import Localizer
from cunet_tf.smoothing import OneEuroFilter

MIN_SCORE = 0.4  # mean score below which an object is lost, for models that have no confidence
PATIENCE = 8  # lost frames before the search starts over
MIN_SIDE = 4.0  # pixels; points closer together than this are no object
NEWCOMERS = 15  # frames between two looks of the detector at a scene in which nobody is lost
SAME = 0.3  # overlap of the boxes of an object that is followed and of one that the detector found


@dataclass(frozen=True, eq=False)
class Tracked:
    """One object in one frame.

    Attributes:
        id: the same in all frames in which the object was followed.
        raw: what the network found.
        smoothed: the same with smoothed points; ``None`` without smoothing.
        lost: below the model's confidence, or below the mean score where it has none.
    """

    id: int
    raw: Landmarks
    smoothed: Landmarks | None
    lost: bool

    @property
    def shown(self) -> Landmarks:
        """Smoothed where possible."""
        return self.smoothed or self.raw


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Attributes:
        index: 0-based.
        time: seconds since the first frame.
        image: RGB ``uint8 [H, W, 3]``.
        objects: that are followed, by id.
    """

    index: int
    time: float
    image: Picture
    objects: list[Tracked]


class Follower:
    """Follows one object: each frame is searched in the tight box of the points of the frame before.

    Points are taken before smoothing. Those of lost frames are not smoothed, and the filter starts anew after
    them.

    Args:
        id: of the object.
        start: tight box in the first frame, ``None`` for the whole picture.
        smoothing: a filter, copied for this object; ``None`` leaves the points as found.
        min_score: 0..1; a lower mean score is lost, for models without a confidence.
    """

    def __init__(
        self, id: int, start: Box | None, smoothing: OneEuroFilter | None = None, min_score: float = MIN_SCORE
    ):
        self.id, self.place, self.low = id, start, 0
        self._start, self._min_score = start, min_score
        self._filter = copy.deepcopy(smoothing)
        if self._filter:
            self._filter.reset()

    def update(self, found: Landmarks, seconds: float) -> Tracked:
        """Take in what was found in ``place`` of the next frame."""
        lost = not found.found if found.confidence is not None else bool(found.scores.mean() < self._min_score)
        self.low = self.low + 1 if lost else 0
        self.place = self._next_place(found.points)
        smoothed = None
        if self._filter:
            if lost:
                self._filter.reset()
            smoothed = found if lost else replace(found, points=self._filter(found.points, seconds))
        return Tracked(self.id, found, smoothed, lost)

    def _next_place(self, points: Points) -> np.ndarray | None:
        """The box to search after ``low`` lost frames in a row; ``None`` is the whole picture."""
        starts, rest = divmod(self.low, PATIENCE)
        if starts and not rest:
            return self._start if starts % 2 else None
        tight = tight_box(points)
        return tight if np.max(tight[2:] - tight[:2]) >= MIN_SIDE else None


def track(
    localizer: Localizer, frames: Iterable[tuple[float, Picture]], box: Box | None = None,
    smoothing: OneEuroFilter | None = None, min_score: float = MIN_SCORE,
) -> Iterator[Frame]:  # fmt: skip
    """Follow the one object of a video.

    A search that starts too wide closes in on the object within a few frames, so lost frames are borne for
    ``PATIENCE`` frames; then the search starts over in ``box``, and if that fails in the whole picture, in turn.

    Args:
        localizer: finds the points; its model's crop factor enlarges the boxes.
        frames: pairs of a time in seconds and an RGB picture ``uint8 [H, W, 3]``.
        box: tight box ``[x0, y0, x1, y1]`` in the first frame; the whole picture when ``None``.
        smoothing, min_score: see :class:`Follower`.
    """
    follower = Follower(0, box, smoothing, min_score)
    for index, (seconds, image) in enumerate(frames):
        yield Frame(index, seconds, image, [follower.update(localizer.locate(image, follower.place), seconds)])


def track_all(
    localizer: Localizer, frames: Iterable[tuple[float, Picture]], detector: Detector,
    smoothing: OneEuroFilter | None = None, min_score: float = MIN_SCORE,
) -> Iterator[Frame]:  # fmt: skip
    """Follow every object that a detector sees; each keeps its id while it is followed.

    The detector is asked in the first frame, whenever an object is lost or none is there, and every
    ``NEWCOMERS`` frames. An object that is lost for ``PATIENCE`` frames is given up.

    Args:
        localizer, frames, smoothing, min_score: see :func:`track`.
        detector: see :func:`cunet_tf.detector.load_detector`.
    """
    followers: list[Follower] = []
    count, asked = 0, 0
    for index, (seconds, image) in enumerate(frames):
        objects = [each.update(localizer.locate(image, each.place), seconds) for each in followers]
        objects = _one_of_each(objects)
        kept = {each.id for each in objects}
        followers = [each for each in followers if each.id in kept and each.low < PATIENCE and each.place is not None]
        if not followers or any(each.low for each in followers) or index - asked >= NEWCOMERS:
            asked = index
            for found in localizer.locate_all(image, detector):
                if found.found and not _is_followed(found, objects):
                    followers.append(Follower(count, found.box, smoothing, min_score))
                    objects.append(followers[-1].update(found, seconds))
                    count += 1
        yield Frame(index, seconds, image, objects)


def _one_of_each(objects: list[Tracked]) -> list[Tracked]:
    """Objects without those that have come to lie on an older one."""
    kept: list[Tracked] = []
    for each in objects:
        if not _is_followed(each.raw, kept):
            kept.append(each)
    return kept


def _is_followed(found: Landmarks, objects: list[Tracked]) -> bool:
    others = np.array([tight_box(each.raw.points) for each in objects if not each.lost]).reshape(-1, 4)
    return bool((overlap(tight_box(found.points), others) > SAME).any())
