"""Float, then quantized, on a machine with JAX and without TensorFlow; the files export elsewhere (docs/gpu.md).

python -m cunet_tf.trainers.study.train_gpu --preset=face-4 --quant="TW-a-QIG(8,2,32)" --workdir=runs/face-4 \
  -- --data=300w --root=300w --split=train

What stands behind ``--`` goes to both calls of ``cunet train``; a stopped run goes on with the same call. Before that
steps on random pictures are timed for each memory mode, in processes of their own: pictures a second, and the peak of
the device's allocator where it has one. ``gpu.csv`` in ``--workdir`` has a row for each, and one for each training.
"""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.outputs import begins_with, claim
from cunet_tf.rows import Row, write_csv
from cunet_tf.trainers.history import read_history
from cunet_tf.trainers.study import program

WARM_UP, STEPS = 3, 10
COLUMNS = ("what", "preset", "quant", "memory", "batch_size", "devices", "pictures_per_second", "peak_bytes", "device",
           "epochs", "error")  # fmt: skip


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("preset", "face-4", "The network.", flag_values=values)
    flags.DEFINE_string("quant", "TW-a-QIG(8,2,32)", "Of the second training; gradients of few bits need TensorFlow.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_list("modes", "none,recompute", "Memory modes that are timed.", flag_values=values)
    flags.DEFINE_integer("batch_size", 24, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_integer("devices", 1, "More than one share each batch.", 1, flag_values=values)
    flags.DEFINE_string("workdir", None, "Folder of both runs and of gpu.csv.", required=True, flag_values=values)
    flags.DEFINE_string("part", None, "A timing; used by the program itself.", flag_values=values)


def work(values: flags.FlagValues, arguments: list[str]) -> None:
    """Time, train, train again; ``arguments`` are those of ``cunet train``.

    Raises:
        CUNetError: a process failed, or foreign files are in the way.
    """
    if values.part:
        print(json.dumps(timed(json.loads(values.part))))
        return
    folder = Path(values.workdir)
    claim([folder / "gpu.csv"], "--workdir", begins_with(*COLUMNS[:3]))
    folder.mkdir(parents=True, exist_ok=True)
    shared = {"preset": values.preset, "batch_size": values.batch_size, "devices": values.devices}
    rows: list[Row] = []
    for mode in values.modes:
        part = {**shared, "quant": "float", "memory": mode, "network": arguments}
        told = run_process([f"--workdir={folder}", f"--part={json.dumps(part)}"], __spec__.name, capture=True)
        rows.append({"what": "timed", **shared, "quant": "float", "memory": mode, **json.loads(told.splitlines()[-1])})
        write_csv(folder / "gpu.csv", rows, COLUMNS)
        print("  ".join(f"{name}={value}" for name, value in rows[-1].items()), flush=True)
    for name, quant, start in (("float", "float", None), ("quantized", values.quant, folder / "float")):
        train(folder / name, quant, start, values, arguments)
        last = read_history(folder / name / "history.csv")
        metric = next(each for each in last[-1] if each.startswith("val_") and not each.endswith("loss"))
        best = min(float(row[metric]) for row in last)
        rows.append({"what": f"trained, {metric} of the best epoch", **shared, "quant": quant, "memory": "none",
                     "device": rows[0]["device"], "epochs": len(last), "error": best})  # fmt: skip
        write_csv(folder / "gpu.csv", rows, COLUMNS)
    print(f"bring {folder / 'quantized' / 'best.keras'} to a machine with TensorFlow: cunet export --model=best.keras "
          "--format=int8 --data=... --calibration_split=...")  # fmt: skip


def train(workdir: Path, quant: str, start: Path | None, values: flags.FlagValues, arguments: list[str]) -> None:
    """One call of ``cunet train``, the same again after a stop."""
    words = ["train", f"--preset={values.preset}", f"--quant={quant}", f"--workdir={workdir}",
             f"--batch_size={values.batch_size}", *arguments]  # fmt: skip
    words += [f"--init={start}"] if start else []
    words += ["--strategy=mirrored", f"--devices={values.devices}"] if values.devices > 1 else []
    words += ["--resume"] if (workdir / "last.keras").exists() else []
    run_process(words, "cunet_tf")


def run_process(words: list[str], module: str, capture: bool = False) -> str:
    """Run a module of this package under Keras on JAX; what it printed, if captured.

    Raises:
        CUNetError: it failed; it has said why.
    """
    pipe = subprocess.PIPE if capture else None
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-m", module, *words], env=environment, stdout=pipe, text=True)
    if done.returncode:
        raise CUNetError(f"{module} {words[0]} ended with code {done.returncode}: see its words above.")
    return done.stdout or ""


def timed(part: dict[str, Any]) -> dict[str, Any]:
    """Steps on random pictures in this process: pictures a second, the allocator's peak, the device."""
    import numpy as np

    from cunet_tf.flags import define_network, network_spec
    from cunet_tf.models.build import build_network
    from cunet_tf.trainers.devices import Devices
    from cunet_tf.trainers.fit import compile_model
    from cunet_tf.trainers.recipes import recipe_for

    values = flags.FlagValues()
    define_network(values)
    values(["", f"--preset={part['preset']}", *part["network"]], known_only=True)
    team = Devices("mirrored", part["devices"]).team() if part["devices"] > 1 else Devices().team()
    device = team.prepare()
    import jax

    with team.training():
        spec = network_spec(values)
        recipe, config, batch = recipe_for(spec), spec.config, part["batch_size"]
        model = build_network(spec, memory=part["memory"])
        compile_model(model, spec, recipe.optimizer(100, 100), recipe.codecs)
        images = np.random.default_rng(0).random((batch, config.input_size, config.input_size, 3), dtype="float32")
        targets = np.full((batch, config.landmarks, 3), config.heatmap_size / 2, "float32")
        heads = [targets] * len(model.outputs) if len(model.outputs) > 1 else targets
        for count in (WARM_UP, STEPS):
            start = time.monotonic()
            for _ in range(count):
                model.train_on_batch(images, heads)
    peaks = [(each.memory_stats() or {}).get("peak_bytes_in_use", 0) for each in jax.local_devices()]
    return {"pictures_per_second": batch * STEPS / (time.monotonic() - start), "peak_bytes": max(peaks) or "",
            "device": device}  # fmt: skip


def main(argv: list[str]) -> int:
    """Run the program; 2 on bad input."""
    end = argv.index("--") if "--" in argv else len(argv)
    return program.run("train_gpu", define, functools.partial(work, arguments=argv[end + 1 :]), argv[:end])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
