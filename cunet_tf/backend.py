"""The one place where the quantizers touch the backend."""

import functools
from collections.abc import Callable
from typing import Any

from cunet_tf.errors import CUNetError


def custom_gradient(function: Callable) -> Callable:
    """``tf.custom_gradient``, imported when first called.

    Raises:
        CUNetError: Keras runs on another backend than TensorFlow.
    """

    @functools.wraps(function)
    def call(*tensors: Any) -> Any:
        tf = tensorflow()
        return tf.custom_gradient(function)(*(tf.convert_to_tensor(tensor) for tensor in tensors))

    return call


def tensorflow(what: str = "quantization") -> Any:
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
