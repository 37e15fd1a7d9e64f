"""How much of a picture around its box is seen, and whether records hold that much."""

import math
import sys
from typing import TYPE_CHECKING

from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError

if TYPE_CHECKING:
    from cunet_tf.data.augment import Augmentation

TINY = 1e-6  # sides of the box


def turned(degrees: float) -> float:
    """Side of the upright square around one of side 1 that is turned by up to so many degrees either way."""
    angle = math.radians(min(abs(degrees), 45.0))
    return math.cos(angle) + math.sin(angle)


def reach(views: "Augmentation") -> float:
    """Side of the square around the box's centre that holds every view, in sides of the plain crop.

    A view shows ``1 / scale`` crops; shifted by a share ``s`` of itself either way it needs ``1 + 2 s`` of that, and
    turned by an angle ``a`` at most ``cos a + sin a`` times as much, which is largest at 45 degrees.
    """
    most = 2.0 * views.rotation if views.rotation_normal else views.rotation  # a normal draw is cut at two sigma
    return turned(180.0 if views.full_turns else most) * (1.0 + 2.0 * views.shift) / views.scale[0]


def require_reach(source: Source, need: float, what: str) -> None:
    """Refuse views of records that would look beyond what these hold, where pictures are black.

    Args:
        source: with or without records.
        need: side of the square that is seen around a box's centre, in longer sides of the box.
        what: sees it, for the message.

    Raises:
        CUNetError: the records hold less.
    """
    if source.reach is not None and need > source.reach + TINY:
        raise CUNetError(
            f"data {source.name}, split {source.split}: {what} may see {need:.4g} sides of the box, and the records "
            f"hold {source.reach:.4g}: pack again with --margin={math.ceil(100 * need) / 100:g}, or narrow --scale, "
            "--rotation and --shift."
        )


def say_reduced(source: Source, detail: float) -> None:
    """A line on stderr where records were reduced below what a network resolves.

    Args:
        source: with or without records.
        detail: pixels of the network's input that the longer side of a box fills.
    """
    if source.detail is not None and detail > source.detail * (1.0 + TINY):
        print(
            f"notice: the records of {source.split} were reduced to {source.detail:.0f} pixels for a box, and "
            f"{detail:.0f} are wanted: pack again with a larger --size for sharper pictures.",
            file=sys.stderr,
        )
