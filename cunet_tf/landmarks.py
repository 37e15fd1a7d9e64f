"""What was found: the landmarks of one object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cunet_tf.aliases import Box, Mask, Picture, Points
from cunet_tf.draw import draw_on, enlarged
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton


@dataclass(frozen=True, eq=False, repr=False)
class Landmarks:
    """Landmarks of one object.

    Attributes:
        points: float64 ``[C, 2]``, (x, y) in the picture's pixels, centres on integers.
        scores: float32 ``[C]``, 0..1, heights of the heat-map peaks.
        box: ``[x0, y0, x1, y1]``, what was searched before enlargement.
        box_from: whose box that is: ``"given"``, ``"detector"`` or ``"whole picture"``.
        confidence: 0..1 by the model's own measure; ``None`` where it has none.
        found: the confidence reaches the threshold; true without a confidence.
        visible: bool ``[C]``, single points that are sure; ``None`` where the model cannot tell.
        skeleton: names and edges of the points, where known.
    """

    points: Points
    scores: np.ndarray
    box: Box
    box_from: str = "given"
    confidence: float | None = None
    found: bool = True
    visible: Mask | None = None
    skeleton: Skeleton | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the points, in order; empty where the skeleton is not known."""
        return self.skeleton.names if self.skeleton else ()

    def to_dict(self) -> dict[str, Any]:
        """As in the JSON of ``cunet predict``: ``box, box_from, landmarks, scores, visible, confidence, found``."""
        visible = np.full(len(self.points), self.found) if self.visible is None else self.visible
        return {
            "box": [round(float(value), 3) for value in self.box], "box_from": self.box_from,
            "landmarks": np.round(self.points, 4).tolist(),
            "scores": np.round(self.scores.astype(float), 4).tolist(), "visible": visible.tolist(),
            "confidence": None if self.confidence is None else round(self.confidence, 4), "found": self.found,
        }  # fmt: skip

    def draw(self, picture: Picture) -> Picture:
        """A copy of an RGB ``uint8 [H, W, 3]`` picture with this object, see :func:`draw_objects`."""
        return draw_objects(picture, [self])

    def __repr__(self) -> str:
        box = ", ".join(f"{value:.0f}" for value in self.box)
        kind = self.skeleton.name if self.skeleton else "points"
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        return f"<Landmarks: {len(self.points)} {kind} in box [{box}] ({self.box_from}), found {self.found}{sure}>"


def draw_objects(picture: Picture, objects: Sequence[Landmarks]) -> Picture:
    """A copy of a picture with edges, points and boxes of objects; grey where nothing was found.

    Args:
        picture: RGB ``uint8 [H, W, 3]``; small ones are enlarged to be legible.
        objects: in its pixels.

    Raises:
        CUNetError: the skeleton of one is not known.
    """
    canvas, zoom = enlarged(picture)
    for each in objects:
        if each.skeleton is None:
            raise CUNetError("these landmarks have no skeleton to draw: use those that a Localizer returned.")
        draw_on(canvas, zoom, each.points, each.skeleton, box=each.box, found=each.found)
    return canvas
