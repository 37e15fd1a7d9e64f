"""Time of one picture through several networks, in one interleaved run."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from cunet_tf.presets import preset
from cunet_tf.processor import processor
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import Row, read_csv
from cunet_tf.spec import ModelSpec

KERAS, TFLITE = "keras", "tflite"
THREADS = {TFLITE: 1}  # Keras takes all cores, as TensorFlow does unless told otherwise
WARM_UP = 2  # calls that are not timed

WALL, CPU = "milliseconds", "cpu_milliseconds"
Times = dict[tuple[str, str, str], list[float]]  # (network, engine, WALL or CPU) -> each round


def default_machine() -> str:
    """What this program runs on: cores, processor and instruction sets."""
    return f"{os.cpu_count()} cores, {processor()}"


def measure(specs: Iterable[ModelSpec], rounds: int, machine: str) -> list[Row]:
    """Every network by every engine once in each round, so that a busy moment touches all alike.

    Args:
        specs: of the networks; they get fresh, untrained weights.
        rounds: timings of each network and engine.
        machine: in words, written into each row.

    Returns:
        Rows with ``round, network, engine, milliseconds, cpu_milliseconds, threads, input_size, machine,
        load``: the second time is that of the processor in all threads of this program, which other programs
        disturb less; the last is the system's load average, ours among it.
    """
    runners: dict[tuple[str, str], Callable[[], object]] = {}
    sides = {}
    for spec in specs:
        print(f"preparing {spec.name}", flush=True)
        sides[spec.name] = spec.input_size
        for engine, run in _runners(spec).items():
            runners[spec.name, engine] = run
            for _ in range(WARM_UP):
                run()
    rows = []
    for index in range(rounds):
        print(f"round {index + 1} of {rounds}", flush=True)
        for (name, engine), run in runners.items():
            start, cpu_start = time.perf_counter(), time.process_time()
            run()
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu_start
            rows.append({"round": index, "network": name, "engine": engine, WALL: 1e3 * wall, CPU: 1e3 * cpu,
                         "threads": THREADS.get(engine) or os.cpu_count(), "input_size": sides[name],
                         "machine": machine, "load": round(os.getloadavg()[0], 1)})  # fmt: skip
    return rows


def _runners(spec: ModelSpec) -> dict[str, Callable[[], object]]:
    """Functions that find the last heat maps of one random picture."""
    import_quietly("keras")
    import tensorflow as tf

    from cunet_tf.engines import LiteRTEngine
    from cunet_tf.export.tflite import convert
    from cunet_tf.models.build import build_network

    model = build_network(spec)
    image = np.random.default_rng(0).random((1, spec.input_size, spec.input_size, 3), dtype=np.float32)
    tensor, engine = tf.constant(image), LiteRTEngine(convert(model, spec), THREADS[TFLITE])
    compiled = tf.function(lambda picture: model(picture, training=False)[-1]).get_concrete_function(tensor)
    return {KERAS: lambda: compiled(tensor).numpy(), TFLITE: lambda: engine(image)}


def read_times(file: Path) -> tuple[Times, str]:
    """The rounds of :func:`measure` from its CSV file, and the conditions in words; empty without a file."""
    times: Times = {}
    rows = read_csv(file)
    for row in rows:
        for clock in {WALL, CPU} & row.keys():  # a file of an earlier version has no CPU time
            times.setdefault((row["network"], row["engine"], clock), []).append(float(row[clock]))
    if not rows:
        return times, "Not measured yet: cunet tables --table=5,11 --time."
    threads = {row["engine"]: row["threads"] for row in rows}
    first, load = rows[0], np.median([float(row["load"]) for row in rows])
    return times, (
        f"Measured in one run, {1 + int(rows[-1]['round'])} rounds, every network and engine once in each; medians, "
        "ratios taken round by round. CPU: time of the processor in all threads, which other work on the machine "
        f"disturbs less. One picture at {first['input_size']} px, batch 1, float32, untrained weights (time does not "
        f"depend on them), last head. Keras through a compiled `tf.function` ({threads[KERAS]} threads), `.tflite` by "
        f"LiteRT ({threads[TFLITE]} thread). Machine: {first['machine']}, load average {load:.1f}: above the number "
        "of cores other work ran beside it."
    )


def median(times: Times, network: str, engine: str, clock: str = WALL) -> float | None:
    """Milliseconds; ``None`` where nothing was measured."""
    values = times.get((network, engine, clock))
    return float(np.median(values)) if values else None


def ratio(times: Times, network: str, to: str, engine: str, clock: str = WALL) -> float | None:
    """Median over the rounds of the ratio of two networks."""
    ours, theirs = (times.get((name, engine, clock)) for name in (network, to))
    return float(np.median(np.divide(ours, theirs))) if ours and theirs else None


def specs(names: Iterable[str]) -> list[ModelSpec]:
    """Presets by name."""
    return [preset(name) for name in names]
