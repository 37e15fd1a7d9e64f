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

from dataclasses import fields
from typing import Any

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.files.formats import ENDINGS
from cunet_tf.flags import define_data, no_arguments, source_for
from cunet_tf.presets import PRESETS, preset
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import number, table


def define(values: flags.FlagValues) -> None:
    """The flags."""
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
        "norms", None, ["depthwise", "maximum"],
        "Normalisations of float networks in integer formats, depthwise by default: maximum takes less time and fewer "
        "bytes, and loses a little.",
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
    """What the module says; the result for --json and :func:`describe`."""
    no_arguments(rest)
    if not values.model or not values.out:
        raise CUNetError("give --model=FILE.keras, or a shipped name, and --out=FILE.")
    import_quietly("keras")
    from cunet_tf.export.exporting import export_origin, origin_of
    from cunet_tf.export.exporting_own import require_own
    from cunet_tf.export.options import ExportOptions

    options = ExportOptions(**{field.name: values[field.name].value for field in fields(ExportOptions)})
    origin = origin_of(values.model, options, preset(values.preset) if values.preset else None)
    data = calibration = None
    if values.data and origin.spec is not None:
        data = source_for(values, origin.spec)
        grids = options.needs_grids and origin.model is not None
        calibration = source_for(values, origin.spec, values.calibration_split) if grids else None
    elif origin.spec is None and origin.model is not None:
        require_own(origin.label, {name: values[name].value for name in ("data", "root")})
    return {"model": values.model, **export_origin(origin, options, data, calibration)}


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    if "outputs" in result["parity"]:
        return _describe_own(result)
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


def _describe_own(result: dict[str, Any]) -> str:
    """The report on a model of one's own."""
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
