"""What runs a network: Keras for ``.keras``; without TensorFlow, LiteRT for ``.tflite``, packed or not, and onnxruntime
for ``.onnx``.
"""

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from cunet_tf.aliases import Batch, HeatMaps
from cunet_tf.errors import CUNetError, reason
from cunet_tf.files.onnx import OnnxFile, read_onnx
from cunet_tf.files.onnx_run import prepare_session, run_session, shapes_of, try_session
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.quiet import import_quietly, native_stderr_hidden
from cunet_tf.spec import SPEC_NAME, ModelSpec, OutputGrid


class Engine(Protocol):
    """Runs a network on pictures, from any number of threads; ``spec`` describes it, if the file does."""

    spec: ModelSpec | None

    def __call__(self, images: Batch) -> HeatMaps:
        """``[B, H, W, 3]`` float32 RGB in 0..1 -> last heat maps ``[B, H/4, W/4, C]``."""
        ...


class KerasEngine:
    """Runs a Keras model; the last output counts."""

    def __init__(self, model, spec: ModelSpec | None = None):
        self.model = model
        self.spec = spec or getattr(model, "spec", None)
        self._lock = threading.Lock()  # the first call builds Keras' predict function

    @property
    def shapes(self) -> tuple[tuple, tuple]:
        """Of the input and of the last output, the number of pictures open; empty where there are several inputs."""
        taken, given = self.model.input_shape, self.model.output_shape
        given = given[-1] if isinstance(given, list) else given
        return tuple(taken) if isinstance(taken, tuple) else (), tuple(given)

    def __call__(self, images: Batch) -> HeatMaps:
        """Crops ``[B, H, W, 3]`` in 0..1 -> heat maps ``[B, h, w, C]``."""
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
        name: of the file, for messages.

    Raises:
        CUNetError: the model cannot be prepared, or is not a network from pictures to heat maps as described.
    """

    def __init__(self, data: bytes, threads: int | None = None, name: str = "the model"):
        self.name, self.spec = name, _description(data, name)
        self._interpreter, self._lock = prepare_interpreter(data, threads, name)
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        self._check()

    def _check(self) -> None:
        """Whether input and output are pictures and heat maps, and as many as the description says."""
        shapes = [tuple(int(side) for side in each["shape"]) for each in (self._input, self._output)]
        for each, shape in zip((self._input, self._output), shapes, strict=True):
            steps = each["dtype"] == np.int8 and each["quantization"][0] > 0
            if len(shape) != 4 or shape[0] != 1 or not (steps or each["dtype"] == np.float32):
                raise CUNetError(
                    f"{self.name}: {shapes}: not a network from one picture to heat maps in float32 or int8."
                )
        check_described(self.name, self.spec, shapes[0], shapes[1], self._output_grid())

    def _output_grid(self) -> OutputGrid | None:
        """Of the heat maps, where they are int8."""
        if self._output["dtype"] != np.int8:
            return None
        scale, zero = self._output["quantization"]
        return OutputGrid(float(scale), int(zero))

    def __call__(self, images: Batch) -> HeatMaps:
        """Crops ``[B, H, W, 3]`` in 0..1 -> heat maps ``[B, h, w, C]``."""
        expected = tuple(int(side) for side in self._input["shape"][1:])
        if tuple(images.shape[1:]) != expected:
            raise CUNetError(f"the model takes pictures of shape {expected}, not {images.shape[1:]}.")
        return np.concatenate([self.decode(self.run_raw(image)) for image in np.asarray(images, np.float32)])

    def run_raw(self, image: np.ndarray) -> np.ndarray:
        """One picture ``[H, W, 3]`` in 0..1 to the model's own output, int8 or float32 ``[1, h, w, C]``."""
        encoded = self.encode(image[None])
        with self._lock, running(self.name):
            self._interpreter.set_tensor(self._input["index"], encoded)
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output["index"])

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Pictures in 0..1 as the model takes them: float32, or int8 on the input's grid, halves to even."""
        return encoded(images, self._input)

    def decode(self, output: np.ndarray) -> np.ndarray:
        """The model's own output as float32 heat maps."""
        return decoded(output, self._output)


def encoded(values: np.ndarray, end: dict[str, Any]) -> np.ndarray:
    """Numbers as an input of LiteRT's takes them: float32, or int8 on its grid, halves to even."""
    if end["dtype"] != np.int8:
        return np.asarray(values, np.float32)
    scale, zero = end["quantization"]
    return np.clip(np.rint(np.float32(values) / np.float32(scale)) + zero, -128, 127).astype(np.int8)


def decoded(output: np.ndarray, end: dict[str, Any]) -> np.ndarray:
    """What an output of LiteRT's gives, as numbers."""
    if end["dtype"] != np.int8:
        return output
    scale, zero = end["quantization"]
    return (output.astype(np.float32) - zero) * np.float32(scale)


class OnnxEngine:
    """Runs an ``.onnx`` model picture by picture, as a file from elsewhere was tried.

    Args:
        file: as :func:`~cunet_tf.files.onnx.read_onnx` gives it.
        threads: of one picture; all cores when ``None``.
        name: of the file, for messages.

    Raises:
        CUNetError: the model cannot be prepared, or is not a network from pictures to heat maps as described.
        MissingPackage: onnxruntime is not installed.
    """

    def __init__(self, file: OnnxFile, threads: int | None = None, name: str = "the model"):
        self.name, self.spec = name, file.spec
        self._session = prepare_session(file.data, threads, name)  # may be run by several threads at once
        self._input = self._session.get_inputs()[0].name if self._session.get_inputs() else ""
        taken, given = shapes_of(self._session, name)
        check_described(name, self.spec, taken, given)
        self._taken = taken[1:]

    def __call__(self, images: Batch) -> HeatMaps:
        """Crops ``[B, H, W, 3]`` in 0..1 -> heat maps ``[B, h, w, C]``."""
        if tuple(images.shape[1:]) != self._taken:
            raise CUNetError(f"the model takes pictures of shape {self._taken}, not {images.shape[1:]}.")
        pictures = np.asarray(images, np.float32)[:, None]
        return np.concatenate([run_session(self._session, {self._input: each}, self.name) for each in pictures])


def check_described(
    name: str, spec: ModelSpec | None, taken: tuple, given: tuple, output: OutputGrid | None = None
) -> None:
    """Whether a network takes and gives what its description says.

    Args:
        name: of the file.
        spec: ``None`` says nothing.
        taken: shape of the input.
        given: shape of the heat maps.
        output: what their integers stand for; ``None`` where they are float. A description need not say it.

    Raises:
        CUNetError: it does not, or takes no pictures.
    """
    if len(taken) != 4 or len(given) != 4 or taken[3] != 3:
        raise CUNetError(f"{name}: {taken} to {given}: not a network from pictures to heat maps.")
    if spec and (tuple(taken[1:3]) != 2 * (spec.input_size,) or given[3] != spec.skeleton.size):
        raise CUNetError(
            f"{name}: the description says {spec.input_size} pixels and {spec.skeleton.size} landmarks, the network "
            f"takes {taken} and gives {given}: export it again."
        )
    if spec and spec.output and spec.output != output:
        gives = f"scale {output.scale:.9g} and zero point {output.zero_point}" if output else "float heat maps"
        raise CUNetError(
            f"{name}: {SPEC_NAME}.output: scale {spec.output.scale:.9g} and zero point {spec.output.zero_point}, but "
            f"the network gives {gives}: export it again."
        )


def _description(data: bytes, name: str) -> ModelSpec | None:
    try:
        return spec_of(data)
    except CUNetError as error:
        raise CUNetError(f"{name}: {error}") from None


@contextlib.contextmanager
def running(name: str) -> Iterator[None]:
    """What LiteRT raises, in one sentence that names the file.

    Raises:
        CUNetError: it raised.
    """
    try:
        yield
    except CUNetError:
        raise
    except (ValueError, RuntimeError, MemoryError) as error:
        raise CUNetError(f"{name}: LiteRT cannot run this model ({reason(error)}): export it again.") from None


def prepare_interpreter(data: bytes, threads: int | None = None, name: str = "the model") -> tuple[Any, threading.Lock]:
    """LiteRT's interpreter of a ``.tflite`` model that ``read_model`` gave, and the lock under which it is to be used.

    Raises:
        CUNetError: the model cannot be prepared.
    """
    from ai_edge_litert.interpreter import Interpreter

    with running(name), native_stderr_hidden():
        interpreter = Interpreter(model_content=data, num_threads=threads or os.cpu_count())
        interpreter.allocate_tensors()
    return interpreter, threading.Lock()


def load_engine(name: str, threads: int | None = None) -> Engine:
    """An engine for a model file or a shipped name.

    Raises:
        CUNetError: no such model, another format, or a damaged file.
        MissingPackage: what runs this format is not installed.
    """
    path = find_model(name)
    if path.suffix == ".keras":
        import_quietly("keras")
        from cunet_tf.models.saved import load_keras

        engine = KerasEngine(load_keras(path))
        check_described(str(path), engine.spec, *engine.shapes)
        return engine
    if path.suffix == ".onnx":
        file = read_onnx(path)
        try_session(path)
        return OnnxEngine(file, threads, str(path))
    return LiteRTEngine(read_model(path), threads, str(path))
