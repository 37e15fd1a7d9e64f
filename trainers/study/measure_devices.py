"""Whether several devices train as one does: losses and variables after the same steps, beside those of one device.

python -m cunet_tf.trainers.study.measure_devices --out=docs/results

Every way of training starts from one file, sees the same pictures in the same order (drawn faces), and runs in
processes of its own. A difference is given as a share of what training has changed: of a variable, the largest
difference of an entry over the largest change of one; the table has the largest over all variables.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.outputs import begins_with, claim, is_ours, page_text
from cunet_tf.processor import processor
from cunet_tf.rows import Row, markdown_table, number, write_csv
from cunet_tf.trainers.cluster import VARIABLE
from cunet_tf.trainers.study import program
from cunet_tf.writing import replace_text

if TYPE_CHECKING:
    import keras

    from cunet_tf.spec import ModelSpec

BATCH, PICTURES = 8, 64
CASES = {  # quantization, optimizer, learning rate, steps
    "float, SGD, 20 steps": ("float", "sgd", 1e-6, 20),
    "float, RMSprop, 1 step": ("float", "rmsprop", 1e-3, 1),
    "float, RMSprop, 20 steps": ("float", "rmsprop", 1e-3, 20),
    "TW-QIG(828), SGD, 1 step": ("TW-QIG(828)", "sgd", 1e-6, 1),
    "TW-QIG(828), RMSprop, 1 step": ("TW-QIG(828)", "rmsprop", 1e-3, 1),
    "TW-QIG(828), RMSprop, 20 steps": ("TW-QIG(828)", "rmsprop", 1e-3, 20),
}
ROUNDED = "one device, start off by a last bit"
WAYS = {  # backend, strategy, devices; what it is compared with
    "one device": ("tensorflow", "one", 0, ""),
    ROUNDED: ("tensorflow", "one", 0, "one device"),
    "two CPUs, mirrored": ("tensorflow", "mirrored", 2, "one device"),
    "two workers": ("tensorflow", "multiworker", 0, "one device"),
    "JAX, one device": ("jax", "one", 0, "one device"),
    "JAX, two devices": ("jax", "mirrored", 2, "JAX, one device"),
}
COLUMNS = ("case", "way", "beside", "loss_difference", "weights", "statistics", "typical", "cpu")
PAGE = """# Several devices train as one

Made by `python -m cunet_tf.trainers.study.measure_devices --out=docs/results`; all rows are in
[devices.csv](devices.csv).

A CU-Net of 2 U-Nets (m 16, n 8, 64 px), {batch} drawn faces a step, the same start and order for all. `loss`: largest
relative difference of a step's loss. The others are shares of what training has changed, the largest over all
variables of the largest difference of an entry over the largest change of one: `weights` of kernels, gamma and beta,
`statistics` of the moving means and variances; `typical` is the median over all entries of all weights. The
measure of all is one device whose start differs in the last bit of every kernel: what rounding alone makes of these
steps. {cpu}.

{table}

RMSprop divides a gradient by its own size: in the first step every entry moves by the same amount, up or down, so that
an entry whose gradient is zero but for rounding may go either way, and the largest difference says no more than that
there is one. Features of few bits make the same of values that lie between two steps of their grid. `typical` tells.
"""


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("out", None, "Folder of devices.csv and devices.md.", required=True, flag_values=values)
    flags.DEFINE_list("cases", list(CASES), "Of these.", flag_values=values)
    flags.DEFINE_string("part", None, "A way of training; used by the study itself.", flag_values=values)


def work(values: flags.FlagValues) -> None:
    """Train in all ways, compare, write the table.

    Raises:
        CUNetError: a process failed, or foreign files are in the way.
    """
    if values.part:
        train_part(json.loads(values.part))
        return
    unknown = sorted(set(values.cases) - set(CASES))
    if unknown:
        raise CUNetError(f"--cases: {', '.join(unknown)}: known are {'; '.join(CASES)}.")
    out = Path(values.out)
    claim([out / "devices.csv"], "--out", begins_with(*COLUMNS[:3]))
    claim([out / "devices.md"], "--out", is_ours)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in values.cases:
            for row in compare(case, Path(folder)):
                rows.append(row)
                print("  ".join(f"{name}={value}" for name, value in row.items() if name != "cpu"), flush=True)
    out.mkdir(parents=True, exist_ok=True)
    write_csv(out / "devices.csv", rows, COLUMNS)
    lines = [["case", "way", "beside", "loss", "weights", "statistics", "typical"]]
    lines += [[str(row[name]) if isinstance(row[name], str) else number(row[name], ".1e") for name in COLUMNS[:-1]]
              for row in rows]  # fmt: skip
    text = PAGE.format(batch=BATCH, cpu=processor(), table=markdown_table(lines))
    replace_text(out / "devices.md", page_text(text))


def compare(case: str, folder: Path) -> Iterator[Row]:
    """Train in all ways that a case has; one row for each way that is beside another."""
    found: dict[str, Any] = {}
    for way, (backend, _, _, beside) in WAYS.items():
        if backend == "jax" and CASES[case][0] != "float":  # gradients of few bits are TensorFlow's
            continue
        found[way] = processes(case, way, folder)
        if beside:
            first, other = found[beside], found[way]
            losses = np.max(np.abs(other["losses"] / first["losses"] - 1.0))
            yield {"case": case, "way": way, "beside": beside, "loss_difference": float(losses),
                   **differences(first, other), "cpu": processor()}  # fmt: skip


def differences(first: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> Row:
    """Shares of what training has changed, see the module."""
    names = [name for name in first if name.startswith("end/")]
    largest: dict[bool, float] = {True: 0.0, False: 0.0}
    typical = []
    for name in names:
        change = np.max(np.abs(first[name] - first[name.replace("end/", "start/")]))
        if not change:
            continue
        shares = np.abs(other[name] - first[name]) / change
        moving = "moving_" in name
        largest[moving] = max(largest[moving], float(np.max(shares)))
        if not moving:
            typical.append(shares.ravel())
    return {"weights": largest[False], "statistics": largest[True],
            "typical": float(np.median(np.concatenate(typical)))}  # fmt: skip


def processes(case: str, way: str, folder: Path) -> Mapping[str, np.ndarray]:
    """Train in one process, or two workers; losses of the steps, variables at the start and at the end."""
    backend, strategy, devices, _ = WAYS[way]
    count = 2 if strategy == "multiworker" else 1
    part = {"case": case, "strategy": strategy, "devices": devices, "rounded": way == ROUNDED,
            "start": str(folder / f"{case[:5]}.keras"), "out": str(folder / "part.npz")}  # fmt: skip
    workers = free_addresses(count)
    running = []
    try:
        for index in range(count):
            environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
            if count > 1:
                task = {"type": "worker", "index": index}
                environment[VARIABLE] = json.dumps({"cluster": {"worker": workers}, "task": task})
            command = [sys.executable, "-m", __spec__.name, f"--out={folder}", f"--part={json.dumps(part)}"]
            running.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        for process in running:
            said = process.communicate()[1]
            if process.returncode:
                raise CUNetError(f"{case}, {way}: {said[-1500:]}")
    finally:
        for process in running:
            process.kill()
    with np.load(folder / "part.npz") as file:
        return dict(file)


def free_addresses(count: int) -> list[str]:
    """Addresses of this machine at which nobody listens."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    names = [f"127.0.0.1:{each.getsockname()[1]}" for each in listeners]
    for each in listeners:
        each.close()
    return names


def train_part(part: dict[str, Any]) -> None:
    """One way of training, in this process."""
    import keras

    from cunet_tf.config import CUNetConfig
    from cunet_tf.data.pipeline import Examples
    from cunet_tf.data.synthetic import load_synthetic
    from cunet_tf.presets import preset
    from cunet_tf.trainers.devices import Devices

    quant, _, _, steps = CASES[part["case"]]
    config = CUNetConfig(2, 1, 16, 8, landmarks=68, levels=2, input_size=64)
    spec = preset("face-mobile").replace(config=config, quant=quant)
    team = Devices(part["strategy"], part["devices"]).team()
    team.prepare()
    team.start({})
    examples = Examples(load_synthetic(spec.skeleton, f"0:{PICTURES}"), spec)
    losses: list[float] = []
    log = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: losses.append(logs["loss"]))
    with team.training():
        with team.scope():
            model = _compiled(part, spec)
        before = variables(model, "start")
        for epoch in range(-(-steps // examples.steps(BATCH))):
            last = min(steps - epoch * examples.steps(BATCH), examples.steps(BATCH))
            data = team.feed(examples, BATCH, training=True, epoch=epoch)
            model.fit(data, steps_per_epoch=last, initial_epoch=epoch, epochs=epoch + 1, callbacks=[log], verbose=0,
                      shuffle=False)  # fmt: skip
        if team.chief:
            # Keras logs the mean over an epoch's steps so far.
            found = {"losses": np.array(losses, np.float64), **before, **variables(model, "end")}
            np.savez(part["out"], **found)  # type: ignore[arg-type]


def _compiled(part: dict[str, Any], spec: "ModelSpec") -> "keras.Model":
    """The network all start from, which the first makes; of the rounded control each weight is the next number."""
    import keras

    from cunet_tf.codec import GaussianCodec
    from cunet_tf.models.build import build_network
    from cunet_tf.models.saved import load_keras
    from cunet_tf.trainers.fit import compile_model
    from cunet_tf.trainers.recipes import rmsprop

    _, optimizer, rate, _ = CASES[part["case"]]
    start = Path(part["start"])
    if not start.exists():
        keras.utils.set_random_seed(0)
        build_network(spec).save(start)
    model = load_keras(start)
    for kernel in (each for each in model.trainable_variables if part["rounded"] and each.name == "kernel"):
        kernel.assign(np.nextafter(np.array(kernel), np.float32(2.0)))
    made = keras.optimizers.SGD(rate) if optimizer == "sgd" else rmsprop(rate)
    compile_model(model, spec, made, (GaussianCodec(spec.sigma),))
    return model


def variables(model: "keras.Model", when: str) -> dict[str, np.ndarray]:
    """All variables by their paths."""
    return {f"{when}/{each.path}": np.array(each) for each in model.variables}


def main(argv: list[str]) -> int:
    """Run the study; 2 on bad input."""
    return program.run("measure_devices", define, work, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
