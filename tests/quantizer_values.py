"""Values and gradients of every quantizer on fixed arrays, on the backend that Keras has: ``... FILE.npz``."""

import sys

import keras
import numpy as np

from cunet_tf.models.quant_layers import best_exponent
from cunet_tf.quantize.quantizers import Binary, Linear, Ternary, Uniform

KERNELS = [
    Binary(alpha=True), Binary(shift=True), Ternary(), Ternary(alpha=True), Ternary(alpha=True, centered=True),
    Uniform(4),
]  # fmt: skip
FEATURES = [Linear(8, 16.0), Linear(2, 0.5, narrow=True), Linear(6, 2.0, signed=False)]


def arrays():
    """Kernels and features: of several distributions, constant, zero, on a grid, and half-way between its steps."""
    rng = np.random.default_rng(7)
    filters = [np.full((3, 3, 37, 1), 0.3), np.zeros((3, 3, 37, 1)), 0.07 * rng.integers(-1, 2, (3, 3, 37, 1)),
               rng.laplace(0, 0.6, (3, 3, 37, 3)), rng.uniform(-3, 3, (3, 3, 37, 2))]  # fmt: skip
    kernels = [rng.normal(0, 0.1, (1, 1, 64, 8)), np.concatenate(filters, axis=-1)]
    features = [rng.normal(0, 3, (2, 5, 5, 8)), rng.integers(-40, 40, (2, 4, 4, 3)) / 64.0, np.zeros((1, 2, 2, 2))]
    return [[each.astype("float32") for each in group] for group in (kernels, features)]


def differentiated(function, x):
    """The value, and the gradient of a sum with uneven weights."""
    weights = np.random.default_rng(3).normal(size=x.shape).astype("float32")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            y = function(tensor)
            total = tf.reduce_sum(y * weights)
        return y.numpy(), tape.gradient(total, tensor).numpy()
    import jax

    def total(tensor):
        y = function(tensor)
        return (y * weights).sum(), y

    (_, y), gradient = jax.jit(jax.value_and_grad(total, has_aux=True))(x)
    return np.asarray(y), np.asarray(gradient)


def all_values():
    """Name -> value and gradient."""
    found = {}
    for quantizers, group in zip((KERNELS, FEATURES), arrays(), strict=True):
        for quantizer in quantizers:
            for index, array in enumerate(group):
                value, gradient = differentiated(quantizer, array)
                found[f"{quantizer} {index} value"], found[f"{quantizer} {index} gradient"] = value, gradient
    exponents = [best_exponent(array, Linear(4))[0] for array in arrays()[1]]
    found["exponents"] = np.array([float(each) for each in exponents])
    return found


if __name__ == "__main__":
    assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
    np.savez(sys.argv[1], **all_values())
