"""cunet info: parameters, operations and bytes of a network, without building it.

Example:
  cunet info                                  lists the presets
  cunet info --preset=pose-2
  cunet info --stacks=8 --order=7 --landmarks=68 --json
"""

from typing import Any

from absl import flags

from cunet_tf.commands.common import define_network, network_config, no_arguments, table
from cunet_tf.models.counts import count
from cunet_tf.presets import PRESETS

TOTALS = ("conv_parameters", "trainable_parameters", "total_parameters", "float32_bytes", "macs")


def define(values: flags.FlagValues) -> None:
    define_network(values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    no_arguments(rest)
    config = network_config(values)
    chosen = any(values[name].present for name in values if name != "json")
    if not chosen:
        return {"presets": {name: count(spec.config) for name, spec in PRESETS.items()}}
    return {"preset": values.preset, "config": config.to_dict(), **count(config)}


def describe(result: dict[str, Any]) -> str:
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
    return f"{options}\n\n{table(parts)}\n\n{table(totals)}"
