"""Bytes, latency, memory and delegation of ``.tflite`` models, and of ``.onnx`` models beside them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.engines import Engine, LiteRTEngine, OnnxEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.delegation import delegation
from cunet_tf.files.onnx import parse_onnx
from cunet_tf.files.onnx_run import prepare_session, run_session, shapes_of
from cunet_tf.processor import processor
from cunet_tf.quiet import native_stderr_hidden

WARM_UP = 3
PROCESSOR, WALL = "processor", "wall"
# Nanoseconds. Of the whole process: a runtime may do its work in a thread of its own, and no other thread is at work.
CLOCKS: dict[str, Callable[[], int]] = {PROCESSOR: time.process_time_ns, WALL: time.perf_counter_ns}
MIB = 1 << 20


@dataclass(frozen=True)
class Candidate:
    """One model of a comparison.

    Attributes:
        name: of the model, ``face-8``.
        fmt: ``int8``, ``packed`` ...
        data: bytes of the model that runs: ``.tflite``, or of the format ``onnx`` ``.onnx``.
        stored: bytes of the file on disk.
        trained: whether its metric means anything.
    """

    name: str
    fmt: str
    data: bytes
    stored: int
    trained: bool = True

    @property
    def label(self) -> str:
        """Name and format."""
        return f"{self.name} {self.fmt}"

    def engine(self) -> Engine:
        """What runs it."""
        return OnnxEngine(parse_onnx(self.data)) if self.fmt == "onnx" else LiteRTEngine(self.data)


def clock_of(threads: int) -> str:
    """What is measured: time of the processor where one thread runs, which other work on the machine disturbs least."""
    return PROCESSOR if threads == 1 else WALL


def latencies(
    candidates: list[Candidate], threads: int, runs: int, progress: Callable[[int, int], None] | None = None
) -> list[np.ndarray]:
    """Milliseconds of single pictures by :func:`clock_of`, ``[runs]`` for each candidate.

    All models run in turn, once each a round, so that a slow moment of the machine hits all of
    them. Only the run of the network is timed.
    """
    clock = CLOCKS[clock_of(threads)]
    calls = [_prepare(candidate, threads) for candidate in candidates]
    times = np.empty((len(calls), WARM_UP + runs))
    for round_ in range(WARM_UP + runs):
        for index, invoke in enumerate(calls):
            start = clock()
            invoke()
            times[index, round_] = 1e-6 * (clock() - start)
        if progress:
            progress(round_ + 1, WARM_UP + runs)
    return list(times[:, WARM_UP:])


def _prepare(candidate: Candidate, threads: int) -> Callable[[], Any]:
    return (_prepare_onnx if candidate.fmt == "onnx" else _prepare_tflite)(candidate, threads)


def _prepare_onnx(candidate: Candidate, threads: int) -> Callable[[], Any]:
    session = prepare_session(candidate.data, threads, candidate.label)
    taken, _ = shapes_of(session, candidate.label)
    image = np.random.default_rng(0).random((1, *taken[1:]), dtype=np.float32)
    feed = {session.get_inputs()[0].name: image}
    return lambda: run_session(session, feed, candidate.label)


def _prepare_tflite(candidate: Candidate, threads: int) -> Callable[[], Any]:
    from ai_edge_litert.interpreter import Interpreter

    try:
        with native_stderr_hidden():
            interpreter = Interpreter(model_content=candidate.data, num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise CUNetError(f"{candidate.label}: LiteRT cannot prepare this model: {error}") from None
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        noise = rng.random(detail["shape"])
        values = noise if detail["dtype"] == np.float32 else 255 * noise - 128
        interpreter.set_tensor(detail["index"], values.astype(detail["dtype"]))
    return interpreter.invoke


# A fresh process, because memory that one model took is never given back. Not ru_maxrss, which a
# child inherits from the process that started it.
PEAK = """
import re, sys
import numpy as np
{imports}
def highest():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
idle = highest()
{prepare}
for _ in range(2):
    {run}
print("peak", highest() - idle)
"""
PEAK_TFLITE = PEAK.format(
    imports="from ai_edge_litert.interpreter import Interpreter",
    prepare="""interpreter = Interpreter(model_path=sys.argv[1], num_threads=int(sys.argv[2]))
interpreter.allocate_tensors()""",
    run="interpreter.invoke()",
)
PEAK_ONNX = PEAK.format(
    imports="import onnxruntime",
    prepare="""options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
(image,) = session.get_inputs()
feed = {image.name: np.zeros([1, *image.shape[1:]], np.float32)}""",
    run="session.run(None, feed)",
)


def peak_memory(data: bytes, threads: int = 1, script: str = PEAK_TFLITE) -> float:
    """MiB that loading and running a model adds to an idle process, its file included.

    Raises:
        CUNetError: the model does not run.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model"
        file.write_bytes(data)
        command = [sys.executable, "-c", script, str(file), str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"})
    lines = [line for line in done.stdout.splitlines() if line.startswith("peak ")]
    if done.returncode or not lines:
        raise CUNetError(f"the model does not run: {done.stderr.strip().splitlines()[-1:] or done.returncode}")
    return int(lines[-1].split()[1]) * 1024 / MIB


def compare(
    candidates: list[Candidate], threads: int, runs: int, progress: Callable | None = None
) -> list[dict[str, Any]]:
    """One row for each candidate.

    Returns:
        ``model``, ``format``, ``trained``, ``bytes``; ``median_ms``, ``min_ms``, ``p90_ms`` of ``clock``
        (:func:`clock_of`), ``threads``, ``runs``; ``ratio`` to ``yardstick``, the first candidate: median of the
        ratios within a round; ``peak_mib``; ``operations``, ``operations_delegated``, ``delegated_share`` (0..1), of
        ``onnx`` ``None``; ``cpu``, see :func:`cunet_tf.processor.processor`.
    """
    times = latencies(candidates, threads, runs, progress)
    rows = []
    for candidate, own in zip(candidates, times, strict=True):
        onnx = candidate.fmt == "onnx"
        found = {} if onnx else delegation(candidate.data)
        peak = peak_memory(candidate.data, threads, PEAK_ONNX if onnx else PEAK_TFLITE)
        rows.append({
            "model": candidate.name, "format": candidate.fmt, "trained": candidate.trained,
            "bytes": candidate.stored,
            "median_ms": float(np.median(own)), "min_ms": float(own.min()), "p90_ms": float(np.percentile(own, 90)),
            "clock": clock_of(threads), "ratio": float(np.median(own / times[0])), "yardstick": candidates[0].label,
            "threads": threads, "runs": runs, "peak_mib": peak,
            "operations": found.get("operations"), "operations_delegated": found.get("operations_delegated"),
            "delegated_share": found["operations_delegated"] / found["operations"] if found else None,
            "cpu": processor(),
        })  # fmt: skip
    return rows
