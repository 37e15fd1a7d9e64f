"""What a training is supervised by, beside its recipe: options of ``cunet train`` and of ``cu.train``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cunet_tf.codec import Codec, codec_names, parse_codecs, with_foreground, with_terms
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton


@dataclass(frozen=True)
class Supervision:
    """Changes to a recipe's codecs; the defaults change nothing.

    Attributes:
        targets: ``gaussian``, ``reference`` (the published code's maps) or ``disk`` (detection); one for each pass,
            with commas: ``disk,gaussian``.
        sigma: of the Gaussians, or radius of the disks, in heat-map pixels.
        foreground: w, pixels weigh 1 + w * target in the loss.
        coordinate_loss: weight of the smooth L1 of the decoded points, in heat-map pixels.
        contour_along: weight in it of the error along a contour; that across it counts whole.
        contours: groups of landmarks that are contours.
        side_tolerance: where the label with left and right swapped is nearer to the teacher's points than this share of
            its own distance, the smaller loss of both counts.
    """

    targets: str | None = None
    sigma: float | None = None
    foreground: float | None = None
    coordinate_loss: float = 0.0
    contour_along: float = 1.0
    contours: Sequence[str] = ("jaw",)
    side_tolerance: float = 0.0

    def change(self, codecs: tuple[Codec, ...], skeleton: Skeleton) -> tuple[Codec, ...]:
        """A recipe's codecs with these changes, for these landmarks.

        Raises:
            CUNetError: unknown kind of targets, terms of a loss that it does not have, contours that are none, or no
                sides.
        """
        if self.targets or self.sigma:
            codecs = parse_codecs(self.targets or codec_names(codecs), self.sigma, like=codecs[-1])
        if self.foreground is not None:
            codecs = with_foreground(codecs, self.foreground)
        if self.contour_along != 1.0 and not self.coordinate_loss:
            raise CUNetError(f"--contour_along={self.contour_along:g} needs --coordinate_loss, which it is a part of.")
        if self.coordinate_loss:
            flag = f"--coordinate_loss={self.coordinate_loss:g}"
            codecs = with_terms(codecs, flag, coordinates=self.coordinate_loss, **self._contours(skeleton))
        if self.side_tolerance:
            flag = f"--side_tolerance={self.side_tolerance:g}"
            codecs = with_terms(codecs, flag, tolerance=self.side_tolerance, permutation=partners(flag, skeleton))
        return codecs

    def _contours(self, skeleton: Skeleton) -> dict[str, Any]:
        """Fields of a codec that weigh errors along contours."""
        if self.contour_along == 1.0:
            return {}
        try:
            neighbours = skeleton.contour_neighbours(list(self.contours))
        except CUNetError as error:
            raise CUNetError(f"--contour_along={self.contour_along:g} --contours: {error}") from None
        return {"along": self.contour_along, "neighbours": neighbours}


def partners(flag: str, skeleton: Skeleton) -> tuple[int, ...]:
    """What a mirror image swaps, for a flag that is about nothing else.

    Raises:
        CUNetError: nobody knows, or nothing.
    """
    skeleton.require_pairs(flag)
    if not skeleton.flip_pairs:
        raise CUNetError(f"{flag}: no landmark of {skeleton.name} has a partner on the other side: drop it.")
    return tuple(int(index) for index in skeleton.flip_permutation)
