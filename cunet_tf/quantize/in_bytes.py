"""Features of fewer than 8 bits as int8 hardware and the TFLite converter have them: the same values, in bytes."""

import keras
from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.backend import tensorflow
from cunet_tf.quantize.quantizers import PACKAGE, Linear, Quantizer

STEPS = 255  # of a byte


@keras.saving.register_keras_serializable(PACKAGE)
class InBytes(Quantizer):
    """The function of a :class:`~cunet_tf.quantize.quantizers.Linear` of 2 to 8 bits, on a grid of 256 values.

    The highest value is the byte's highest, so that the byte cuts off what is above it; below, a ReLU does (unsigned:
    convolutions have one built in) or a maximum (signed). The converter refuses grids of fewer than 256 values. For
    inference: there is no gradient quantizer.

    Args:
        bits, r, signed, narrow: as of ``Linear``.

    Example:
        >>> InBytes(2, 1.0, signed=False)(np.float32([-3.0, 0.3, 9.0])).numpy()
        array([0.  , 0.25, 0.75], dtype=float32)
    """

    def __init__(self, bits: int, r: float, signed: bool = True, narrow: bool = False):
        self.bits, self.r, self.signed, self.narrow = bits, float(r), signed, narrow

    @classmethod
    def of(cls, grid: Linear) -> "InBytes":
        """That of a trained grid."""
        return cls(grid.bits, grid.r, grid.signed, grid.narrow)

    def __call__(self, x: Tensor) -> Tensor:
        """The rounded tensor, float32."""
        plain = Linear(self.bits, self.r, self.signed, self.narrow)
        low, high = plain.limits
        tf = tensorflow()
        x = ops.cast(x, "float32")
        bottom = high - STEPS * plain.step
        y = tf.quantization.fake_quant_with_min_max_args(
            x if low <= bottom or self.signed else tf.nn.relu(x), bottom, high
        )
        return ops.maximum(y, low) if self.signed and low > bottom else y
