"""``cunet export`` of a model of one's own, which has no description: its outputs are compared, not landmarks."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from cunet_tf.errors import CUNetError, reason
from cunet_tf.reading import why_unfit
from cunet_tf.rows import table, write_csv
from cunet_tf.writing import replace_file

if TYPE_CHECKING:
    import keras

DRAWN = 32  # inputs, where none are given
MOST_BYTES = 1 << 31
DATA_FLAGS = ("data", "root", "name", "license", "quant")  # that only described networks know what to do with


def run(values: flags.FlagValues, file: Path, model: "keras.Model") -> dict[str, Any]:
    """The report of the export; the file is written where it is within tolerance."""
    from cunet_tf.export.formats import export_model
    from cunet_tf.export.own_parity import compare_outputs

    for flag in DATA_FLAGS:
        if values[flag].present:
            raise CUNetError(
                f"--{flag}: {file} carries no description: give its --preset, or --inputs in place of data."
            )
    if len(model.inputs) != 1:
        raise CUNetError(f"{file}: a model with {len(model.inputs)} inputs: export takes models of one.")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise CUNetError(f"{file}: its input {list(shape)} has open sides: build the model for one size.")
    given, none = read_inputs(values.inputs, shape) if values.inputs else None, np.zeros((0, *shape), np.float32)
    try:
        grids = none if given is None else _spread(given, values.calibration_pictures)
        exported = export_model(model, None, values.format, grids)
    except CUNetError as error:
        raise CUNetError(f"{file}: {error}") from None
    inputs = _drawn(shape) if given is None else _spread(given, values.parity_pictures)
    report = compare_outputs(model, exported.tflite, inputs, values.format)
    if report["ok"]:
        replace_file(Path(values.out), lambda target: target.write_bytes(exported.data))
    if values.calibration:
        write_csv(Path(values.calibration), exported.calibration, digits=6)
    return {"model": values.model, "source": str(file), "out": values.out, "format": values.format,
            "bytes": len(exported.data), "parity_data": values.inputs or "numbers drawn in 0..1", "parity": report,
            "calibration": exported.calibration, "ok": report["ok"]}  # fmt: skip


def read_inputs(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """The arrays of a ``.npy`` file, float32 ``[N, *shape]``, as the model takes them.

    Raises:
        CUNetError: no such file, not one of numbers, of another shape, or empty.
    """
    fault = why_unfit(name, MOST_BYTES)
    if fault:
        raise CUNetError(f"--inputs={name}: {fault}")
    try:
        values = np.load(name, allow_pickle=False)
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "buif":
            raise ValueError("no array of numbers")
    except (ValueError, OSError, EOFError, MemoryError) as error:
        raise CUNetError(
            f"--inputs={name}: not a .npy file of numbers ({reason(error)}): write it by numpy.save."
        ) from None
    if values.shape[1:] != shape or not len(values):
        raise CUNetError(
            f"--inputs={name}: its shape is {list(values.shape)}, the model takes [N, {str(list(shape))[1:]}."
        )
    values = values.astype(np.float32)
    if not np.isfinite(values).all():
        raise CUNetError(f"--inputs={name}: holds values that are not finite: leave them out.")
    return values


def _spread(values: np.ndarray, count: int) -> np.ndarray:
    """So many of them, evenly spread."""
    return values[np.unique(np.linspace(0, len(values) - 1, count).astype(int))]


def _drawn(shape: tuple[int, ...]) -> np.ndarray:
    print("notice: without --inputs the outputs are compared on numbers drawn in 0..1.", file=sys.stderr)
    return np.random.default_rng(0).random((DRAWN, *shape), dtype=np.float32)


def describe(result: dict[str, Any]) -> str:
    """The report as text."""
    parity = result["parity"]
    rows: list[tuple] = [("output", "range", "max difference", "mean", "mean / range", "tolerance")]
    for row in parity["outputs"]:
        figures = (f"{row[name]:.3g}" for name in ("range", "max", "mean", "share"))
        rows.append((row["output"], *figures, f"{parity['tolerance']:g}"))
    parts = [table(rows)]
    found = parity.get("integers")
    if found:
        parts.append(
            f"{found['integer_convolutions']} of {found['convolutions']} convolutions in integers, "
            f"{found['delegated']} delegated to XNNPACK; {found['islands']} conversions amid the graph"
        )
    verdict = "within tolerance" if result["ok"] else "OUT OF TOLERANCE, file not written"
    return "\n".join([
        f"{result['out']}: {result['format']}, {result['bytes']:,} bytes, no description",
        f"parity with {result['source']} on {parity['pictures']} inputs of {result['parity_data']}: {verdict}", "",
        *parts,
    ])  # fmt: skip
