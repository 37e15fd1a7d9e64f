"""cunet info: parameters, operations and bytes of a network, without building it; what a model file, or a machine, is.

Example:
  cunet info                                  lists the presets
  cunet info face-mobile                      what a shipped model is; --model=FILE for any file or run
  cunet info --preset=pose-2
  cunet info --stacks=8 --order=7 --landmarks=68 --json
  cunet info --preset=hourglass-8 --channels=128
  cunet info --preset=face-8 --quant="BW-a-QIG(818)" --metric=4.47
  cunet info --env                            versions and machine, for a report of a fault
"""

from typing import Any

from absl import flags

from cunet_tf.commands import info_environment, info_model
from cunet_tf.config import NetworkConfig
from cunet_tf.errors import CUNetError
from cunet_tf.flags import define_network, network_config, no_arguments
from cunet_tf.models.counts import count
from cunet_tf.models.size_report import balance_index, report
from cunet_tf.presets import PRESETS
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.rows import table

TOTALS = ("conv_parameters", "trainable_parameters", "total_parameters", "float32_bytes", "macs")
QUANT_TOTALS = {
    "quant": "quantization",
    "float32_bytes": "float32 bytes",
    "ideal_bytes": "ideal bytes",
    "packed_bytes": "packed bytes (estimate)",
    "honest_size_ratio": "ideal bytes / float32 bytes",
    "model_size_ratio": "model size ratio (paper's ideal)",
    "training_memory_ratio": "training memory ratio (paper's ideal)",
    "metric": "error, percent",
    "balance_index": "balance index (paper's ideal ratios)",
    "honest_balance_index": "balance index (ideal bytes / float32 bytes)",
}


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    define_network(values)
    flags.DEFINE_string("model", None, "A model file, a run, or a shipped name.", flag_values=values)
    flags.DEFINE_bool("env", False, "Versions, system, processor and variables.", flag_values=values)
    text = "Error in percent, NME or 100 - PCKh: prints the balance index (eq. 8)."
    flags.DEFINE_float("metric", None, text, flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    chosen = [name for name in values if values[name].present and name != "json"]
    if len(rest) == 1 and not chosen and "=" not in rest[0]:
        return info_model.run(rest[0])
    no_arguments(rest)
    if values.env:
        if len(chosen) > 1:
            raise CUNetError("--env stands alone: it is about the machine.")
        return info_environment.run()
    if values.model:
        if len(chosen) > 1:
            raise CUNetError("--model stands alone: a file says itself what it is.")
        return info_model.run(values.model)
    config = network_config(values)
    if not chosen:
        return {"presets": {name: count(spec.config) for name, spec in PRESETS.items()}}
    result = {"preset": values.preset, "config": config.to_dict(), **count(config)}
    if values.quant is None and values.metric is None:
        return result
    found = _quantization(config, QuantConfig.parse(values.quant), values.metric)
    return {**result, **{name: found[name] for name in ("quant", "ideal_bytes", "packed_bytes")}, "quantization": found}


def _quantization(config: NetworkConfig, quant: QuantConfig, metric: float | None) -> dict[str, Any]:
    found = report(config, quant)
    if metric is None:
        return found
    memory, ideal, honest = (found[f"{name}_ratio"] for name in ("training_memory", "model_size", "honest_size"))
    return {
        **found,
        "metric": metric,
        "balance_index": balance_index(metric, memory, ideal),
        "honest_balance_index": balance_index(metric, memory, honest),
    }


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    if "environment" in result:
        return info_environment.describe(result)
    if "files" in result:
        return info_model.describe(result)
    if "presets" in result:
        rows: list[tuple] = [("preset", "conv parameters", "total parameters", "GMAC", "float32 bytes")]
        for name, row in result["presets"].items():
            gmac = f"{row['macs'] / 1e9:.3f}"
            rows.append((name, row["conv_parameters"], row["total_parameters"], gmac, row["float32_bytes"]))
        return table(rows)
    options = ", ".join(f"{name} {value}" for name, value in result["config"].items() if value is not None)
    parts = [("part", "conv parameters", "MMAC")]
    parts += [(n, p["conv_parameters"], f"{p['macs'] / 1e6:.1f}") for n, p in result["parts"].items()]
    totals = [(name.replace("_", " "), result[name]) for name in TOTALS]
    tables = [options, table(parts), table(totals)]
    if "quantization" in result:
        tables += _quantization_tables(result["quantization"])
    return "\n\n".join(tables)


def _quantization_tables(found: dict[str, Any]) -> list[str]:
    layers = [("layer", "bits", "feature bits", "weights", "operation ratio (theoretical)")]
    for row in found["layers"]:
        ratio = f"{row['operation_ratio']:.2f}"
        layers.append((row["layer"], row["bits"], row["feature_bits"], row["weights"], ratio))
    cells = {name: found[name] for name in QUANT_TOTALS if name in found}
    rows = [(QUANT_TOTALS[n], f"{cell:.4g}" if isinstance(cell, float) else cell) for n, cell in cells.items()]
    return [table(layers), table(rows)]
