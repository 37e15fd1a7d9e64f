"""cunet export: a trained model for deployment, checked against its source and against integer arithmetic.

Formats: float32, float16, int8-weights (float arithmetic, kernels stored in 8 bits); onnx (float32, of float networks);
int8 (what a low-bit network computes in training, exactly), int8-float-io (the same with float at both ends); packed
(.cunet, the int8 file near one bit a weight), packed-float-io, gz.
Float networks become int8 too: --data gives the pictures that choose their grids. Integer formats are also
made of an integer file (.cunet, .tflite), without its Keras model. Of a shipped name float formats come from its
float network, integer ones from its .cunet, which is rounded or was trained in low bits.
A Keras model of your own (Sequential or functional, one input, of QuantConv2D, QuantActivation and Keras' layers) goes
the same way, without landmarks: --inputs=FILE.npy holds arrays as it takes them, to choose open grids and to compare.

Example:
  cunet export --model=face-mobile --format=int8-float-io --out=face.tflite
  cunet export --model=runs/drawn/best.keras --format=float16 --out=face.tflite
  cunet export --model=runs/low/best.keras --format=packed --out=face.cunet \\
      --data=300w --root=300w --split=helen/testset
  cunet export --model=own.keras --format=int8 --out=own.tflite --inputs=pictures.npy
"""

import sys
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands import export_own
from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sample import Source
from cunet_tf.data.synthetic import can_draw, load_synthetic
from cunet_tf.engines import Engine, KerasEngine, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.files.described import is_exported
from cunet_tf.files.formats import ENDINGS, FLOAT
from cunet_tf.files.shipped import find_model, find_weights, shipped_models
from cunet_tf.flags import define_data, no_arguments, source_for
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import PRESETS, preset
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import number, table, write_csv
from cunet_tf.skeletons import FACE68
from cunet_tf.spec import ModelSpec
from cunet_tf.writing import replace_file

NORM_BATCH = 32  # pictures; the last batch may be smaller


def define(values: flags.FlagValues) -> None:
    define_data(values, split="test")
    flags.DEFINE_string(
        "model",
        None,
        "A .keras file, a run, a shipped name; for integer formats an integer file too.",
        flag_values=values,
    )
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    flags.DEFINE_string("format", "float16", f"{', '.join(ENDINGS)}.", flag_values=values)
    flags.DEFINE_string(
        "out",
        None,
        "The file to write: .tflite; .onnx for onnx, .cunet for packed, .tflite.gz for gz.",
        flag_values=values,
    )
    flags.DEFINE_string("name", None, "The model's own name; by default its preset's.", flag_values=values)
    flags.DEFINE_string("license", None, "Terms of the weights, written into the file.", flag_values=values)
    flags.DEFINE_integer("parity_pictures", 32, "Pictures of the parity check.", 1, flag_values=values)
    flags.DEFINE_string(
        "calibration_split", "train", "Part of --data that chooses the grids training left open.", flag_values=values
    )
    flags.DEFINE_integer("calibration_pictures", 64, "So many pictures of it.", 1, flag_values=values)
    flags.DEFINE_enum(
        "norms", "depthwise", ["depthwise", "maximum"],
        "Normalisations of float networks in integer formats: maximum takes less time and fewer bytes, and loses a "
        "little.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string(
        "quant", None, "Round a float network's kernels to W2 to W8, without training.", flag_values=values
    )
    flags.DEFINE_integer(
        "norm_pictures",
        480,
        "With --quant and --data: so many pictures of --calibration_split guide the rounding; 0 for none.",
        0,
        flag_values=values,
    )
    flags.DEFINE_string(
        "calibration", None, "Write grid and clipping rate of each tensor to this CSV.", flag_values=values
    )
    text = "For a model of your own: a .npy file of arrays [N, H, W, C] as it takes them."
    flags.DEFINE_string("inputs", None, text, flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    no_arguments(rest)
    if not values.model or not values.out:
        raise CUNetError("give --model=FILE.keras, or a shipped name, and --out=FILE.")
    import_quietly("keras")
    from cunet_tf.export import parity
    from cunet_tf.export.formats import require_format
    from cunet_tf.export.onnx_file import require_packages

    require_format(values.format, values.out)
    if values.format == "onnx":
        require_packages()
    claim([values.out], "--out", is_exported)
    if values["norms"].present and values.format in FLOAT:
        raise CUNetError("--norms: a float format has its normalisations as they are: choose an integer format.")
    if values.calibration:
        if values.format in FLOAT:
            raise CUNetError("--calibration: a float format has no grids: choose an integer format.")
        claim([values.calibration], "--calibration", begins_with("tensor", "scale"))
    file = source_file(values.model, values.format in FLOAT or bool(values.quant))
    if file.suffix == ".keras":
        from cunet_tf.models.saved import load_keras

        model = load_keras(file)
        if not values.preset and getattr(model, "spec", None) is None:
            return export_own.run(values, file, model)
        made = _of_keras(values, model)
    else:
        made = _of_integers(values, file)
    if values.inputs:
        raise CUNetError(f"--inputs is for models without a description: {file} has one, use --data and --root.")
    exported, spec, reference, source = made
    test, engine = parity.crops_of(source, spec, values.parity_pictures), exported.engine()
    known = bool(values.data) or can_draw(spec.skeleton)
    report = {"landmarks": parity.compare(reference, engine, test, spec, values.format, known)}
    if values.format not in FLOAT:
        report["exact"] = parity.exactness(exported.tflite, test)
    if values.data and not hidden_labels(source):
        report["metric"] = parity.metrics(reference, engine, source, spec, values.format)
    ok = all(part["ok"] for part in report.values())
    if ok:
        replace_file(Path(values.out), lambda target: target.write_bytes(exported.data))
    if values.calibration:
        write_csv(Path(values.calibration), exported.calibration, digits=6)
    return {"model": values.model, "source": str(file), "out": values.out, "format": values.format,
            "bytes": len(exported.data), "opset": exported.opset, "parity_data": f"{source.name} {source.split}",
            "parity": report, "sizes": _sizes(exported), "calibration": exported.calibration, "ok": ok}  # fmt: skip


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


def _of_keras(values: flags.FlagValues, model: Any) -> tuple[Any, ModelSpec, Engine, Source]:
    """The exported file, its description, the Keras model to compare with, and the pictures."""
    from cunet_tf.export import parity
    from cunet_tf.export.formats import export_model

    spec = preset(values.preset) if values.preset else model.spec
    spec = spec.replace(name=values.name or spec.name, license=values.license or spec.license)
    source, calibration = _sources(values, spec, values.format not in FLOAT or bool(values.quant))
    if values.quant:
        model, spec = _rounded(values, model, spec, calibration)
    crops = parity.crops_of(calibration, spec, values.calibration_pictures)
    exported = export_model(model, spec, values.format, crops, values.norms)
    return exported, spec, KerasEngine(model), source


def _rounded(values: flags.FlagValues, model: Any, spec: ModelSpec, pictures: Source) -> tuple[Any, ModelSpec]:
    """The network with k-bit kernels, its normalisations corrected where pictures are the user's."""
    from cunet_tf.export import parity
    from cunet_tf.export.rounding import round_kernels

    batches = []
    if values.data and values.norm_pictures:
        crops = parity.crops_of(pictures, spec, values.norm_pictures)
        batches = [crops[start : start + NORM_BATCH] for start in range(0, len(crops), NORM_BATCH)]
    else:
        print(
            "notice: every weight goes to its nearest integer, and normalisations stay as they are: pictures (--data, "
            "--norm_pictures) would guide the rounding, which loses far less.", file=sys.stderr,
        )  # fmt: skip
    model = round_kernels(model, spec, values.quant, batches)
    return model, model.spec


def _of_integers(values: flags.FlagValues, file: Path) -> tuple[Any, ModelSpec, Engine, Source]:
    """The same of an integer file, which is itself what is compared with."""
    from cunet_tf.export.integer_file import export_integer

    if values.calibration or values.preset or values.quant or values["norms"].present:
        raise CUNetError(
            f"--calibration, --norms, --preset and --quant go with .keras files; {file} has its grids, its description "
            "and its kernels."
        )
    changes = {name: values[name].value for name in ("name", "license") if values[name].value}
    exported, spec = export_integer(file, values.format, changes)
    return exported, spec, load_engine(str(file)), _sources(values, spec, False)[0]


def _sources(values: flags.FlagValues, spec: ModelSpec, grids: bool) -> tuple[Source, Source]:
    """Pictures to compare on, and pictures to choose grids from, where ``grids`` says so: the user's, or drawn ones."""
    if not values.data:
        return _drawn(values, spec, grids)
    source = source_for(values, spec)
    return source, source_for(values, spec, values.calibration_split) if grids else source


def _drawn(values: flags.FlagValues, spec: ModelSpec, grids: bool) -> tuple[Source, Source]:
    """Drawn pictures; own landmarks are compared on faces, which say nothing of grids.

    Raises:
        CUNetError: pictures of own landmarks are needed to choose grids.
    """
    if can_draw(spec.skeleton):
        return load_synthetic(spec.skeleton, "test"), load_synthetic(spec.skeleton, "train")
    if grids:
        raise CUNetError(
            f"--format={values.format}: pictures choose the grids, and {spec.skeleton.name} cannot be drawn: name "
            "yours with --data and --root."
        )
    print(
        f"notice: without --data the heat maps are compared on drawn faces, which need not show {spec.skeleton.name}.",
        file=sys.stderr,
    )
    faces = load_synthetic(FACE68, "test")
    return faces, faces


def _sizes(exported: Any) -> dict[str, int]:
    """Bytes of a packed file by kind; their sum is the file."""
    if ENDINGS[exported.fmt] != ".cunet":
        return {}
    from cunet_tf.export.packed.report import size_report

    return size_report(exported.data)


def describe(result: dict[str, Any]) -> str:
    if "outputs" in result["parity"]:
        return export_own.describe(result)
    landmarks, parts = result["parity"]["landmarks"], []
    rows: list[tuple] = [("landmarks in input pixels", "difference", "tolerance")]
    for name in ("heatmap_max", "heatmap_mean", "landmark_median", "landmark_mean", "landmark_max"):
        rows.append((name, f"{landmarks[name]:.2e}", landmarks["tolerance"].get(name, "-")))
    rows.append(("landmarks that jumped by a tenth of the input", f"{landmarks['landmarks_jumped']:.2%}", "-"))
    metric = result["parity"].get("metric")
    if metric:
        figures = f"source {number(metric['keras'])}, file {number(metric['file'])} on {metric['images']} pictures"
        difference = "undefined" if metric["difference"] is None else f"{metric['difference']:+.2e}"
        margin = f"{metric['tolerance']:.4g} + {metric['uncertainty'] or 0.0:.2g}"  # of few pictures
        rows.append((f"{metric['name']}: {figures}", difference, margin))
    exact = result["parity"].get("exact")
    if exact:
        parts.append(
            f"integer arithmetic: {exact['differences']} of {exact['values']:,} values differ from the reference on "
            f"{exact['pictures']} pictures; {exact['delegated']} of {exact['convolutions']} convolutions delegated to "
            f"XNNPACK, {exact['islands']} conversions amid the graph"
        )
        for worst in sorted(result["calibration"], key=lambda row: -row["clipped"])[:1]:
            parts.append(f"most clipped tensor: {worst['tensor']}, {100 * worst['clipped']:.3f} % of its values")
    if result["sizes"]:
        parts.append("bytes: " + ", ".join(f"{name} {count:,}" for name, count in result["sizes"].items()))
    opset = f", opset {result['opset']}" if result["opset"] else ""
    verdict = "within tolerance" if result["ok"] else "OUT OF TOLERANCE, file not written"
    return "\n".join([
        f"{result['out']}: {result['format']}, {result['bytes']:,} bytes{opset}",
        f"parity with {result['source']} on {landmarks['pictures']} pictures of {result['parity_data']}: {verdict}", "",
        table(rows), *parts,
    ])  # fmt: skip
