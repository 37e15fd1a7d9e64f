"""Does tfmot, an independent implementation, compute what our quantizers compute? And can it prune CU-Net?

python -m cunet_tf.export.tfmot.reference [--json] [--csv=docs/results/tfmot.csv]

Needs the extra: pip install 'cunet-tf[tfmot]'. Takes about half a minute. Our side runs here, under
Keras 3; tfmot, which switches its process to legacy Keras, runs in another (cunet_tf.export.tfmot.worker).
"""

import json
import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.export.processes import run_module
from cunet_tf.export.tfmot.graphs import INPUT_STEP, NAMES, input_values, integer_result, make_graph
from cunet_tf.outputs import begins_with, claim
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import write_csv

COLUMNS = ("comparison", "values", "max_lsb", "share_different", "from_half_lsb")
MAX_LSB = 1  # a larger difference is a failure


def main(argv: list[str]) -> int:
    """Measure, print, write the table; returns 0, 1 (a difference above 1 LSB) or 2 (bad flag, or no tfmot)."""
    values = flags.FlagValues()
    flags.DEFINE_bool("json", False, "Print one JSON object on stdout.", flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table of differences.", flag_values=values)
    try:
        values(argv)
        if values.csv:
            claim([values.csv], "--csv", begins_with(*COLUMNS))
        result = measure()
    except (CUNetError, flags.Error) as error:
        print(f"tfmot_reference: error: {error}", file=sys.stderr)
        return 2
    if values.csv:
        write_csv(Path(values.csv), result["comparisons"], COLUMNS, digits=3)
    print(json.dumps(result) if values.json else describe(result))
    return 0 if result["ok"] else 1


def measure() -> dict[str, Any]:
    """Both sides and their differences.

    Returns:
        ``comparisons``: rows of :data:`COLUMNS`; ``attempts``: see :func:`cunet_tf.export.tfmot.attempts.try_all`;
        ``ok``: no difference above 1 LSB.

    Raises:
        CUNetError: tfmot is not installed, or its process failed.
    """
    if not (find_spec("tensorflow_model_optimization") and find_spec("tf_keras")):
        raise CUNetError("TensorFlow Model Optimization is not installed: pip install 'cunet-tf[tfmot]'.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        import_quietly("keras")
        from cunet_tf.export.tfmot.ours import back_in_keras, write_networks

        network = write_networks(folder)
        run_module("cunet_tf.export.tfmot.worker", str(folder))
        rows = compare_all(dict(np.load(folder / "tfmot.npz")))
        attempts = json.loads((folder / "attempts.json").read_text())
        if (folder / "pruned.npz").exists():
            attempts.append(back_in_keras(network, dict(np.load(folder / "pruned.npz"))))
    return {"comparisons": rows, "attempts": attempts, "ok": all(row["max_lsb"] <= MAX_LSB for row in rows)}


def compare_all(tfmot: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Rows of :data:`COLUMNS`, from the arrays that the worker wrote."""
    from cunet_tf.export.tfmot.ours import float_result, quantized_input, quantized_kernel

    steps = input_values().astype(np.float64) / INPUT_STEP
    rows = [compare("input grid: our quantizer, tfmot's", quantized_input(), tfmot["input"], steps)]
    for name in NAMES:
        graph = make_graph(name)
        kernel = quantized_kernel(graph)
        ours, exact = float_result(graph, kernel)
        integers, fake, tflite = integer_result(graph, kernel), tfmot[f"{name}/fake"], tfmot[f"{name}/tflite"]
        rows += [
            compare(f"{name}: our quantizers, tfmot's", ours, fake, exact),
            compare(f"{name}: our integer formula, tfmot's .tflite", integers, tflite, exact),
            compare(f"{name}: our quantizers, tfmot's .tflite", ours, tflite, exact),
            compare(f"{name}: tfmot's quantizers, tfmot's .tflite", fake, tflite, exact),
        ]
    return rows


def compare(name: str, ours: np.ndarray, theirs: np.ndarray, exact: np.ndarray) -> dict[str, Any]:
    """One row: integers of equal shape, and the values before rounding, in LSB.

    ``from_half_lsb`` is the largest distance of a differing value from the half between two steps.
    """
    gap = np.abs(ours - theirs)
    off = np.abs(exact % 1.0 - 0.5)[gap > 0]
    return {
        "comparison": name,
        "values": gap.size,
        "max_lsb": int(gap.max()),
        "share_different": float((gap > 0).mean()),
        "from_half_lsb": float(off.max(initial=0.0)),
    }


def describe(result: dict[str, Any]) -> str:
    """The result as text."""
    lines = [f"{'comparison':<52} {'values':>8} {'max LSB':>8} {'different':>10} {'from half':>10}"]
    for row in result["comparisons"]:
        lines.append(f"{row['comparison']:<52} {row['values']:>8} {row['max_lsb']:>8} "
                     f"{row['share_different']:>10.6f} {row['from_half_lsb']:>10.6f}")  # fmt: skip
    lines.append("")
    for row in result["attempts"]:
        lines.append(f"{row['attempt']:<48} {'works' if row['works'] else 'fails'}: {row['outcome']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
