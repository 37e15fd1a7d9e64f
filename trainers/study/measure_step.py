"""Processor time of a training step, of several versions of this project and backends, in one interleaved run.

python -m cunet_tf.trainers.study.measure_step --versions=f94b16f,HEAD --backends=tensorflow,jax \
  --csv=docs/results/step_speed.csv

Run it in a clone with its history. Each version is built into a folder of its own, runs in a process of its own with
one thread, and the processes take turns; random pictures, the recipe's loss and optimizer. Times are the processor's,
quartiles over the rounds; the ratio is the median over the rounds to the first version's step of the same round.
``ceiling_share`` is the time that the convolutions and their gradients would take at the rate of NumPy's product of
large matrices, measured in every round, over the step's time.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.models.counts import list_convs
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.processor import processor
from cunet_tf.rows import Row, write_csv
from cunet_tf.trainers.study import program

WARM_UP = 3  # steps that are not timed: tracing, allocation
SIDE = 1536  # of the matrices
COLUMNS = ("version", "backend", "preset", "quant")  # the first
# Runs in every version since the first with a command line; reads a number of steps a line.
STEPPER = """
import importlib, pathlib, sys, time
import numpy as np, cunet_tf
own = (pathlib.Path(cunet_tf.__file__).parent / "trainers").is_dir()
trainers = "cunet_tf.trainers" if own else "trainers"  # where earlier versions have them
compile_model = importlib.import_module(f"{trainers}.fit").compile_model
recipe_for = importlib.import_module(f"{trainers}.recipes").recipe_for
from cunet_tf.models.build import build_network
from cunet_tf.presets import preset
name, quant, batch, warm_up = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
spec = preset(name).replace(quant=quant)
recipe = recipe_for(spec)
model = build_network(spec)
compile_model(model, spec, recipe.optimizer(100, 100), getattr(recipe, "codecs", "gaussian"))
rng = np.random.default_rng(0)
landmarks, side = spec.skeleton.size, spec.config.heatmap_size
images = rng.random((batch, spec.input_size, spec.input_size, 3), dtype="float32")
points = rng.uniform(1.0, side - 2.0, (batch, landmarks, 2))
targets = np.concatenate([points, np.ones((batch, landmarks, 1))], -1).astype("float32")
targets = [targets] * len(model.outputs) if len(model.outputs) > 1 else targets
for _ in range(warm_up):
    model.train_on_batch(images, targets)
print("ready", flush=True)
for line in sys.stdin:
    start = time.process_time()
    for _ in range(int(line)):
        model.train_on_batch(images, targets)
    print((time.process_time() - start) / int(line), flush=True)
"""


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_list("versions", "HEAD", "Of git; the first is the yardstick.", flag_values=values)
    flags.DEFINE_list("backends", "tensorflow", "Of Keras, for the last version; the others run under TensorFlow.",
                      flag_values=values)  # fmt: skip
    flags.DEFINE_string("preset", "face-mobile", "The network.", flag_values=values)
    flags.DEFINE_string("quant", "float", "Its quantization.", flag_values=values)
    flags.DEFINE_integer("batch_size", 16, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_integer("rounds", 20, "Each is timed once in a round.", 1, flag_values=values)
    flags.DEFINE_integer("steps", 2, "Steps of one timing.", 1, flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def work(values: flags.FlagValues) -> None:
    """Measure, print and write the table.

    Raises:
        CUNetError: git does not know a version, or a process failed.
    """
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        versions = [commit(version) for version in values.versions]
        builds = [built(version, Path(folder)) for version in versions]
        ways = [(version, build, "tensorflow") for version, build in zip(versions, builds, strict=True)]
        ways += [(versions[-1], builds[-1], name) for name in values.backends if name != "tensorflow"]
        arguments = [values.preset, values.quant, str(values.batch_size), str(WARM_UP)]
        running = [started(build, backend, arguments) for _, build, backend in ways]
        try:
            for process in running:
                answer(process)
            rounds = [(matrix_rate(), [step(process, values.steps) for process in running])
                      for _ in range(values.rounds)]  # fmt: skip
        finally:
            for process in running:
                process.kill()
    rate, times = np.median([each[0] for each in rounds]), np.array([each[1] for each in rounds])
    at_best = operations(values.preset, values.batch_size) / rate
    ratios = np.median(times / times[:, :1], axis=0)
    rows: list[Row] = []
    for (version, _, backend), own, ratio in zip(ways, times.T, ratios, strict=True):
        low, middle, high = 1e3 * np.quantile(own, (0.25, 0.5, 0.75))
        rows.append({"version": version, "backend": backend, "preset": values.preset, "quant": values.quant,
                     "batch_size": values.batch_size, "quarter_ms": low, "median_ms": middle, "three_quarters_ms": high,
                     "ratio": float(ratio), "ratio_of_quarters": low / rows[0]["quarter_ms"] if rows else 1.0,
                     "ceiling_share": 1e3 * at_best / middle, "rounds": values.rounds, "cpu": processor()})  # fmt: skip
        print("  ".join(f"{name}={value}" for name, value in rows[-1].items()))
    if values.csv:
        write_csv(Path(values.csv), rows)


def matrix_rate() -> float:
    """Operations a second of processor time of a product of large matrices."""
    matrix = np.ones((SIDE, SIDE), np.float32)
    start = time.process_time()
    for _ in range(3):
        matrix @ matrix
    return 3 * 2.0 * SIDE**3 / (time.process_time() - start)


def operations(name: str, batch_size: int) -> float:
    """Of the convolutions of a step and their gradients; the picture has none."""
    convs = list_convs(preset(name).config)
    return 2.0 * batch_size * (3 * sum(conv.macs for conv in convs) - convs[0].macs)


def commit(version: str) -> str:
    """The short hash of a version.

    Raises:
        CUNetError: git does not know it.
    """
    done = subprocess.run(["git", "rev-parse", "--short=7", f"{version}^{{commit}}"], capture_output=True, text=True)
    if done.returncode:
        raise CUNetError(f"--versions={version}: {done.stderr.strip()}")
    return done.stdout.strip()


def built(version: str, folder: Path) -> Path:
    """The package of a version of this clone, in a folder that Python can import it from.

    Raises:
        CUNetError: it cannot be built.
    """
    source, target = folder / "source" / version, folder / "built" / version
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", version], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    command = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    if done.returncode:
        raise CUNetError(f"--versions={version} cannot be built: {done.stderr[-500:]}")
    return target


def started(build: Path, backend: str, arguments: list[str]) -> "subprocess.Popen[str]":
    """A process that trains with a build, on one thread."""
    environment = {**os.environ, "PYTHONPATH": str(build), "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3",
                   "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1",
                   "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}  # fmt: skip
    command = [sys.executable, "-c", STEPPER, *arguments]
    return subprocess.Popen(command, cwd=build, env=environment, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def step(process: "subprocess.Popen[str]", steps: int) -> float:
    """Processor seconds of a step."""
    assert process.stdin is not None
    process.stdin.write(f"{steps}\n")
    process.stdin.flush()
    return float(answer(process))


def answer(process: "subprocess.Popen[str]") -> str:
    """The next line of a process.

    Raises:
        CUNetError: it has ended.
    """
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    if not line:
        raise CUNetError(f"a version does not train: {process.stderr.read()[-1500:]}")
    return line.strip()


def main(argv: list[str]) -> int:
    """Run the study; 2 on bad input."""
    return program.run("measure_step", define, work, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
