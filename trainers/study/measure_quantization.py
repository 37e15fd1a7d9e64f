"""Health of quantized training on real pictures: gradients, masters, clipping.

python -m cunet_tf.trainers.study.measure_quantization --model=runs/face-bwaq/best.keras --data=300w --root=300w

Writes two tables into --out (docs/results): quantization_gradients.csv, with only the gradient
quantizer switched (same weights, same feature quantizers, same batch), at the start and on the
trained network, and how far each float master moved in the first --steps steps; and
quantization_clipping.csv, what the grids of the trained network cut off. Takes a few minutes.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import flags

from cunet_tf.codec import codec_of
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.sample import Source
from cunet_tf.flags import define_data, source_for
from cunet_tf.models import health
from cunet_tf.models.build import build_network
from cunet_tf.models.saved import load_keras, transfer_weights
from cunet_tf.outputs import begins_with, claim
from cunet_tf.rows import write_csv
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.fit import compile_model
from cunet_tf.trainers.recipes import recipe_for

GRADIENT_BITS = (8, 6)
BATCH = 16
ROUNDING = {False: "stochastic", True: "nearest"}


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="train")
    flags.DEFINE_string("model", None, "Trained .keras file with quantized features.", flag_values=values)
    flags.DEFINE_integer("steps", 100, "Steps after which the masters are compared.", 1, flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder of the tables.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, print the worst figures and write both tables; returns 0."""
    values = flags.FlagValues()
    define(values)
    values(argv)
    gradients, clipping = (Path(values.out, f"quantization_{name}.csv") for name in ("gradients", "clipping"))
    claim([gradients], "--out", begins_with("measure"))
    claim([clipping], "--out", begins_with("model", "tensor"))
    trained = load_keras(values.model)
    source = source_for(values, trained.spec)
    rows = gradient_rows(trained, source) + master_rows(trained.spec, source, values.steps)
    write_csv(gradients, rows)
    images = (images for images, _ in batches(trained.spec, source, 4))
    clipped = health.clipping_rates(trained, images)
    write_csv(clipping, [{"model": values.model, **row} for row in clipped])
    print_worst(rows, clipped)
    return 0


def batches(spec: ModelSpec, source: Source, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first training batches: images ``[B, H, W, 3]`` and targets ``[B, C, 3]``."""
    examples = Examples(source, spec, recipe_for(spec).augmentation, seed=0)
    taken = examples.dataset(BATCH, training=True).take(count)
    return [(images.numpy(), targets[0].numpy()) for images, targets in taken]


def gradient_rows(trained: keras.Model, source: Source) -> list[dict[str, Any]]:
    """Cosine and share of non-zero entries of each kernel's gradient, against float gradients."""
    spec = trained.spec
    (batch,) = batches(spec, source, 1)
    loss = codec_of(spec).loss()
    rows = []
    for state in ("start", "trained"):
        full = health.kernel_gradients(twin(trained, state, 32), loss, *batch)
        for bits in GRADIENT_BITS:
            for nearest in (False, True):
                other = health.kernel_gradients(twin(trained, state, bits, nearest), loss, *batch)
                head = {"measure": "gradient", "state": state, "bits": bits, "rounding": ROUNDING[nearest]}
                rows += [{**head, **row} for row in health.compare_gradients(full, other)]
    return rows


def twin(trained: keras.Model, state: str, bits: int, nearest: bool = False) -> keras.Model:
    """The network with another gradient quantizer; fresh weights (seed 0) or the trained ones."""
    quant = dataclasses.replace(trained.spec.quantization, gradients=bits, nearest=nearest)
    keras.utils.set_random_seed(0)
    model = build_network(trained.spec, quant=quant)
    if state == "trained":
        transfer_weights(trained, model)
    return model


def master_rows(spec: ModelSpec, source: Source, steps: int) -> list[dict[str, Any]]:
    """How far each float master moved in the first steps of a training from scratch."""
    keras.utils.set_random_seed(0)
    model, recipe = build_network(spec), recipe_for(spec)
    compile_model(model, spec, recipe.optimizer(steps, 1), [codec_of(spec)])
    kernels = health.quantized_kernels(model)
    before = {path: np.array(kernel) for path, kernel in kernels.items()}
    data = Examples(source, spec, recipe.augmentation, seed=0).dataset(BATCH, training=True)
    model.fit(data, steps_per_epoch=steps, epochs=1, verbose=2)
    rows = health.master_changes(before, {path: np.array(kernel) for path, kernel in kernels.items()})
    return [{"measure": f"masters after {steps} steps", "bits": spec.quantization.gradients, **row}
            for row in rows]  # fmt: skip


def print_worst(rows: list[dict[str, Any]], clipped: list[dict[str, Any]]) -> None:
    """One line for each measure: the worst layer."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["measure"], row.get("state"), row["bits"], row.get("rounding")), []).append(row)
    for (measure, state, bits, rounding), members in groups.items():
        key = "cosine" if measure == "gradient" else "changed"
        worst = min(members, key=lambda row: row[key])
        others = [name for name in ("nonzero", "relative_change") if name in worst]
        figures = ", ".join(f"smallest {name} {min(row[name] for row in members):.4f}" for name in others)
        where = f"{measure}, {state or 'start'}, {bits} bits{f', {rounding} rounding' if rounding else ''}"
        print(f"{where}: worst {key} {worst[key]:.4f} ({worst['layer']}), {figures}")
    for row in sorted(clipped, key=lambda row: -row["clipped_low"] - row["clipped_high"])[:5]:
        share = 100 * (row["clipped_low"] + row["clipped_high"])
        print(f"clipped {share:.3f} % of {row['tensor']} (r = {row['r']:g}, rms {row['rms']:.2f} r)")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
