"""A model of a user's own: a small classifier of drawn squares, made of quantized and ordinary layers.

``python -m tests.own_models FOLDER`` trains it and writes ``own.keras`` and ``pictures.npy``, its pictures.
"""

import functools
import sys
from pathlib import Path

import keras
import numpy as np

from cunet_tf.export.untrained import draw_normalizations
from cunet_tf.models.quant_layers import QuantActivation, QuantConv2D
from cunet_tf.quantize.quantizers import Linear, Uniform
from tests.networks import run_eagerly

_L = keras.layers


def squares(count: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Pictures float32 ``[count, 16, 16, 3]`` in 0..1 and whether there is a bright square in them."""
    rng = np.random.default_rng(0)
    x, y = rng.random((count, 16, 16, 3), dtype=np.float32) * 0.3, np.arange(count) % 2
    x[y == 1, 4:11, 4:11] += 0.6
    return x, y


def _norm(name: str) -> keras.layers.Layer:
    return _L.BatchNormalization(momentum=0.7, name=name)


def low_bit() -> keras.Model:
    """Binary and ternary kernels, features of 4 bits with learned ranges, a branch, a dense layer."""
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3), name="picture")
    x = QuantConv2D(8, 3, padding="same", use_bias=False, kernel_quantizer=None, name="first")(image)
    x = QuantActivation(bits=4, name="grid0")(_L.ReLU()(_norm("norm0")(x)))
    x = _L.MaxPooling2D()(x)
    y = QuantConv2D(8, 3, padding="same", kernel_quantizer="binary-a", name="binary")(x)
    y = QuantActivation(bits=4, name="grid1")(_L.ReLU()(_norm("norm1")(y)))
    y = QuantConv2D(8, 3, padding="same", use_bias=False, kernel_quantizer="ternary-a", name="ternary")(y)
    y = QuantActivation(bits=6, signed=True, name="grid2")(_norm("norm2")(y))
    x = _norm("norm3")(_L.Concatenate()([x, y]))  # of two grids, behind no convolution
    x = QuantActivation(bits=4, name="grid3")(x)
    x = _L.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, _L.Dense(2, activation="softmax", name="answer")(x))


@functools.cache
def trained() -> keras.Model:
    """:func:`low_bit` after a few steps; shared, not to be changed."""
    model = low_bit()
    with run_eagerly():
        model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(*squares(), batch_size=16, epochs=4, verbose=0)
    return model


def with_every_grid():
    """Grids everywhere, so no pictures are needed; a pooling and a ReLU stand between a convolution and its grid."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((8, 8, 3)),
        QuantConv2D(4, 3, kernel_quantizer=Uniform(4), input_quantizer="unsigned8"), _L.MaxPooling2D(2), _L.ReLU(),
        QuantActivation(Linear(4, 1.0, signed=False)), QuantConv2D(5, 1), _L.Flatten(),
        QuantActivation(Linear(6, 4.0)),
    ])  # fmt: skip


def mobile() -> keras.Model:
    """What mobile networks are made of, float but for two kernels: pixels 0..255, two outputs; fresh."""
    keras.utils.set_random_seed(0)
    picture = keras.Input((16, 16, 3), name="picture")
    x = _L.Conv2D(8, 3, 2, padding="same", use_bias=False)(_L.Rescaling(1 / 127.5, -1)(picture))
    x = _L.ReLU(6)(_norm("norm0")(x))
    for index in range(2):
        y = _L.ReLU(6)(_norm(f"deep{index}")(_L.SeparableConv2D(16, 3, padding="same", activation="linear")(x)))
        y = QuantConv2D(8, 1, use_bias=False, name=f"project{index}")(y)
        x = _L.Add()([x, _norm(f"flat{index}")(y)])
    x = _L.Activation("swish")(_L.Conv2D(12, 1)(x))
    gate = _L.Dense(12, activation="sigmoid")(_L.Dense(4, activation="relu")(_L.GlobalAveragePooling2D()(x)))
    x = _L.Multiply()([x, _L.Reshape((1, 1, 12))(gate)])
    x = _L.UpSampling2D()(_L.AveragePooling2D(2)(_L.LeakyReLU()(_L.Conv2D(6, 3, padding="same")(x))))
    answer = _L.Dense(5, activation="softmax", name="kind")(_L.Flatten()(x))
    model = keras.Model(picture, [_L.Conv2D(4, 1, name="maps")(x), answer])
    draw_normalizations(model, np.random.default_rng(0))
    return model


def main(folder: Path) -> None:
    """Write the trained model and its pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    trained().save(folder / "own.keras")
    np.save(folder / "pictures.npy", squares()[0])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
