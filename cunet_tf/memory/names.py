"""What a network keeps for the backward pass: ``none``, ``recompute`` or ``both``."""

from dataclasses import dataclass

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.errors import CUNetError, did_you_mean

MODES = ("none", "recompute", "both")
BITS = (8, 4)


@dataclass(frozen=True)
class MemoryConfig:
    """How a network is trained, no part of its architecture. ``str(config)`` and :meth:`parse` are inverse.

    A mode may be followed by switches: ``both+bottleneck``, ``both+bits=4``.

    Attributes:
        mode: ``none`` keeps what automatic differentiation keeps. ``recompute`` keeps the
            outputs of the convolutions and recomputes concatenation, batch normalisation and
            ReLU in front of every convolution (paper, section 4.3). ``both`` keeps the outputs
            of the convolutions in few bits as well.
        bottleneck: recompute the 4n channels between the two convolutions of a block as well.
        bits: of a stored value, 8 or 4.

    Raises:
        CUNetError: an unknown mode, or a switch that the mode has not.
    """

    mode: str = "none"
    bottleneck: bool = False
    bits: int = 8

    def __post_init__(self) -> None:
        if self.mode == "compressed":
            raise CUNetError("memory compressed is gone: use both, which keeps less and takes as long.")
        if self.mode not in MODES:
            raise CUNetError(f"unknown memory mode {self.mode!r}. {did_you_mean(self.mode, MODES)}")
        if self.bits not in BITS:
            raise CUNetError(f"memory of {self.bits} bits: stored values have 8 or 4.")
        if self.bottleneck and not self:
            raise CUNetError(f"memory {self.mode}+bottleneck: only recompute and both recompute the bottleneck.")
        if self.bits != 8 and not self.compresses:
            raise CUNetError(f"memory {self.mode}+bits={self.bits}: only both stores few bits.")

    @property
    def compresses(self) -> bool:
        """Whether stored values have few bits."""
        return self.mode == "both"

    def __bool__(self) -> bool:
        return self.mode != "none"

    def require(self, config: NetworkConfig) -> None:
        """Refuse a network that has nothing to share.

        Raises:
            CUNetError: it is no CU-Net.
        """
        if self and not isinstance(config, CUNetConfig):
            raise CUNetError(f"memory={self}: only a CU-Net saves memory, not a {config.title}; leave it out.")

    @classmethod
    def parse(cls, text: "str | MemoryConfig | None") -> "MemoryConfig":
        """The configuration of a name; ``None`` is ``none``.

        Raises:
            CUNetError: the name is unknown.

        Example:
            >>> MemoryConfig.parse("both+bottleneck").compresses
            True
        """
        if isinstance(text, MemoryConfig):
            return text
        mode, *switches = (text or "none").split("+")
        bottleneck, bits = cls.bottleneck, cls.bits
        for switch in switches:
            if switch == "bottleneck":
                bottleneck = True
            elif switch.startswith("bits=") and switch[5:].isdigit():
                bits = int(switch[5:])
            else:
                raise CUNetError(f"unknown switch +{switch} of memory {mode}: use +bottleneck or +bits=4.")
        return cls(mode, bottleneck, bits)

    def __str__(self) -> str:
        return self.mode + "+bottleneck" * self.bottleneck + f"+bits={self.bits}" * (self.bits != 8)
