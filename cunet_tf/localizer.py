"""Pictures in, landmarks out: crop, network, decoder, and back to the picture's pixels."""

from dataclasses import dataclass

import numpy as np

from cunet_tf.data.geometry import apply, crop_matrix, from_heatmap, invert, warp, whole_picture
from cunet_tf.engines import Engine, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import decode
from cunet_tf.spec import ModelSpec


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Landmarks of one object.

    Attributes:
        points: float64 ``[C, 2]``, (x, y) in the picture's pixels, centres on integers.
        scores: float32 ``[C]``, 0..1, heights of the heat-map peaks.
        box: ``[x0, y0, x1, y1]``, what was searched before enlargement.
    """

    points: np.ndarray
    scores: np.ndarray
    box: np.ndarray


class Localizer:
    """Finds landmarks with a trained network; one object may serve many threads.

    Args:
        engine: see :func:`cunet_tf.engines.load_engine`.
        spec: description of the network, where the model file has none.
        decoder: ``"dark"``, ``"quarter"`` or ``"argmax"``; the description's when ``None``.
        flip_test: average with the un-flipped heat maps of the mirror image.

    Example:
        >>> localizer = Localizer.load("face-mobile")      # doctest: +SKIP
        >>> localizer.locate(image, box=(40, 50, 180, 200)).points.shape  # doctest: +SKIP
        (68, 2)
    """

    def __init__(
        self, engine: Engine, spec: ModelSpec | None = None,
        decoder: str | None = None, flip_test: bool = False,
    ):  # fmt: skip
        found = spec or engine.spec
        if found is None:
            raise CUNetError("the model file carries no description: name its --preset.")
        self.engine, self.spec = engine, found
        self.decoder = decoder or found.decoder
        self.flip_test = flip_test

    @classmethod
    def load(cls, model: str, **options) -> "Localizer":
        """A localizer for a model file, or for a shipped name such as ``face-mobile``."""
        return cls(load_engine(model), **options)

    def locate(self, image: np.ndarray, box: np.ndarray | None = None) -> Landmarks:
        """Landmarks of one object in one picture; see :meth:`locate_batch`."""
        return self.locate_batch([image], [box])[0]

    def locate_batch(self, images: list[np.ndarray], boxes: list[np.ndarray | None]) -> list[Landmarks]:
        """Landmarks of one object in each picture.

        Args:
            images: RGB ``uint8 [H, W, 3]``, any sizes.
            boxes: tight boxes ``[x0, y0, x1, y1]``, enlarged by the model's crop factor;
                ``None`` takes the whole picture, padded to a square, not enlarged.
        """
        places = [self._place(image, box) for image, box in zip(images, boxes, strict=True)]
        size = self.spec.input_size
        crops = [warp(image, matrix, size) for image, (_, matrix) in zip(images, places, strict=True)]
        maps = self.heatmaps(np.stack(crops).astype(np.float32) / 255.0)
        points, scores = decode(maps, self.decoder, self.spec.sigma)
        return [
            Landmarks(apply(invert(matrix), from_heatmap(point)), score, box)
            for point, score, (box, matrix) in zip(points, scores, places, strict=True)
        ]

    def heatmaps(self, crops: np.ndarray) -> np.ndarray:
        """Heat maps ``[B, h, w, C]`` of crops ``[B, H, W, 3]`` in 0..1, with the flip test."""
        maps = self.engine(crops)
        if not np.isfinite(maps).all():
            raise CUNetError(f"model {self.spec.name} returned NaN: the file is damaged, export it again.")
        if not self.flip_test:
            return maps
        mirrored = self.engine(np.ascontiguousarray(crops[:, :, ::-1]))
        return (maps + mirrored[:, :, ::-1][..., self.spec.skeleton.flip_permutation]) / 2.0

    def _place(self, image: np.ndarray, box: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The box and the matrix picture -> crop."""
        height, width = image.shape[:2]
        if box is None:
            whole = whole_picture(width, height)
            return whole, crop_matrix(whole, 1.0, self.spec.input_size)
        return np.asarray(box, np.float64), crop_matrix(box, self.spec.crop_factor, self.spec.input_size)
