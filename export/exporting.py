"""``cu.export_model``: what ``cunet export`` does, with objects in the place of names and the same options."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sample import Source
from cunet_tf.data.synthetic import can_draw, load_synthetic
from cunet_tf.engines import Engine, KerasEngine, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.export import exporting_own, parity
from cunet_tf.export.formats import Exported, to_format
from cunet_tf.export.integer_file import export_integer
from cunet_tf.export.options import ExportOptions
from cunet_tf.export.packed.report import size_report
from cunet_tf.export.rounding import round_kernels
from cunet_tf.files.formats import ENDINGS
from cunet_tf.files.shipped import find_model, find_weights, shipped_models
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.models.saved import load_keras
from cunet_tf.skeletons import FACE68
from cunet_tf.spec import ModelSpec

NORM_BATCH = 32  # pictures; the last batch may be smaller


def export_model(
    model: keras.Model | str | Path,
    out: str | Path,
    *,
    format: str = "float16",
    spec: ModelSpec | None = None,
    data: Source | None = None,
    calibration_data: Source | None = None,
    name: str | None = None,
    license: str | None = None,
    parity_pictures: int = 32,
    calibration_pictures: int = 64,
    norms: str | None = None,
    quant: str | None = None,
    norm_pictures: int = 480,
    calibration: str | None = None,
    inputs: str | None = None,
) -> dict[str, Any]:
    """Write a trained model for deployment, checked against its source and, of integers, against integer arithmetic.

    Args:
        model: a Keras model, a ``.keras`` file, a run's folder or a shipped name; for integer formats an integer file
            too. Models of your own without a description: Sequential or functional, of one input.
        out: the file to write; its ending is the format's.
        format: ``float32``, ``float16``, ``int8-weights``, ``onnx``; ``int8``, ``int8-float-io``, ``packed``,
            ``packed-float-io``, ``gz``.
        spec: description of a model that carries none; with it, its landmarks are compared.
        data: pictures to compare on, with the metric where they are annotated; drawn ones by default.
        calibration_data: pictures that choose the grids which training left open, and guide ``quant``; by default
            ``data``, or drawn ones.
        name, license: written into the file.
        parity_pictures, calibration_pictures, norm_pictures: so many pictures compare, choose grids, guide ``quant``.
        norms: ``depthwise`` or ``maximum``, of float networks in integer formats, see
            :func:`cunet_tf.export.deploy.deploy`.
        quant: ``W2`` to ``W8`` rounds a float network's kernels without training.
        calibration: write grid and clipping rate of each tensor to this CSV file.
        inputs: for a model of your own: a ``.npy`` file of arrays ``[N, H, W, C]`` as it takes them.

    Returns:
        The report of ``cunet export --json``.

    Raises:
        CUNetError: options, model and pictures do not fit, or the file differs from the model by more than it may; it
            is not written then.
        MissingPackage: what the format needs is not installed.
    """
    options = ExportOptions(str(out), format, name, license, parity_pictures, calibration_pictures, norms, quant,
                            norm_pictures, calibration, inputs)  # fmt: skip
    report = export_origin(origin_of(model, options, spec), options, data, calibration_data or data)
    if not report["ok"]:
        raise CUNetError(f"{out}: out of tolerance, not written: {json.dumps(report['parity'])}")
    return report


@dataclass(frozen=True)
class Origin:
    """What a file is made of.

    Attributes:
        label: its file or name, in messages.
        model: the Keras model; ``None`` of an integer file.
        spec: its description, if it has one.
    """

    label: str
    model: keras.Model | None
    spec: ModelSpec | None


def origin_of(model: keras.Model | str | Path, options: ExportOptions, spec: ModelSpec | None = None) -> Origin:
    """A model, loaded where only its name is given; ``spec`` goes before its own description.

    Raises:
        CUNetError: there is none, an ``.onnx`` file, or options that an integer file does not have.
    """
    if isinstance(model, keras.Model):
        return Origin(model.name, model, spec or getattr(model, "spec", None))
    file = source_file(str(model), options.of_floats)
    if file.suffix == ".keras":
        loaded = load_keras(file)
        return Origin(str(file), loaded, spec or getattr(loaded, "spec", None))
    if options.calibration or spec or options.quant or options.norms:
        raise CUNetError(
            f"--calibration, --norms, --preset and --quant go with .keras files; {file} has its grids, its description "
            "and its kernels."
        )
    return Origin(str(file), None, spec_of(read_model(file)))


def source_file(name: str, floats: bool) -> Path:
    """The file that a format is made of; of a shipped name it depends on the kind of format, and that is said.

    Raises:
        CUNetError: there is none, or an ``.onnx`` file.
    """
    if Path(name).suffix == ".onnx":
        raise CUNetError(f"--model={name}: nothing is made of an .onnx file: name the .keras file of its network.")
    if Path(name).exists() or name not in shipped_models():
        return find_weights(name) if Path(name).is_dir() or not Path(name).is_file() else Path(name)
    file = find_weights(name) if floats else find_model(name)
    others, ending = ("integer", "cunet") if floats else ("float", "keras")
    print(
        f"notice: this format is made of {file.name}; {others} formats are made of {name}.{ending}, another network: "
        f"their errors differ, see {name}.md.", file=sys.stderr,
    )  # fmt: skip
    return file


def export_origin(
    origin: Origin, options: ExportOptions, data: Source | None, calibration_data: Source | None
) -> dict[str, Any]:
    """Make the file, compare, and write it if all is within tolerance; the report, as of :func:`export_model`."""
    if origin.model is not None and origin.spec is None:
        return exporting_own.export_own(origin.label, origin.model, options, data)
    if options.inputs:
        raise CUNetError(
            f"--inputs is for models without a description: {origin.label} has one, use --data and --root."
        )
    exported, spec, reference, source = _made(origin, options, data, calibration_data)
    test, engine = parity.crops_of(source, spec, options.parity_pictures), exported.engine()
    known = data is not None or can_draw(spec.skeleton)
    report = {"landmarks": parity.compare(reference, engine, test, spec, options.format, known)}
    if not options.floats:
        report["exact"] = parity.exactness(exported.tflite, test)
    if data is not None and not hidden_labels(source):
        report["metric"] = parity.metrics(reference, engine, source, spec, options.format)
    ok = all(part["ok"] for part in report.values())
    options.write(exported, ok)
    return {"source": origin.label, "out": options.out, "format": options.format, "bytes": len(exported.data),
            "opset": exported.opset, "parity_data": f"{source.name} {source.split}", "parity": report,
            "sizes": _sizes(exported), "calibration": exported.calibration, "ok": ok}  # fmt: skip


def _made(
    origin: Origin, options: ExportOptions, data: Source | None, calibration_data: Source | None
) -> tuple[Exported, ModelSpec, Engine, Source]:
    """The exported file, its description, what to compare it with, and the pictures for that."""
    changes = {name: value for name, value in (("name", options.name), ("license", options.license)) if value}
    model, spec = origin.model, origin.spec
    if model is None or spec is None:
        exported, spec = export_integer(Path(origin.label), options.format, changes)
        return exported, spec, load_engine(origin.label), data or _drawn(spec, options.format, False)[0]
    spec, drawn = spec.replace(**changes), data is None
    data, pictures = _drawn(spec, options.format, options.needs_grids) if data is None else (data, calibration_data)
    pictures = pictures or data
    if options.quant:
        model = _rounded(model, spec, options.quant, options.norm_pictures, None if drawn else pictures)
        spec = model.spec
    crops = parity.crops_of(pictures, spec, options.calibration_pictures)
    return to_format(model, spec, options.format, crops, options.how_norms), spec, KerasEngine(model), data


def _rounded(model: keras.Model, spec: ModelSpec, quant: str, count: int, pictures: Source | None) -> keras.Model:
    """The network with k-bit kernels, its normalisations corrected where so many pictures are the user's."""
    batches = []
    if pictures is not None and count:
        crops = parity.crops_of(pictures, spec, count)
        batches = [crops[start : start + NORM_BATCH] for start in range(0, len(crops), NORM_BATCH)]
    else:
        print(
            "notice: every weight goes to its nearest integer, and normalisations stay as they are: pictures (--data, "
            "--norm_pictures) would guide the rounding, which loses far less.", file=sys.stderr,
        )  # fmt: skip
    return round_kernels(model, spec, quant, batches)


def _drawn(spec: ModelSpec, fmt: str, grids: bool) -> tuple[Source, Source]:
    """Drawn pictures to compare on and to choose grids from; own landmarks are compared on faces, which say nothing of
    grids.

    Raises:
        CUNetError: pictures of own landmarks are needed to choose grids.
    """
    if can_draw(spec.skeleton):
        return load_synthetic(spec.skeleton, "test"), load_synthetic(spec.skeleton, "train")
    if grids:
        raise CUNetError(
            f"--format={fmt}: pictures choose the grids, and {spec.skeleton.name} cannot be drawn: name yours with "
            "--data and --root."
        )
    print(
        f"notice: without --data the heat maps are compared on drawn faces, which need not show {spec.skeleton.name}.",
        file=sys.stderr,
    )
    faces = load_synthetic(FACE68, "test")
    return faces, faces


def _sizes(exported: Exported) -> dict[str, int]:
    """Bytes of a packed file by kind; their sum is the file."""
    return size_report(exported.data) if ENDINGS[exported.fmt] == ".cunet" else {}
