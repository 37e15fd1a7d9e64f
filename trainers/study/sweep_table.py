"""The result of a sweep as rows and as CSV: conditions, metric, bits, sizes, balance index."""

from typing import Any

from cunet_tf.flags import shown_path
from cunet_tf.models.size_report import balance_index, report
from cunet_tf.presets import network_name
from cunet_tf.rows import Row, csv_text
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.study.paper import JOINTS

FLOAT_BITS = 32
ABOUT = (
    "quant", "preset", "data", "split", "train_images", "test_split", "images", "epochs", "init", "seed",
    "normalizer", "box", "metric",
)  # fmt: skip
FACES, BODIES = ("nme",), ("pck", "pckh", "pck_limbs")
COSTS = (
    "error", "weight_bits", "feature_bits", "gradient_bits", "ideal_bytes", "packed_bytes", "honest_size_ratio",
    "training_memory_ratio", "model_size_ratio", "balance_index", "honest_balance_index",
)  # fmt: skip


def make_row(config: dict[str, Any], evaluation: dict[str, Any]) -> Row:
    """Conditions, metric, bits, sizes and balance index of one finished configuration.

    Args:
        config: ``config.json`` of the run.
        evaluation: the result of ``cunet evaluate`` on its ``best.keras``.

    Returns:
        A value for every column of :func:`columns`, ``None`` where it is not defined, and
        ``missing``: parts of the data that were not on disk.
    """
    spec, data = ModelSpec.from_dict(config["spec"]), config["data"]
    figures = metric_of(evaluation)
    return {
        "quant": spec.quant, "preset": network_name(spec), "data": data["name"], "split": data["split"],
        "train_images": data["train_images"], "test_split": evaluation["split"], "images": evaluation["images"],
        "epochs": config["epochs"], "init": config["init"] and shown_path(config["init"]), "seed": config["seed"],
        "normalizer": evaluation["normalizer"], "box": evaluation["box"], **figures,
        **_costs(spec, figures["error"]), "missing": [*data["missing"], *evaluation["missing"]],
    }  # fmt: skip


def metric_of(evaluation: dict[str, Any]) -> Row:
    """The metric of ``cunet evaluate`` by its name, and the error in percent (NME, or 100 - PCK)."""
    if evaluation["pck"] is None:
        nme = evaluation[f"nme_{evaluation['normalizer']}"]
        return {"metric": "NME", "nme": nme, "error": nme}
    pck, pckh = evaluation["pck"], evaluation["pckh"]
    return {
        "metric": "PCK@0.2" if pckh is None else "PCKh@0.5",
        "pck": pck, "pckh": pckh, "pck_limbs": evaluation["pck_means"]["limbs"],
        "error": 100.0 - (pck if pckh is None else pckh),
        **{joint: evaluation["per_group"].get(joint) for joint in JOINTS},
    }  # fmt: skip


def _costs(spec: ModelSpec, error: float | None) -> Row:
    quant = spec.quantization
    found = report(spec.config, quant)
    memory, ideal, honest = (found[f"{name}_ratio"] for name in ("training_memory", "model_size", "honest_size"))
    return {
        "weight_bits": quant.weight_bits,
        "feature_bits": quant.features or FLOAT_BITS,
        "gradient_bits": quant.gradients or FLOAT_BITS,
        **{name: value for name, value in found.items() if name in COSTS},
        "balance_index": None if error is None else balance_index(error, memory, ideal),
        "honest_balance_index": None if error is None else balance_index(error, memory, honest),
    }


def columns(rows: list[Row]) -> list[str]:
    """Of the CSV: figures of joints for bodies, the NME for faces."""
    bodies = are_bodies(rows)
    return [*ABOUT, *(BODIES if bodies else FACES), *COSTS, *(JOINTS if bodies else ())]


def to_csv(rows: list[Row]) -> str:
    """The rows with a header; floats with five digits, an undefined value is empty."""
    return csv_text(rows, columns(rows))


def are_bodies(rows: list[Row]) -> bool:
    """Whether joints were scored by PCK, rather than faces by the NME."""
    return any("pck" in row for row in rows)
