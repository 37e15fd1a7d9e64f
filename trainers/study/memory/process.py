"""Training steps of one configuration in a process of its own: peak memory, time, bytes kept."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from cunet_tf.aliases import Tensor
from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import network_config_from_dict
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.quantize.names import QuantConfig

if TYPE_CHECKING:
    import keras

# oneDNN's own allocator keeps what was freed: the idle process would hold the previous step's tensors.
ENVIRONMENT = {"TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1"}
WARM_UP = 1  # round that is not timed: the watched step has given all memory back
STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measure(
    config: CUNetConfig,
    modes: Sequence[MemoryConfig],
    batch_size: int,
    steps: int,
    quant: QuantConfig | None = None,
) -> list[dict[str, Any]]:
    """Run training steps on random pictures, each mode in a fresh process.

    Memory that a process has used once shapes what it uses next: allocators keep freed blocks,
    and a graph that was traced stays. So each mode gets a process of its own. All of them stay,
    and the timed steps go round in turn, so that a machine that slows down slows all of them.

    Args:
        config: of a CU-Net.
        modes: what is kept, see :class:`~cunet_tf.memory.names.MemoryConfig`.
        batch_size: pictures in a step.
        steps: timed; 0 only counts what is kept for the backward pass.
        quant: see :class:`~cunet_tf.quantize.names.QuantConfig`.

    Returns:
        For each mode ``stacks, main_channels, growth, input_size, order, quant, memory, batch_size``;
        ``kept_bytes``, see :mod:`cunet_tf.trainers.study.memory.kept`; ``variable_bytes`` of the network and
        the optimizer; and with steps ``idle_bytes`` (before a step), ``peak_bytes`` (the most
        during it), both of the whole process, or of the GPU's allocator where there is a GPU;
        ``peak_over_idle``; ``loss``; ``step_seconds`` and ``processor_seconds`` (of all threads;
        medians).

    Raises:
        CUNetError: a process failed; the message quotes its last line.
    """
    shared = {"config": config.to_dict(), "batch_size": batch_size, "steps": steps,
              "quant": str(quant or QuantConfig())}  # fmt: skip
    children: list[_Child] = []
    try:
        for mode in modes:
            name = f"{config.stacks} U-Nets, memory {mode}, batch size {batch_size}"
            children.append(_Child({**shared, "memory": str(mode)}, name))
        rows = [child.answer() for child in children]
        if steps:
            rounds = [[child.ask() for child in children] for _ in range(steps + WARM_UP)][WARM_UP:]
            for row, *answers in zip(rows, *rounds, strict=True):
                row |= {name: median(answer[name] for answer in answers) for name in answers[0]}
        return rows
    finally:
        for child in children:
            child.end()


class _Child:
    """A process that runs one task, answers with a line of JSON, and then with one for each line it is sent."""

    def __init__(self, task: dict[str, Any], name: str) -> None:
        self._name, self._errors = name, tempfile.TemporaryFile("w+")  # noqa: SIM115 - until end()
        command = [sys.executable, "-m", "cunet_tf.trainers.study.memory.process", json.dumps(task)]
        self._process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._errors, env={**os.environ, **ENVIRONMENT})  # fmt: skip
        assert self._process.stdin and self._process.stdout, "both are pipes"
        self._requests, self._answers = self._process.stdin, self._process.stdout

    def answer(self) -> dict[str, Any]:
        """The next line."""
        line = self._answers.readline()
        if line:
            return json.loads(line)
        code = self._process.wait()
        self._errors.seek(0)
        last = (self._errors.read().strip().splitlines() or [f"ended with code {code}, probably out of memory"])[-1]
        raise CUNetError(f"measuring {self._name} failed: {textwrap.shorten(last, 200)}")

    def ask(self) -> dict[str, Any]:
        """One more step."""
        with contextlib.suppress(BrokenPipeError):  # a process that has ended is told by its missing answer
            self._requests.write("step\n")
            self._requests.flush()
        return self.answer()

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()


def run_task(task: dict[str, Any]) -> tuple[dict[str, Any], Callable[[], dict[str, float]]]:
    """What :func:`measure` runs in each process: the result, and a function that times one more step."""
    import keras

    from cunet_tf.models.build import build_network
    from cunet_tf.trainers.study.memory.kept import kept_bytes

    config = network_config_from_dict(task["config"])
    assert isinstance(config, CUNetConfig), "only a CU-Net saves memory"
    keras.utils.set_random_seed(0)
    model = build_network(config, task["quant"], task["memory"])
    found: dict[str, Any] = {}
    step: Callable[[], Any] = dict
    if task["steps"]:
        step, found = _watched_step(model, config, task["batch_size"])
    shape = {name: getattr(config, name) for name in ("stacks", "main_channels", "growth", "input_size")}
    head = {**shape, "order": config.effective_order, "quant": task["quant"], "memory": task["memory"]}
    kept = kept_bytes(model, task["batch_size"])
    return {**head, "batch_size": task["batch_size"], "kept_bytes": kept, **found}, partial(_timed, step)


def _timed(step: Callable[[], Any]) -> dict[str, float]:
    start = time.perf_counter(), time.process_time()
    step()
    return {"step_seconds": time.perf_counter() - start[0], "processor_seconds": time.process_time() - start[1]}


def _watched_step(
    model: "keras.Model", config: CUNetConfig, batch_size: int
) -> tuple[Callable[[], float], dict[str, Any]]:
    """One step of a single picture, which traces the graph, then one whose peak is watched; and the step itself."""
    import keras
    import numpy as np
    import tensorflow as tf

    from cunet_tf.codec import GaussianCodec

    model.compile(keras.optimizers.RMSprop(2.5e-4, rho=0.99, epsilon=1e-16), GaussianCodec(1.0).loss())
    model.optimizer.build(model.trainable_variables)
    shapes = ((None, config.input_size, config.input_size, 3), (None, config.landmarks, 3))

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes])
    def step(images: Tensor, points: Tensor) -> Tensor:
        return model.train_step((images, [points] * len(model.outputs)))["loss"]

    gauge = _gauge()
    step(*_batch(config, model.updates_per_step))  # iterative refinement halves the batch
    images, points = _batch(config, batch_size)
    gauge.start()
    loss = float(step(images, points))
    idle, peak = gauge.read()
    variables = [*model.variables, *model.optimizer.variables]
    held = sum(int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize for v in variables)
    found = {"variable_bytes": held, "idle_bytes": idle, "peak_bytes": peak, "peak_over_idle": peak - idle,
             "loss": loss}  # fmt: skip
    return lambda: float(step(images, points)), found


def _batch(config: CUNetConfig, size: int) -> tuple[Any, Any]:
    import numpy as np
    import tensorflow as tf

    rng = np.random.default_rng(0)
    images = rng.random((size, config.input_size, config.input_size, 3), dtype=np.float32)
    points = rng.random((size, config.landmarks, 3)) * [config.heatmap_size, config.heatmap_size, 0] + [0, 0, 1]
    return tf.constant(images), tf.constant(points, tf.float32)


class ResidentSet:
    """Peak of the resident set of this process (Linux): what its allocators really took from the machine.

    While it watches, the C library takes every tensor from the system and gives it back at once.
    By itself it would keep what earlier steps freed, and the process would never be idle again.
    """

    MMAP_THRESHOLD = -3  # of mallopt (malloc.h)
    WATCHING, USUAL = 2**16, 2**25

    def __init__(self) -> None:
        self._mallopt(self.WATCHING)

    def start(self) -> None:
        """Give freed memory back, and forget the peak so far."""
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
        REFERENCES.write_text("5")
        self.idle = self._field("VmRSS")

    def read(self) -> tuple[int, int]:
        """Bytes at the start, and the most since then; ends the watch."""
        peak = self._field("VmHWM")
        self._mallopt(self.USUAL)
        return self.idle, peak

    def _mallopt(self, threshold: int) -> None:
        import ctypes

        ctypes.CDLL(None).mallopt(self.MMAP_THRESHOLD, threshold)

    @staticmethod
    def _field(name: str) -> int:
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024


class DeviceAllocator:
    """Peak of the first GPU's allocator: what tensors took, whatever TensorFlow has reserved."""

    DEVICE = "GPU:0"

    def start(self) -> None:
        """Forget the peak so far."""
        import tensorflow as tf

        tf.config.experimental.reset_memory_stats(self.DEVICE)
        self.idle = tf.config.experimental.get_memory_info(self.DEVICE)["current"]

    def read(self) -> tuple[int, int]:
        """Bytes at the start, and the most since then."""
        import tensorflow as tf

        return self.idle, tf.config.experimental.get_memory_info(self.DEVICE)["peak"]


def _gauge() -> ResidentSet | DeviceAllocator:
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return DeviceAllocator()
    if not REFERENCES.exists():
        raise CUNetError("the peak of a process is read from /proc: use Linux or a GPU, or --steps=0 to count only.")
    return ResidentSet()


def main(text: str) -> int:
    """Run a task given as JSON: a line on stdout with its result, then one for each line of stdin."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        try:
            result, timed = run_task(json.loads(text))
        except CUNetError as error:
            print(error)
            return 2
        print(json.dumps(result), file=out, flush=True)
        for _ in sys.stdin:
            print(json.dumps(timed()), file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
