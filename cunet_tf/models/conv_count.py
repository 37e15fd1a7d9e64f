"""One convolution as numbers, the unit of all counting."""

from dataclasses import dataclass

DENSE_CONVS = 4  # densely connected 3x3 convolutions between two passes (paper, section 3.4)


@dataclass(frozen=True)
class ConvCount:
    """One convolution: ``kernel x kernel x inputs x outputs`` at ``side x side`` outputs.

    Attributes:
        layer: path of its variables in the Keras model.
        part: row of the breakdown, such as ``"down 1x1"``.
        normalized: channels of the batch normalisation that belongs to it, before or after; 0 for none.
        passes: how often it runs, each time with batch-normalisation variables of its own.
    """

    layer: str
    part: str
    kernel: int
    inputs: int
    outputs: int
    side: int
    normalized: int
    passes: int = 1

    @property
    def weights(self) -> int:
        """Number of kernel values."""
        return self.kernel**2 * self.inputs * self.outputs

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one picture."""
        return self.weights * self.side**2 * self.passes
