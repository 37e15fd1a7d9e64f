"""Pictures in, landmarks out: crop, network, decoder, and back to the picture's pixels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cunet_tf.aliases import Affine, Batch, Box, BoxLike, HeatMaps, Picture, Points
from cunet_tf.boxes import BoxMap, Detection, check_box, overlap
from cunet_tf.confidence import Confidence, align
from cunet_tf.crops import TURN, mean_of_crops
from cunet_tf.data.geometry import apply, crop_matrix, from_heatmap, invert, tight_box, to_heatmap, warp, whole_picture
from cunet_tf.detector import FACE_DETECTORS, Detector, load_detector
from cunet_tf.engines import Engine, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import decode
from cunet_tf.landmarks import Landmarks
from cunet_tf.pictures import as_picture
from cunet_tf.spec import ModelSpec

__all__ = ["Landmarks", "Localizer", "Look", "View"]

CLOSING = {"given": 0, "detector": 1, "whole picture": 3}  # looks after the first, each in the box of the points before
SMALLEST = 2.0  # pixels; points closer together than this give no box
TWICE = 0.6  # overlap of the points' boxes of two results that are one object


@dataclass(frozen=True, eq=False)
class View:
    """Where to look.

    Attributes:
        box: tight box ``[x0, y0, x1, y1]`` in the picture's pixels, before it was turned.
        factor: by which the box is enlarged.
        box_from: see :class:`Landmarks`.
        roll: degrees by which the object is turned clockwise about the box's centre, as seen on the screen.
    """

    box: Box
    factor: float
    box_from: str
    roll: float = 0.0


@dataclass(frozen=True, eq=False)
class Look:
    """What one look gave.

    Attributes:
        maps: ``[h, w, C]``; means, with the flip test or a second crop.
        inner: points ``[C, 2]`` in their pixels.
        points: the same in the picture's pixels.
        scores: ``[C]``.
        to_crop: 2x3 matrix from the picture to the crop.
    """

    maps: HeatMaps
    inner: Affine
    points: Points
    scores: np.ndarray
    to_crop: Affine


class Localizer:
    """Finds landmarks with a trained network; one object may serve many threads.

    Args:
        engine: see :func:`cunet_tf.engines.load_engine`.
        spec: description of the network, where the model file has none.
        decoder: ``"dark"``, ``"quarter"`` or ``"argmax"``; the description's when ``None``.
        flip_test: average with the un-flipped heat maps of the mirror image.
        min_confidence: results below it are not found; the description's threshold when ``None``.
        crops: 2 averages with the heat maps of a second crop of the same box, turned by ``crops.TURN`` degrees.

    Raises:
        CUNetError: no engine, or neither the file nor the caller describes the network, or another number of crops.

    Example:
        >>> localizer = Localizer.load("face-mobile")      # doctest: +SKIP
        >>> localizer.locate(image, box=(40, 50, 180, 200)).points.shape  # doctest: +SKIP
        (68, 2)
        >>> [face.confidence for face in localizer.locate_all("photo.jpg")]  # doctest: +SKIP
    """

    def __init__(
        self, engine: Engine, spec: ModelSpec | None = None,
        decoder: str | None = None, flip_test: bool = False, min_confidence: float | None = None,
        crops: int = 1,
    ):  # fmt: skip
        if not hasattr(engine, "spec") or hasattr(engine, "predict_on_batch"):
            raise CUNetError(
                f"a Localizer runs an engine, not a {type(engine).__name__}: Localizer.load(FILE) makes one of a "
                "model file, cunet_tf.engines.KerasEngine(model) of a Keras model."
            )
        found = spec or engine.spec
        if found is None:
            raise CUNetError("the model file carries no description: name its --preset.")
        self.engine, self.spec = engine, found
        self.decoder = decoder or found.decoder
        if crops not in (1, 2):
            raise CUNetError(f"--crops={crops}: give 1, or 2 for the mean of two crops.")
        self.flip_test, self.crops = flip_test, crops
        if flip_test:
            found.skeleton.require_pairs("flip test")
        measured = found.confidence.threshold if found.confidence else 0.0
        self.min_confidence = measured if min_confidence is None else min_confidence

    @classmethod
    def load(cls, model: str, **options: Any) -> "Localizer":
        """A localizer for a model file, or for a shipped name such as ``face-mobile``."""
        return cls(load_engine(str(model)), **options)

    def described(self, confidence: Confidence) -> "Localizer":
        """The same network with another measure of confidence."""
        spec = self.spec.replace(confidence=confidence)
        return Localizer(self.engine, spec, self.decoder, self.flip_test, crops=self.crops)

    def locate(self, picture: object, box: BoxLike | None = None) -> Landmarks:
        """Landmarks of one object in one picture; see :meth:`locate_batch`."""
        return self.locate_batch([picture], [box])[0]

    def locate_batch(self, pictures: Sequence[Any], boxes: Sequence[BoxLike | None]) -> list[Landmarks]:
        """Landmarks of one object in each picture.

        Args:
            pictures: RGB ``uint8 [H, W, 3]`` of any sizes, paths, or PIL images. An array with blue first, as
                ``cv2.imread`` gives it, cannot be told apart and leads to worse points.
            boxes: tight boxes ``[x0, y0, x1, y1]``, enlarged by the model's crop factor;
                ``None`` takes the whole picture, padded to a square, not enlarged, and closes in on the points.

        Raises:
            CUNetError: not a picture, or not a box in it; says which and what to do.
        """
        if len(pictures) != len(boxes):
            raise CUNetError(
                f"{len(pictures)} pictures and {len(boxes)} boxes: give one box, or None, for each picture."
            )
        images = [as_picture(picture) for picture in pictures]
        views = [self._given(image, box) for image, box in zip(images, boxes, strict=True)]
        return self._found(images, views)

    def locate_all(self, picture: object, detector: Detector | str = "auto") -> list[Landmarks]:
        """Landmarks of every object that a detector sees, the surest first; an empty list where it sees none.

        Args:
            picture: see :meth:`locate_batch`.
            detector: see :func:`cunet_tf.detector.load_detector`.

        Raises:
            CUNetError: not a picture, or no detector for this model.
        """
        image = as_picture(picture)
        views = self.views(image, load_detector(detector) if isinstance(detector, str) else detector)
        return _once_each(self._found([image] * len(views), views))

    def views(self, image: Picture, detector: Detector) -> list[View]:
        """Where a detector sees objects in an RGB ``uint8 [H, W, 3]`` picture, in boxes as the model wants them."""
        boxes = map(self.box_map(detector), detector(image))
        return [View(each.box, self.spec.crop_factor, "detector", each.roll) for each in boxes]

    def heatmaps(self, crops: Batch) -> HeatMaps:
        """Heat maps ``[B, h, w, C]`` of crops ``[B, H, W, 3]`` in 0..1, with the flip test."""
        maps = self.engine(crops)
        if not np.isfinite(maps).all():
            raise CUNetError(f"model {self.spec.name} returned NaN: the file is damaged, export it again.")
        if not self.flip_test:
            return maps
        mirrored = self.engine(np.ascontiguousarray(crops[:, :, ::-1]))
        return (maps + mirrored[:, :, ::-1][..., self.spec.skeleton.flip_permutation]) / 2.0

    def _given(self, image: Picture, box: BoxLike | None) -> View:
        height, width = image.shape[:2]
        if box is None:
            return View(whole_picture(width, height), 1.0, "whole picture")
        return View(check_box(box, width, height), self.spec.crop_factor, "given")

    def box_map(self, detector: Detector) -> Callable[[Detection], Detection]:
        """From a detector's boxes to those that the model was trained with.

        Raises:
            CUNetError: the model's description does not say how, or this detector finds something else.
        """
        known = self.spec.detector
        if known is None:
            raise CUNetError(
                f"model {self.spec.name} does not know how its boxes lie in a detector's: give boxes, or measure "
                "it with python -m cunet_tf.trainers.study.describe."
            )
        if known.name == detector.name:
            return known
        if {known.name, detector.name} <= FACE_DETECTORS:
            return BoxMap(detector.name)  # its boxes are tight, more or less; the second look mends the rest
        raise CUNetError(f"model {self.spec.name} takes boxes of {known.name}, this detector is {detector.name}.")

    def _found(self, images: list[Picture], views: list[View]) -> list[Landmarks]:
        """Look, close in as often as the origin of each box asks for, and judge."""
        looks = self.look(images, views)
        before: list[Look | None] = [None] * len(looks)
        for turn in range(max(CLOSING.values())):
            again = [
                i for i, view in enumerate(views) if turn < CLOSING[view.box_from] and _has_extent(looks[i].points)
            ]
            closer = [self.closer(looks[i].points, views[i]) for i in again]
            for i, look in zip(again, self.look([images[i] for i in again], closer), strict=True):
                before[i], looks[i] = looks[i], look
        return [self._judged(*each) for each in zip(views, looks, before, strict=True)]

    def look(self, images: list[Picture], views: list[View]) -> list[Look]:
        """Look once at each picture ``uint8 [H, W, 3]``."""
        if not images:
            return []
        matrices, maps = self._seen(images, views)
        if self.crops == 2:
            turned = [replace(view, roll=view.roll + TURN) for view in views]
            maps = mean_of_crops(maps, self._seen(images, turned)[1])
        inner, scores = decode(maps, self.decoder, self.spec.sigma)
        return [
            Look(heat, points, apply(invert(matrix), from_heatmap(points)), score, matrix)
            for heat, points, score, matrix in zip(maps, inner, scores, matrices, strict=True)
        ]

    def _seen(self, images: list[Picture], views: list[View]) -> tuple[list[np.ndarray], np.ndarray]:
        """Matrices from pictures to crops, and the crops' heat maps ``[B, h, w, C]``."""
        size = self.spec.input_size
        matrices = [crop_matrix(view.box, view.factor, size, rotation=view.roll) for view in views]
        crops = [warp(image, matrix, size) for image, matrix in zip(images, matrices, strict=True)]
        return matrices, self.heatmaps(np.stack(crops).astype(np.float32) / 255.0)

    def closer(self, points: Points, view: View) -> View:
        """The view in the tight box of the points, turned upright by them where the model knows its mean shape."""
        known = self.spec.confidence
        roll = align(points, known.shape.mean)[2] if known else 0.0
        turn = crop_matrix([-0.5, -0.5, 0.5, 0.5], 1.0, 1, rotation=roll)
        low, high = np.split(tight_box(apply(turn, points)), 2)
        centre, half = apply(invert(turn), (low + high) / 2.0), (high - low) / 2.0
        return View(np.concatenate([centre - half, centre + half]), self.spec.crop_factor, view.box_from, roll)

    def _judged(self, view: View, look: Look, before: Look | None) -> Landmarks:
        known, sure, visible = self.spec.confidence, None, None
        if known:
            sure = known(known.features(look.maps, look.inner, look.scores, seen_before(look, before)))
            visible = look.scores >= known.visible
        found = sure is None or sure >= self.min_confidence
        if visible is not None and not found:
            visible = np.zeros_like(visible)
        return Landmarks(look.points, look.scores, view.box, view.box_from, sure, found, visible, self.spec.skeleton)


def seen_before(look: Look, before: Look | None) -> np.ndarray | None:
    """Points ``[C, 2]`` of the look before in the heat-map pixels of this one."""
    return None if before is None else to_heatmap(apply(look.to_crop, before.points))


def _has_extent(points: Points) -> bool:
    return bool(np.ptp(points, axis=0).max() >= SMALLEST)


def _once_each(found: list[Landmarks]) -> list[Landmarks]:
    """Results of different objects, the surest first: two boxes may have closed in on the same one."""
    kept: list[Landmarks] = []
    for each in sorted(found, key=lambda each: -(each.scores.mean() if each.confidence is None else each.confidence)):
        others = np.array([tight_box(other.points) for other in kept]).reshape(-1, 4)
        if not (overlap(tight_box(each.points), others) > TWICE).any():
            kept.append(each)
    return kept
