"""The architecture of a network as numbers: what all have in common, and CU-Net's (paper, sections 3.2, 3.3, 4.1).

The baselines that the paper compares with are in :mod:`cunet_tf.config_baselines`.
"""

import abc
import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from cunet_tf.errors import CUNetError, did_you_mean

STRIDE = 4  # input pixels for one heat-map pixel: stem convolution 2, max-pooling 2

NORM_FIRST, CONV_FIRST = NORM_ORDERS = ("norm_first", "conv_first")

MOST, MOST_REPEATED, MOST_POOLINGS = 65_536, 256, 12  # channels and pixels; U-Nets; the largest papers have 16 of them


class NetworkConfig(abc.ABC):
    """Shape of a network. The subclasses are frozen dataclasses; derive variants with :meth:`replace`.

    Attributes:
        architecture: its name in model files.
        title: its name in messages.
        unit: of a stack; starts the names of its layers.
        quantizable: whether its convolutions take quantizers.
        landmarks: C, heat maps of each head.
        input_size: side of the square input in pixels.
        gamma_init: of batch normalisations, ``"ones"`` or ``"uniform"``.
    """

    architecture: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "unet"
    quantizable: ClassVar[bool] = True
    landmarks: int
    input_size: int
    gamma_init: str
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]  # of the subclasses

    def _check(self, repeated: str, counts: tuple[str, ...], poolings: str) -> None:
        """Refuse counts below 1 or beyond reason, an unknown gamma, and a side that does not survive the poolings."""
        self._check_int(repeated, 1, most=MOST_REPEATED)
        self._check_int(poolings, 1, most=MOST_POOLINGS)
        for name in (*counts, "landmarks", "input_size"):
            self._check_int(name, 1)
        depth = getattr(self, poolings)
        unit = STRIDE * 2**depth
        if self.input_size % unit:
            low = max(self.input_size // unit, 1) * unit
            raise CUNetError(
                f"input_size={self.input_size} must be divisible by 4*2^{poolings} = {unit}: "
                f"use {low} or {low + unit}, or a smaller {poolings} ({poolings}={depth} now)."
            )
        if self.gamma_init not in ("ones", "uniform"):
            raise CUNetError(f"gamma_init={self.gamma_init!r}: use 'ones' or 'uniform'.")

    def _check_int(self, name: str, low: int, hint: str = "", most: int = MOST) -> None:
        value = getattr(self, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < low:
            tail = f" ({hint})" if hint else ""
            raise CUNetError(f"{name}={repr(value)[:100]}: give an integer of {low} or more{tail}.")
        if value > most:
            raise CUNetError(f"{name} is more than {most:,}: give less.")

    @property
    @abc.abstractmethod
    def supervised(self) -> tuple[int, ...]:
        """0-based indices of the units that carry a head, the last one always among them."""

    @property
    def passes(self) -> int:
        """How often the units run."""
        return 1

    @property
    def heatmap_size(self) -> int:
        """Side of the square heat maps in pixels, input_size / 4."""
        return self.input_size // STRIDE

    @property
    def head_names(self) -> tuple[str, ...]:
        """Names of the output layers, earliest first; the last one makes the prediction."""
        return tuple(self.head_name(index) for index in self.supervised)

    def head_name(self, index: int) -> str:
        """Name of the head of the unit with this 0-based index."""
        return f"{self.unit}{index}_head"

    @classmethod
    def field_names(cls) -> list[str]:
        """What can be chosen, in the order of the constructor."""
        return [field.name for field in dataclasses.fields(cls)]

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed.

        Raises:
            CUNetError: an unknown name, or a value out of range.
        """
        for name in changes:
            if name not in self.field_names():
                raise CUNetError(f"unknown option {name!r}. {did_you_mean(name, self.field_names())}")
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """All fields and the architecture as plain JSON values."""
        return {"architecture": self.architecture, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class CUNetConfig(NetworkConfig):
    """Shape of a CU-Net.

    Attributes:
        stacks: N, number of U-Nets.
        order: K, how many previous U-Nets each block reads. 0 is a plain stack,
            N-1 is fully dense (the paper's text has the two swapped). Values above
            N-1 are clamped, see :attr:`effective_order`.
        main_channels: m, channels of the main flow.
        growth: n, new features each semantic block hands to later U-Nets.
        landmarks: C, heat maps of each head.
        supervisions: S, number of supervised U-Nets; ``None`` supervises all N.
        levels: poolings inside one U-Net (4 in the paper).
        input_size: side of the square input in pixels, divisible by 4 * 2**levels.
        gamma_init: ``"ones"`` or ``"uniform"`` (the reference draws gamma from U(0, 1)).
        refinement: g, new channels of each convolution between two passes (section 3.4; the
            paper's parameter count needs 16); 0 for a single pass.
        norm_order: ``"norm_first"``, BN-ReLU-conv everywhere, as the paper's Fig. 4 has it, or ``"conv_first"``,
            conv-BN-ReLU with bare 1x1 convolutions as heads: another network, faster on a phone, as every
            normalisation becomes a part of its convolution.

    Raises:
        CUNetError: when a field is out of range; the message says what to change.
    """

    architecture: ClassVar[str] = "cunet"
    title: ClassVar[str] = "CU-Net"
    stacks: int = 2
    order: int = 1
    main_channels: int = 128
    growth: int = 32
    landmarks: int = 16
    supervisions: int | None = None
    levels: int = 4
    input_size: int = 256
    gamma_init: str = "ones"
    refinement: int = 0
    norm_order: str = NORM_FIRST

    def __post_init__(self) -> None:
        self._check("stacks", ("main_channels", "growth"), "levels")
        if self.norm_order not in NORM_ORDERS:
            raise CUNetError(f"norm_order={repr(self.norm_order)[:100]}: use one of {', '.join(NORM_ORDERS)}.")
        self._check_int("refinement", 0, "new channels between two passes; 0 is a single pass")
        self._check_int("order", 0, "0 is a plain stack, N-1 fully dense")
        if self.supervisions is not None:
            self._check_int("supervisions", 1)
            if self.supervisions > self.stacks:
                raise CUNetError(
                    f"supervisions={self.supervisions} exceeds stacks={self.stacks}: "
                    f"a U-Net has one head at most; use 1..{self.stacks}."
                )

    def to_dict(self) -> dict[str, Any]:
        """As of every network; the usual order is left out, so that files read alike before it was a choice."""
        fields = super().to_dict()
        return fields if self.conv_first else {name: fields[name] for name in fields if name != "norm_order"}

    @property
    def conv_first(self) -> bool:
        """Whether a convolution stands before its normalisation."""
        return self.norm_order == CONV_FIRST

    @property
    def effective_order(self) -> int:
        """K after clamping to N-1."""
        return min(self.order, self.stacks - 1)

    @property
    def supervised(self) -> tuple[int, ...]:
        """0-based indices of the U-Nets that carry a head, the last one always among them."""
        count = self.supervisions or self.stacks
        return tuple(math.floor(self.stacks / count * j + 0.5) - 1 for j in range(1, count + 1))

    @property
    def passes(self) -> int:
        """How often the U-Nets run: 2 with refinement."""
        return 2 if self.refinement else 1

    @property
    def head_names(self) -> tuple[str, ...]:
        """Names of the output layers: those of pass 1, then those of pass 2."""
        first = super().head_names
        return first + tuple(f"pass2_{name}" for name in first) if self.refinement else first

    def coupled(self, index: int) -> int:
        """c_i = min(i, K): previous U-Nets that U-Net ``index`` (0-based) reads."""
        return min(index, self.effective_order)
