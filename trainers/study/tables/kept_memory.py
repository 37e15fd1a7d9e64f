"""Training memory as it was measured, for Tables 8 and 9: what ``cunet memory`` wrote."""

from pathlib import Path

from cunet_tf.quantize.names import QuantConfig
from cunet_tf.rows import read_csv

NETWORK = ("stacks", "main_channels", "growth", "input_size", "order", "batch_size")
MODES = ("none", "both")


def kept_ratios(folder: Path) -> dict[tuple[int | None, str], float]:
    """(Bits of the features, mode) -> bytes kept for the backward pass, by those of the float network in mode ``none``.

    Bits of kernels do not count: their masters are float32. Compared are the rows of one network and batch.

    Args:
        folder: with ``memory*.csv``; empty where it holds no quantized network beside a float one.
    """
    rows = [row for file in sorted(folder.glob("memory*.csv")) for row in read_csv(file)
            if {*NETWORK, "quant", "memory", "kept_bytes"} <= set(row)]  # fmt: skip
    groups: dict[tuple[str, ...], dict[tuple[int | None, str], float]] = {}
    for row in rows:
        kept = groups.setdefault(tuple(row[key] for key in NETWORK), {})
        kept.setdefault((QuantConfig.parse(row["quant"]).features, row["memory"]), float(row["kept_bytes"]))
    whole = (None, "none")
    compared = max((kept for kept in groups.values() if whole in kept), key=len, default={})
    return {key: value / compared[whole] for key, value in compared.items() if key[1] in MODES}
