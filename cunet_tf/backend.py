"""The one place where the quantizers touch the backend."""

import functools
from collections.abc import Callable
from types import ModuleType

from cunet_tf.aliases import Tensor
from cunet_tf.errors import CUNetError

QUANTIZES = ("tensorflow", "jax")


def on_tensorflow() -> bool:
    """Whether Keras runs on TensorFlow."""
    import keras

    return keras.backend.backend() == "tensorflow"


def custom_gradient(function: Callable) -> Callable:
    """``tf.custom_gradient``, or what Keras has in its place on JAX; imported when first called.

    Raises:
        CUNetError: Keras runs on a third backend.
    """

    @functools.wraps(function)
    def call(*tensors: Tensor) -> Tensor:
        from keras import ops

        require_quantization()
        wrap = tensorflow().custom_gradient if on_tensorflow() else ops.custom_gradient
        return wrap(function)(*(ops.convert_to_tensor(tensor) for tensor in tensors))

    return call


def require_quantization() -> None:
    """Refuse backends that quantizers have not been written for.

    Raises:
        CUNetError: Keras runs on neither TensorFlow nor JAX.
    """
    import keras

    if keras.backend.backend() not in QUANTIZES:
        tensorflow()


def tensorflow(what: str = "quantization") -> ModuleType:
    """The module ``tensorflow``, when Keras runs on it.

    Args:
        what: needs it; named in the message.

    Raises:
        CUNetError: it does not.
    """
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise CUNetError(
            f"{what} needs Keras on TensorFlow, and Keras runs on {backend}: do without it, or without KERAS_BACKEND."
        )
    import tensorflow as tf

    return tf
