"""cunet export: a trained .keras model as .tflite, or a low-bit one in compact form, checked against Keras.

Example:
  cunet export --model=runs/drawn/best.keras --format=float16 --out=face.tflite
  cunet export --model=runs/face/best.keras --format=float32 --out=face.tflite \\
      --data=300w --root=300w --split=helen/testset
  cunet export --model=runs/low/best.keras --format=compact --out=face.npz
"""

from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands.common import define_data, no_arguments, request_source, table
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.engines import KerasEngine, LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, preset
from cunet_tf.quiet import native_stderr_hidden


def define(values: flags.FlagValues) -> None:
    define_data(values, split="test")
    flags.DEFINE_string("model", None, "A .keras file.", flag_values=values)
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    flags.DEFINE_string("format", "float16", "float32, float16, or compact (low-bit).", flag_values=values)
    flags.DEFINE_string("out", None, "The file to write: .tflite, or .npz for compact.", flag_values=values)
    flags.DEFINE_string("name", None, "The model's own name; by default its preset's.", flag_values=values)
    flags.DEFINE_string("license", None, "Terms of the weights, written into the file.", flag_values=values)
    flags.DEFINE_integer("parity_pictures", 16, "Pictures of the parity check.", 1, flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    no_arguments(rest)
    if not values.model or not values.out:
        raise CUNetError("give --model=FILE.keras and --out=FILE.tflite.")
    ending = ".npz" if values.format == "compact" else ".tflite"
    if not values.out.endswith(ending):
        raise CUNetError(f"--out={values.out}: name a file that ends in {ending}.")

    with native_stderr_hidden():
        from cunet_tf.models.saved import load_keras
        from export.compact import load_compact, save_compact
        from export.parity import compare, crops_of
        from export.tflite import FORMATS, convert

    if values.format not in (*FORMATS, "compact"):
        raise CUNetError(f"--format={values.format}: use one of {', '.join(FORMATS)}, compact.")
    model = load_keras(values.model)
    spec = preset(values.preset) if values.preset else getattr(model, "spec", None)
    if spec is None:
        raise CUNetError(f"{values.model} carries no description: name its --preset.")
    spec = spec.replace(name=values.name or spec.name, license=values.license or spec.license)
    # Without data of the user's own, drawn pictures are enough to compare two programs.
    source = request_source(values, spec.skeleton) if values.data else load_synthetic(spec.skeleton, "test")

    if values.format == "compact":
        model.spec = spec
        data = save_compact(model)
        engine: Any = KerasEngine(load_compact(data))
    else:
        data = convert(model, spec, values.format)
        engine = LiteRTEngine(data)
    crops = crops_of(source, spec, values.parity_pictures)
    report = compare(KerasEngine(model), engine, crops, spec, values.format)
    if report["ok"]:
        Path(values.out).parent.mkdir(parents=True, exist_ok=True)
        Path(values.out).write_bytes(data)
    return {"model": values.model, "out": values.out, "format": values.format, "bytes": len(data),
            "parity_data": f"{source.name} {source.split}", "parity": report, "ok": report["ok"]}  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    parity = result["parity"]
    limits = parity["tolerance"]
    rows: list[tuple] = [("", "difference", "tolerance")]
    for name in ("heatmap_max", "heatmap_mean", "landmark_mean", "landmark_max"):
        rows.append((name, f"{parity[name]:.2e}", limits.get(name, "-")))
    verdict = "within tolerance" if result["ok"] else "OUT OF TOLERANCE, file not written"
    return (
        f"{result['out']}: {result['format']}, {result['bytes']:,} bytes\nparity with {result['model']} on "
        f"{parity['pictures']} pictures of {result['parity_data']} (landmarks in input pixels): {verdict}\n\n"
        f"{table(rows)}"
    )
