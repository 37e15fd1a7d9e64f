"""What runs a network: Keras for ``.keras``, LiteRT for ``.tflite``, packed or not (without TensorFlow)."""

import os
import threading
from typing import Any, Protocol

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.quiet import import_quietly, native_stderr_hidden
from cunet_tf.spec import ModelSpec


class Engine(Protocol):
    """Runs a network on pictures, from any number of threads; ``spec`` describes it, if the file does."""

    spec: ModelSpec | None

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """``[B, H, W, 3]`` float32 RGB in 0..1 -> last heat maps ``[B, H/4, W/4, C]``."""
        ...


class KerasEngine:
    """Runs a Keras model; the last output counts."""

    def __init__(self, model, spec: ModelSpec | None = None):
        self.model = model
        self.spec = spec or getattr(model, "spec", None)
        self._lock = threading.Lock()  # the first call builds Keras' predict function

    def __call__(self, images: np.ndarray) -> np.ndarray:
        with self._lock:
            outputs = self.model.predict_on_batch(images)
        last = outputs[-1] if isinstance(outputs, (list, tuple)) else outputs
        return np.asarray(last, np.float32)


class LiteRTEngine:
    """Runs a ``.tflite`` model picture by picture.

    Threads take turns: an interpreter holds the tensors of one picture, and already uses several cores.

    Args:
        data: bytes of the model.
        threads: of the interpreter; all cores when ``None``.

    Raises:
        CUNetError: the model cannot be prepared.
    """

    def __init__(self, data: bytes, threads: int | None = None):
        self.spec = spec_of(data)
        self._interpreter, self._lock = prepare_interpreter(data, threads)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        expected = tuple(int(side) for side in self._input["shape"][1:])
        if tuple(images.shape[1:]) != expected:
            raise CUNetError(f"the model takes pictures of shape {expected}, not {images.shape[1:]}.")
        return np.concatenate([self.decode(self.run_raw(image)) for image in np.asarray(images, np.float32)])

    def run_raw(self, image: np.ndarray) -> np.ndarray:
        """One picture ``[H, W, 3]`` in 0..1 to the model's own output, int8 or float32 ``[1, h, w, C]``."""
        encoded = self.encode(image[None])
        with self._lock:
            self._interpreter.set_tensor(self._input["index"], encoded)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output["index"])

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Pictures in 0..1 as the model takes them: float32, or int8 on the input's grid, halves to even."""
        if self._input["dtype"] != np.int8:
            return np.asarray(images, np.float32)
        scale, zero = self._input["quantization"]
        return np.clip(np.rint(np.float32(images) / np.float32(scale)) + zero, -128, 127).astype(np.int8)

    def decode(self, output: np.ndarray) -> np.ndarray:
        """The model's own output as float32 heat maps."""
        if self._output["dtype"] != np.int8:
            return output
        scale, zero = self._output["quantization"]
        return (output.astype(np.float32) - zero) * np.float32(scale)


def prepare_interpreter(data: bytes, threads: int | None = None) -> tuple[Any, threading.Lock]:
    """LiteRT's interpreter of a ``.tflite`` model, and the lock under which it is to be used.

    Raises:
        CUNetError: the model cannot be prepared.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        with native_stderr_hidden():
            interpreter = Interpreter(model_content=data, num_threads=threads or os.cpu_count())
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise CUNetError(f"LiteRT cannot prepare this model: {error}") from None
    return interpreter, threading.Lock()


def load_engine(name: str, threads: int | None = None) -> Engine:
    """An engine for a model file or a shipped name.

    Raises:
        CUNetError: no such model, another format, or a damaged file.
    """
    path = find_model(name)
    if path.suffix == ".keras":
        import_quietly("keras")
        from cunet_tf.models.saved import load_keras

        return KerasEngine(load_keras(path))
    return LiteRTEngine(read_model(path), threads)
