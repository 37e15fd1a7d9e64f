"""Supervision: how landmarks become the heat maps that a network learns, and heat maps landmarks again.

A codec is one kind of it (paper, section 3.4 and Table 6): targets, loss, size and decoder that belong together.
Names (``--targets=disk,gaussian``) are for the edges of the program; inside, codecs are handed on.
"""

import abc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.heatmaps import decode, disk_maps, gaussian_maps, reference_maps
from cunet_tf.spec import ModelSpec

if TYPE_CHECKING:
    import keras


class Codec(abc.ABC):
    """One kind of supervision.

    Attributes:
        name: at the edges, also ``str(codec)``.
        measure: what :attr:`size` is.
        decoders: that read its heat maps, see :func:`cunet_tf.heatmaps.decode`; the first by default.
        size: of what is drawn, in heat-map pixels.
        foreground: w, pixels weigh ``1 + w * target`` in the loss.
    """

    name: ClassVar[str]
    measure: ClassVar[str]
    decoders: ClassVar[tuple[str, ...]]
    foreground: float

    def __str__(self) -> str:
        return self.name

    @property
    @abc.abstractmethod
    def size(self) -> float:
        """Of what is drawn, in heat-map pixels."""

    @abc.abstractmethod
    def encode(self, points: Tensor, side: int) -> Tensor:
        """Points ``[B, C, >=2]`` in heat-map pixels -> targets ``[B, side, side, C]``, on the device that trains."""

    @abc.abstractmethod
    def loss(self) -> "keras.losses.Loss":
        """The loss of ``y_pred``, heat maps ``[B, h, w, C]``, to ``y_true``, points and mask ``[B, C, 3]``."""

    def decode(self, heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points float64 ``[B, C, 2]`` in heat-map pixels and scores ``[B, C]`` of a network's ``[B, h, w, C]``."""
        return decode(heatmaps, self.decoders[0], self.size)


@dataclass(frozen=True)
class GaussianCodec(Codec):
    """Regression to Gaussians of peak 1 at sub-pixel centres.

    Attributes:
        sigma: standard deviation in heat-map pixels.
        foreground: w, pixels weigh ``1 + w * target`` in the loss, see :class:`cunet_tf.losses.HeatmapLoss`.
        teacher: share of a teacher's map in the target, where there is a teacher; see the same.
        coordinates: weight of the error of the decoded points, see :class:`cunet_tf.losses.CoordinateLoss`.
        along, neighbours: weight of its component along contours, and what lies on them; see there.
        tolerance, permutation: where a teacher contradicts the sides of a label, and what a mirror image swaps; see
            :class:`cunet_tf.side_tolerance.SideTolerantLoss`.
    """

    name: ClassVar[str] = "gaussian"
    measure: ClassVar[str] = "sigma"
    decoders: ClassVar[tuple[str, ...]] = ("dark", "quarter", "argmax")
    sigma: float = 1.2
    foreground: float = 0.0
    teacher: float = 0.0
    coordinates: float = 0.0
    along: float = 1.0
    neighbours: tuple[tuple[int, int], ...] = ()
    tolerance: float = 0.0
    permutation: tuple[int, ...] = ()

    @property
    def size(self) -> float:
        """``sigma``."""
        return self.sigma

    def encode(self, points: Tensor, side: int) -> Tensor:
        """See :func:`cunet_tf.heatmaps.gaussian_maps`."""
        return gaussian_maps(points, self.sigma, side)

    def loss(self) -> "keras.losses.Loss":
        """Squared error, and the error of the decoded points where it has a weight."""
        from cunet_tf.losses import CoordinateLoss, HeatmapLoss, LossSum

        maps = HeatmapLoss(self.sigma, foreground=self.foreground, teacher=self.teacher)
        if not self.coordinates:
            return self._tolerant(maps)
        points = CoordinateLoss(self.sigma, self.coordinates, self.along, self.neighbours)
        return self._tolerant(LossSum([maps, points]))

    def _tolerant(self, loss: "keras.losses.Loss") -> "keras.losses.Loss":
        from cunet_tf.side_tolerance import SideTolerantLoss

        return SideTolerantLoss(loss, self.permutation, self.tolerance) if self.tolerance else loss

    @property
    def terms(self) -> dict[str, Any]:
        """What its loss is made of, as plain JSON values; the teacher belongs to the run."""
        on_contour = [own for own, pair in enumerate(self.neighbours) if set(pair) != {own}]
        return {"foreground": self.foreground, "coordinate_loss": self.coordinates, "contour_along": self.along,
                "contours": on_contour, "side_tolerance": self.tolerance}  # fmt: skip


@dataclass(frozen=True)
class ReferenceCodec(GaussianCodec):
    """Regression to the maps of the published reference: whole-pixel centres, a 7x7 box.

    Raises:
        CUNetError: the decoded points have a weight.
    """

    name: ClassVar[str] = "reference"

    def __post_init__(self) -> None:
        if self.coordinates:
            raise CUNetError(
                "--coordinate_loss: the maps of --targets=reference have whole-pixel centres, and decoded points would "
                "be drawn away from them: take --targets=gaussian, or drop it."
            )

    def encode(self, points: Tensor, side: int) -> Tensor:
        """See :func:`cunet_tf.heatmaps.reference_maps`."""
        return reference_maps(points, self.sigma, side)

    def loss(self) -> "keras.losses.Loss":
        """Squared error."""
        from cunet_tf.losses import HeatmapLoss

        maps = HeatmapLoss(self.sigma, reference=True, foreground=self.foreground, teacher=self.teacher)
        return self._tolerant(maps)


@dataclass(frozen=True)
class DiskCodec(Codec):
    """Detection: disks of ones, which the network tells from the rest by logits.

    Attributes:
        radius: in heat-map pixels; the default is ours, the paper names none.
        foreground: w, pixels weigh ``1 + w * target`` in the loss, see :class:`cunet_tf.losses.DetectionLoss`.
    """

    name: ClassVar[str] = "disk"
    measure: ClassVar[str] = "radius"
    decoders: ClassVar[tuple[str, ...]] = ("plateau",)
    radius: float = 2.0
    foreground: float = 4.0

    @property
    def size(self) -> float:
        """``radius``."""
        return self.radius

    def encode(self, points: Tensor, side: int) -> Tensor:
        """See :func:`cunet_tf.heatmaps.disk_maps`; the network's own maps are logits of these."""
        return disk_maps(points, self.radius, side)

    def loss(self) -> "keras.losses.Loss":
        """Cross entropy with logits."""
        from cunet_tf.losses import DetectionLoss

        return DetectionLoss(self.radius, 1.0 + self.foreground)


CODECS: dict[str, Any] = {kind.name: kind for kind in (GaussianCodec, ReferenceCodec, DiskCodec)}


def parse_codecs(names: str, size: float | None = None, like: Codec | None = None) -> tuple[Codec, ...]:
    """Codecs of one name, or of one for each pass with a comma between.

    ``"disk,gaussian"`` is detection, then regression (paper, Table 6).

    Args:
        names: of ``"gaussian"``, ``"reference"`` and ``"disk"``.
        size: of the last one, and of those before it with the same measure; others take their default.
        like: whose size is taken where none is given, if it has the last one's measure.

    Raises:
        CUNetError: unknown name.
    """
    for name in names.split(","):
        if name not in CODECS:
            raise CUNetError(f"--targets={names}: {did_you_mean(name, CODECS)}")
    kinds = [CODECS[name] for name in names.split(",")]
    last = kinds[-1]
    if size is None:
        size = like.size if like is not None and like.measure == last.measure else last().size
    return tuple(kind(size) if kind.measure == last.measure else kind() for kind in kinds)


def codec_names(codecs: Sequence[Codec]) -> str:
    """Inverse of :func:`parse_codecs`, but for the sizes."""
    return ",".join(str(codec) for codec in codecs)


def with_terms(codecs: Sequence[Codec], flag: str, **terms: Any) -> tuple[Codec, ...]:
    """The same supervision with other terms in the loss of what regresses.

    Args:
        codecs: of all passes.
        flag: that asks for it, for the message.
        terms: fields of :class:`GaussianCodec`.

    Raises:
        CUNetError: nothing regresses: a detector's maps are logits of disks, with a weight of their own.
    """
    if not any(isinstance(codec, GaussianCodec) for codec in codecs):
        raise CUNetError(
            f"{flag}: --targets={codec_names(codecs)} regresses to no heat maps: take --targets=gaussian, or drop it."
        )
    return tuple(replace(codec, **terms) if isinstance(codec, GaussianCodec) else codec for codec in codecs)


def with_foreground(codecs: Sequence[Codec], weight: float) -> tuple[Codec, ...]:
    """The same supervision, whose losses weigh the pixels of what is drawn ``1 + weight``."""
    return tuple(replace(cast(Any, codec), foreground=weight) for codec in codecs)


def regression_of(codecs: Sequence[Codec]) -> GaussianCodec:
    """The last one that regresses; where none does, one whose loss has no further terms."""
    return next((codec for codec in reversed(codecs) if isinstance(codec, GaussianCodec)), GaussianCodec())


def codecs_of_heads(codecs: Sequence[Codec], config: NetworkConfig) -> list[Codec]:
    """One codec for each head of a network.

    Args:
        codecs: one, or one for each pass.
        config: of the network.

    Raises:
        CUNetError: another number of codecs than the network has passes.
    """
    passes = config.passes
    if len(codecs) not in (1, passes):
        names = codec_names(codecs)
        raise CUNetError(f"--targets={names}: give one name, or one for each pass of the network ({passes}).")
    each = list(codecs) * (passes if len(codecs) == 1 else 1)
    return [codec for codec in each for _ in range(len(config.head_names) // passes)]


def codec_of(spec: ModelSpec) -> Codec:
    """The supervision that a model file tells of by its decoder and sigma; the reference's reads as Gaussian."""
    return DiskCodec(spec.sigma) if spec.decoder in DiskCodec.decoders else GaussianCodec(spec.sigma)
