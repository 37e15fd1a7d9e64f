"""The export of a model of one's own, which has no description: its outputs are compared, not landmarks."""

import sys
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, reason
from cunet_tf.export.formats import to_format
from cunet_tf.export.options import ExportOptions
from cunet_tf.export.own_parity import compare_outputs
from cunet_tf.reading import why_unfit

DRAWN = 32  # inputs, where none are given
MOST_BYTES = 1 << 31


def export_own(label: str, model: keras.Model, options: ExportOptions, data: Source | None) -> dict[str, Any]:
    """The report of the export; the file is written where it is within tolerance.

    Raises:
        CUNetError: options of described networks, several inputs, open sides, or what :func:`to_format` refuses.
    """
    require_own(label, {"data": data, "name": options.name, "license": options.license, "quant": options.quant})
    if len(model.inputs) != 1:
        raise CUNetError(f"{label}: a model with {len(model.inputs)} inputs: export takes models of one.")
    shape = tuple(model.inputs[0].shape[1:])
    if None in shape:
        raise CUNetError(f"{label}: its input {list(shape)} has open sides: build the model for one size.")
    given, none = read_inputs(options.inputs, shape) if options.inputs else None, np.zeros((0, *shape), np.float32)
    try:
        grids = none if given is None else _spread(given, options.calibration_pictures)
        exported = to_format(model, None, options.format, grids)
    except CUNetError as error:
        raise CUNetError(f"{label}: {error}") from None
    inputs = _drawn(shape) if given is None else _spread(given, options.parity_pictures)
    report = compare_outputs(model, exported.tflite, inputs, options.format)
    options.write(exported, report["ok"])
    return {"source": label, "out": options.out, "format": options.format, "bytes": len(exported.data),
            "parity_data": options.inputs or "numbers drawn in 0..1", "parity": report,
            "calibration": exported.calibration, "ok": report["ok"]}  # fmt: skip


def require_own(label: str, options: Mapping[str, object]) -> None:
    """Refuse options, by their names, that only described networks know what to do with.

    Raises:
        CUNetError: one of them is not ``None``.
    """
    for flag, value in options.items():
        if value is not None:
            raise CUNetError(
                f"--{flag}: {label} carries no description: give its --preset, or --inputs in place of data."
            )


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
