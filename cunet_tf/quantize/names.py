"""Quantizations by the paper's names, ``BW``, ``TW-a``, ``BW-a-QIG(818)``, and k-bit kernels beside them, ``W4``."""

import fnmatch
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.quantize.bits import KERNEL_BITS, MAX_BITS, MIN_BITS, limits

FLOAT = "float"
FLOAT_LAYERS = ("stem", "*_head")  # the paper's "first and last"; by name, never by index
UNIFORM = {f"W{bits}": bits for bits in KERNEL_BITS}
WEIGHT_BITS = {"BW": 1, "TW": 2, "FW": 32, **UNIFORM}
EXAMPLES = "float, BW, BW-a, TW, TW-a, BW-QIG(818), BW-a-QIG(616), TW-QIG(626), W4, W4-QIG(848)"
NAME = re.compile(r"(BW|TW|FW|W\d+)(-a)?(?:-(?:QIG|QFG)\(([\d,]+)\))?")


@dataclass(frozen=True)
class QuantConfig:
    """What is quantized, and how. ``str(config)`` and :meth:`parse` are inverse.

    A name may be followed by switches, separated by ``+``: ``BW-a-QIG(818)+narrow+signed=1``.

    Attributes:
        weights: kernels of the inner convolutions: ``"BW"`` binary, ``"TW"`` ternary, ``"FW"`` float, ``"W2"`` to
            ``"W8"`` symmetric integers with a step for each filter (not of the paper).
        alpha: one scale for each filter (``-a``).
        features: bits of features, ``None`` for float ones.
        gradients: bits of the features' gradients, 32 for float ones.
        signed: r of the signed grid (convolution outputs that are concatenated), a power of two.
            The peaks that become heat maps exceed the rest of their tensor many times, and
            cutting them costs far more than coarse steps do, see docs/quantization.md.
        unsigned: r of the unsigned grid (after BN and ReLU), a power of two.
        narrow: eq. 7 to the letter, without the lowest integer.
        centered: kernels are mean-centred over the input channels first.
        nearest: gradients are rounded to the nearest step instead of stochastically.
        weight_gradients: bits of the kernels' own gradients (stochastic); 0 leaves them in float.
        bound: of the masters' mean, in units of a fresh kernel's; 0 for none, see
            :class:`~cunet_tf.quantize.quantizers.ClipMaster`.
        float_layers: patterns of layer paths that stay in float, beside stem and heads.

    Raises:
        CUNetError: a value out of range.
    """

    weights: str = "FW"
    alpha: bool = False
    features: int | None = None
    gradients: int | None = None
    signed: float = 16.0
    unsigned: float = 16.0
    narrow: bool = False
    centered: bool = False
    nearest: bool = False
    weight_gradients: int = 0
    bound: float = 1.0
    float_layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.weights not in WEIGHT_BITS:
            raise CUNetError(f"quantization {self.weights!r}: use one of {', '.join(WEIGHT_BITS)}.")
        if self.alpha and self.weights not in ("BW", "TW"):
            raise CUNetError(f"{self.weights} has no alpha, which binary and ternary kernels have: leave out -a.")
        if (self.features is None) != (self.gradients is None):
            raise CUNetError("give bits of features and of gradients (32 for float gradients), or neither.")
        for name in ("features", "gradients", "weight_gradients"):
            bits = getattr(self, name)
            allowed = (None,) if name == "features" else (None, 32) if name == "gradients" else (0,)
            if bits not in allowed and not MIN_BITS <= bits <= MAX_BITS:
                raise CUNetError(f"{bits} bits for {name}: use {MIN_BITS} to {MAX_BITS}.")
        limits(8, self.signed, True)
        limits(8, self.unsigned, False)

    @property
    def weight_bits(self) -> int:
        """1 to 8, or 32, bits for each inner weight."""
        return WEIGHT_BITS[self.weights]

    @property
    def has_steps(self) -> bool:
        """Whether each quantized filter has a scale of its own: alpha, or the step of k-bit kernels."""
        return self.alpha or self.weights in UNIFORM

    @property
    def is_float(self) -> bool:
        """Whether nothing is quantized."""
        return self.weights == "FW" and self.features is None

    @property
    def rounds_gradients(self) -> bool:
        """Whether some gradients have few bits."""
        return self.gradients not in (None, 32) or bool(self.weight_gradients)

    def covers(self, path: str) -> bool:
        """Whether the convolution with this layer path, such as ``unet0_up1/ahead``, is quantized."""
        return not any(fnmatch.fnmatchcase(path, pattern) for pattern in FLOAT_LAYERS + self.float_layers)

    def require(self, config: NetworkConfig) -> None:
        """Refuse a network whose convolutions take no quantizers.

        Raises:
            CUNetError: this quantization is not float, and the network is such a one.
        """
        if not (self.is_float or config.quantizable):
            raise CUNetError(
                f"--quant={self}: a {config.title} cannot be quantized: use --quant=float or another preset."
            )

    @classmethod
    def parse(cls, text: "str | QuantConfig | None") -> "QuantConfig":
        """Read a name of the paper, with switches.

        Raises:
            CUNetError: not such a name; the message shows the form.

        Example:
            >>> QuantConfig.parse("BW-a-QIG(818)").features
            8
        """
        if isinstance(text, QuantConfig):
            return text
        name, *switches = (text or FLOAT).split("+")
        if name == FLOAT:
            fields: dict[str, Any] = {}
        else:
            match = NAME.fullmatch(name)
            if not match:
                raise CUNetError(f"quantization {text!r} is unknown: write it like {EXAMPLES}.")
            fields = {"weights": match[1], "alpha": bool(match[2]), **_bits(match[1], match[3])}
        for switch in switches:
            fields.update(_switch(switch))
        return cls(**fields)

    def __str__(self) -> str:
        name = self.weights + ("-a" if self.alpha else "")
        if self.features is not None:
            widths = [str(bits) for bits in (self.features, self.weight_bits, self.gradients)]
            name += f"-QIG({('' if max(map(len, widths)) == 1 else ',').join(widths)})"
        changed = {name: getattr(self, name) for name in SWITCHES if getattr(self, name) != getattr(DEFAULT, name)}
        switches = [name if value is True else f"{name}={_text(value)}" for name, value in changed.items()]
        return "+".join([FLOAT if self.is_float else name, *switches])


SWITCHES: dict[str, Callable[[str], Any]] = {
    "signed": float,
    "unsigned": float,
    "narrow": {"": True}.__getitem__,
    "centered": {"": True}.__getitem__,
    "nearest": {"": True}.__getitem__,
    "weight_gradients": int,
    "bound": float,
    "float_layers": lambda text: tuple(text.split(",")),
}
DEFAULT = QuantConfig()


def _bits(weights: str, digits: str | None) -> dict[str, Any]:
    """Fields from the three widths of ``QIG(818)`` or ``QIG(8,1,32)``."""
    if digits is None:
        return {}
    parts = digits.split(",") if "," in digits else list(digits)
    try:
        features, own, gradients = map(int, parts)
    except ValueError:
        raise CUNetError(f"QIG({digits}): give three widths, such as QIG(818) or QIG(8,1,32).") from None
    if weights in WEIGHT_BITS and own != WEIGHT_BITS[weights]:
        raise CUNetError(f"{weights}-QIG({digits}): weights of {weights} have {WEIGHT_BITS[weights]} bits, not {own}.")
    return {"features": features, "gradients": gradients}


def _switch(text: str) -> dict[str, Any]:
    name, _, value = text.partition("=")
    if name not in SWITCHES:
        raise CUNetError(f"unknown switch +{text} of a quantization. {did_you_mean(name, SWITCHES)}")
    try:
        return {name: SWITCHES[name](value)}
    except (KeyError, ValueError):
        raise CUNetError(f"switch +{text}: {value!r} is not a value for {name}.") from None


def _text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else f"{value:g}"
