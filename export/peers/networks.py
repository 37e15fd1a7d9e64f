"""The small network of :mod:`.tiny` in the words of each package. Only the chosen package is imported."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias

from cunet_tf.export.peers.tiny import CONVOLUTIONS, FEATURE_RANGE, SIDE

# Of Keras or of legacy Keras, whichever the package builds on; a function of a tensor will do for a layer.
Layer: TypeAlias = Any
Model: TypeAlias = Any

RANGE_BITS = 2  # FEATURE_RANGE is 2 to the power of it
KERNELS = ("w4", "binary")  # bits of all kernels; features have 8
EPSILON = 1e-5  # epsilon of the batch normalisations


def float_network(layers: ModuleType, model: type[Model]) -> Model:
    """The network in float.

    Args:
        layers: the module of layers of Keras or legacy Keras.
        model: its class ``Model``.
    """

    def conv(filters: int, size: int, stride: int) -> Layer:
        return layers.Conv2D(filters, size, stride, padding="same", use_bias=False)

    return _network(layers, model, conv, layers.ReLU, None)


def _network(
    layers: ModuleType,
    model: type[Model],
    conv: Callable[[int, int, int], Layer],
    feature: Callable[[], Layer],
    start: Layer | None,
) -> Model:
    """The network of a package's convolution and of what it puts behind each batch normalisation."""
    image = layers.Input((SIDE, SIDE, 3))
    x = image if start is None else start(image)
    for filters, size, stride in CONVOLUTIONS:
        x = layers.BatchNormalization(epsilon=EPSILON)(conv(filters, size, stride)(x))
        x = feature()(x)
    return model(image, conv(1, 1, 1)(x))


def ours(kernels: str) -> Model:
    """By ``QuantConv2D`` and ``QuantActivation``."""
    import keras

    from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
    from cunet_tf.quantize.quantizers import Linear

    name = {"binary": "binary-a"}.get(kernels, kernels)

    def conv(filters: int, size: int, stride: int) -> Layer:
        return QuantConv2D(filters, size, stride, padding="same", use_bias=False, kernel_quantizer=name)

    def feature() -> Layer:
        grid = QuantActivation(Linear(8, r=FEATURE_RANGE, signed=False))
        return lambda x: grid(keras.layers.ReLU()(x))

    return _network(keras.layers, keras.Model, conv, feature, QuantActivation("unsigned8"))


def qkeras(kernels: str) -> Model:
    """By ``qkeras`` as qkeras-v3 brings it: a scale for each filter."""
    import keras
    from qkeras import QActivation, QConv2D

    name = {"w4": "quantized_bits(4, 0, 1, alpha='auto')", "binary": "binary(alpha='auto')"}[kernels]

    def conv(filters: int, size: int, stride: int) -> Layer:
        return QConv2D(filters, size, stride, padding="same", use_bias=False, kernel_quantizer=name)

    def feature() -> Layer:
        return QActivation(f"quantized_relu(8, {RANGE_BITS})")

    return _network(keras.layers, keras.Model, conv, feature, QActivation("quantized_relu(8, 0)"))


def larq(kernels: str) -> Model:
    """By ``larq``: DoReFa's quantizers for k bits, whose features lie in 0..1, and its binary kernels."""
    import larq as lq
    import tf_keras

    def conv(filters: int, size: int, stride: int) -> Layer:
        binary = kernels == "binary"
        quantizer = "magnitude_aware_sign" if binary else lq.quantizers.DoReFa(4, mode="weights")
        clip = "weight_clip" if binary else None
        return lq.layers.QuantConv2D(
            filters, size, stride, padding="same", use_bias=False, kernel_quantizer=quantizer, kernel_constraint=clip
        )

    def feature() -> Layer:
        return lq.quantizers.DoReFa(8, mode="activations")

    return _network(tf_keras.layers, tf_keras.Model, conv, feature, feature())


def hgq2(kernels: str) -> Model:
    """By ``hgq``, whose bits are learned by default; here they are held, and the place of the point is learned.

    Raises:
        NotImplementedError: binary kernels.
    """
    if kernels == "binary":
        raise NotImplementedError(
            "not tried: its numbers are fixed-point ones, none of which has the two values -a and a alone"
        )
    import keras
    from hgq.config import LayerConfigScope, QuantizerConfig
    from hgq.constraints import Constant
    from hgq.layers import QConv2D

    kernel = QuantizerConfig("kbi", "weight", b0=3, i0=0, bc=Constant(3), br=None, overflow_mode="SAT_SYM",
                             homogeneous_axis=None, heterogeneous_axis=(3,))  # fmt: skip
    ranges = iter((0, *(RANGE_BITS for _ in CONVOLUTIONS)))  # of the picture, and of features

    def conv(filters: int, size: int, stride: int) -> Layer:
        bits = next(ranges)
        grid = QuantizerConfig("kbi", "datalane", k0=False, b0=8, i0=bits, bc=Constant(8), ic=Constant(bits), br=None,
                               overflow_mode="SAT", homogeneous_axis=(0, 1, 2, 3), heterogeneous_axis=None)  # fmt: skip
        with LayerConfigScope(enable_ebops=False):
            return QConv2D(filters, size, stride, padding="same", use_bias=False, kq_conf=kernel, iq_conf=grid)

    return _network(keras.layers, keras.Model, conv, keras.layers.ReLU, None)


BUILDERS: dict[str, Callable[[str], Model]] = {"cunet-tf": ours, "qkeras-v3": qkeras, "hgq2": hgq2, "larq": larq}
