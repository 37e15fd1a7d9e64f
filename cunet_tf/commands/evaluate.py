"""cunet evaluate: figures of a model (.keras, .tflite, .onnx or a shipped name) on a data set.

Example:
  cunet evaluate --model=face-mobile --data=300w --root=300w --split=common
  cunet evaluate --model=runs/drawn/best.keras --data=synthetic --split=test --out=runs/drawn --json
"""

from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, require_package
from cunet_tf.evaluation import MEANS, OWN, evaluate
from cunet_tf.flags import define_averaging, define_data, no_arguments, source_for
from cunet_tf.heatmaps import DECODERS
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import begins_with, claim, json_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.progress import progress
from cunet_tf.rows import append_row, number, table
from cunet_tf.writing import replace_text

COLUMNS = (
    "model", "data", "split", "images", "box", "decoder", "flip_test", "crops", "nme_interocular",
    "nme_interpupil", "nme_box", "failure_rate", "auc",
)  # fmt: skip

REPORT, CURVES = "evaluation.json", ("ced.png", "pck.png")


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("model", None, "Model file, or a shipped name.", flag_values=values)
    flags.DEFINE_string("preset", None, f"For files without a description: {', '.join(PRESETS)}.", flag_values=values)
    values["box"].help = (
        "Boxes of the objects: tight, given, official, detector (of the model's own detector), or whole (the whole "
        "picture); by default given ones where the data has them."
    )
    flags.DEFINE_string("detector", "auto", "For --box=detector: auto (faces) or a file, as of predict.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_string("decoder", None, f"{', '.join(DECODERS)}; the model's own by default.", flag_values=values)
    define_averaging(values)
    flags.DEFINE_float(
        "max_nme", None, "Exit with 1 when the main NME is above this percentage.", 0, flag_values=values
    )
    flags.DEFINE_float("min_pck", None, "Exit with 1 when PCK (percent) is lower.", 0, flag_values=values)
    flags.DEFINE_string("csv", None, "Append the headline figures as a row to this file.", flag_values=values)
    flags.DEFINE_string("out", None, "Folder for evaluation.json and the error curve ced.png.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """What the module says; the result for --json and :func:`describe`."""
    no_arguments(rest)
    if not values.model:
        raise CUNetError("name a model with --model: a .keras, .tflite or .onnx file, or a shipped name.")
    if values.out:
        require_package("matplotlib")  # of the curve, drawn at the end
        claim([Path(values.out, name) for name in (REPORT, *CURVES)], "--out")
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS, *(f"pck_{name}" for name in MEANS)))
    spec = preset(values.preset) if values.preset else None
    localizer = Localizer.load(
        values.model, spec=spec, decoder=values.decoder, flip_test=values.flip_test, crops=values.crops
    )
    own = values.box if values.box in OWN else None
    values.box = None if own else values.box
    source = source_for(values, localizer.spec)

    if hidden_labels(source):
        raise CUNetError(
            f"data {values.data}, split {source.split}: no sample is annotated, there is nothing to compare "
            "with: choose another split, or write predictions with cunet predict --data."
        )

    with progress("pictures") as show:
        result = evaluate(localizer, source, show, own, values.detector)
    per_image = result.pop("per_image")
    result = {"model": values.model, "data": values.data, "split": source.split, **result}
    result["ok"] = _within_limits(result, values)
    if values.csv:
        means = result.get("pck_means") or dict.fromkeys(MEANS)
        row = {name: result[name] for name in COLUMNS} | {f"pck_{name}": means[name] for name in MEANS}
        append_row(Path(values.csv), row)
    if values.out:
        _write(Path(values.out), result, per_image, source)
    return result


def _within_limits(result: dict[str, Any], values: flags.FlagValues) -> bool:
    """Whether --max_nme and --min_pck hold; a limit on an undefined figure does not."""
    main = result.get(f"nme_{result['normalizer']}") or result["nme_box"]
    nme = np.inf if main is None else main
    pck = -np.inf if result["pck"] is None else result["pck"]
    return (values.max_nme is None or nme <= values.max_nme) and (values.min_pck is None or pck >= values.min_pck)


def _write(folder: Path, result: dict[str, Any], per_image: np.ndarray, source: Source) -> None:
    """evaluation.json and the curve with its figures: ced.png for faces, pck.png for joints."""
    from cunet_tf.figures import nme_label, plot_shares
    from cunet_tf.metrics import ced

    replace_text(folder / REPORT, json_text(result, indent=2))
    if per_image.ndim == 2:
        limits = np.linspace(0.0, 0.5, 101)
        groups = {"all": range(source.skeleton.size), **source.skeleton.groups}
        parts = {_shown(name, "PCK@0.2", _pck(result, name)): per_image[:, list(ids)] for name, ids in groups.items()}
        curves = {name: ced(part[~np.isnan(part)], limits) for name, part in parts.items()}
        plot_shares(limits, curves, 0.2, "error, share of the torso [%]", "joints [%]", folder / CURVES[1])
        return
    limits = np.linspace(0.0, 0.15, 301)
    subsets = np.array([sample.subset for sample in source])
    main = f"nme_{result['normalizer']}"
    whole = _shown("all", "NME", result[main])
    if result["auc"] is not None:
        whole += f", AUC {result['auc']:.3f}, failures {result['failure_rate']:.1f} %"
    curves = {whole: ced(per_image, limits)}
    if len(result["subsets"]) > 1:
        curves |= {_shown(name, "NME", part[main]): ced(per_image[subsets == name], limits)
                   for name, part in result["subsets"].items()}  # fmt: skip
    label = nme_label(result["normalizer"])
    plot_shares(limits, curves, result["auc_threshold"], label, "pictures [%]", folder / CURVES[0])


def _pck(result: dict[str, Any], group: str) -> float | None:
    """PCK of the torso is that of the whole; groups have theirs only where heads are not known."""
    return result["pck"] if group == "all" else result["per_group"].get(group) if result["pckh"] is None else None


def _shown(name: str, metric: str, value: float | None) -> str:
    return name if value is None else f"{name}: {metric} {value:.2f} %"


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    shown = [name for name in result if name.startswith("nme_")] + ["failure_rate", "auc", "pck", "pckh"]
    rows: list[tuple] = [(name, f"{result[name]:.4g}") for name in shown if result[name] is not None]
    for share, means in {"pck": result.get("pck_means"), **(result.get("pckh_means") or {})}.items():
        label = share if share == "pck" else f"pckh@{share}"
        rows += [
            (f"{label}, mean of {name}", f"{value:.4g}") for name, value in (means or {}).items() if value is not None
        ]
    rows += [(f"  {name}", f"{value:.4g}") for name, value in result["per_group"].items() if value is not None]
    if result["undefined"]:
        rows.append((f"pictures left out, {result['normalizer']} is not defined there", result["undefined"]))
    if result["recall"] < 100.0:
        rows.append(("pictures whose object was seen", f"{result['recall']:.4g}"))
    main, crops = f"nme_{result['normalizer']}", ", 2 crops" if result["crops"] == 2 else ""
    if len(result["subsets"]) > 1:
        rows += [(f"{name} ({row['images']})", number(row[main])) for name, row in result["subsets"].items()]
    return (
        f"{result['data']} {result['split']}: {result['images']} pictures, {result['box']} boxes, decoder "
        f"{result['decoder']}, flip test {'on' if result['flip_test'] else 'off'}{crops}; percent of "
        f"{result['normalizer']}, mean over {result['mean_over']}; AUC to {result['auc_threshold']}\n\n{table(rows)}"
    )
