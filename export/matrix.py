"""Every kind of network in every format: does the file compute what Keras computes, or is it refused in one sentence?

    python -m cunet_tf.export.matrix --csv=docs/results/formats.csv

Small untrained networks, each option of the architecture varied alone, on pictures of random patches. A table in
Markdown goes beside the CSV.
"""

import gc
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from absl import flags

from cunet_tf.config import CONV_FIRST, CUNetConfig, NetworkConfig
from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.engines import KerasEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.formats import to_format
from cunet_tf.export.own_parity import INTEGERS as SHARE_OF_INTEGERS
from cunet_tf.export.own_parity import TOLERANCE
from cunet_tf.export.parity import exactness
from cunet_tf.export.untrained import draw_normalizations
from cunet_tf.files.formats import ENDINGS, FLOAT
from cunet_tf.models.build import build_network
from cunet_tf.models.renorm import estimate_norms
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.rows import markdown_table, write_csv
from cunet_tf.skeletons import FACE68, Skeleton
from cunet_tf.spec import ModelSpec
from cunet_tf.writing import replace_text

BASE = CUNetConfig(stacks=2, order=1, main_channels=16, growth=8, landmarks=68, levels=2, input_size=96)
CONV_FIRST_BASE = BASE.replace(norm_order=CONV_FIRST)
DENSE = DenseUNetConfig(2, 16, 8, 68, levels=2, input_size=96)
HOURGLASS = HourglassConfig(2, 16, 2, 68, 96)
COLUMNS = ("network", "format", "bytes", "share", "differing", "result")
PICTURES, PATCHES = 2, 12
# Of trained grids: a value half-way between two steps falls to either side, in float arithmetic too, and what one step
# changes grows through a network that no training has made steady.
ON_GRIDS = 0.1
VARIED: dict[str, tuple[NetworkConfig, str]] = {
    "CU-Net, N 2, K 1": (BASE, "float"),
    "N 1": (BASE.replace(stacks=1, order=0), "float"),
    "N 4, K 0": (BASE.replace(stacks=4, order=0), "float"),
    "N 4, K 1": (BASE.replace(stacks=4), "float"),
    "N 4, K 3": (BASE.replace(stacks=4, order=3), "float"),
    "S 1": (BASE.replace(supervisions=1), "float"),
    "192 px": (BASE.replace(input_size=192), "float"),
    "3 levels": (BASE.replace(levels=3), "float"),
    "1 landmark": (BASE.replace(landmarks=1), "float"),
    "5 landmarks": (BASE.replace(landmarks=5), "float"),
    "refinement": (BASE.replace(refinement=4), "float"),
    "conv first": (CONV_FIRST_BASE, "float"),
    "conv first, TW-a-QIG(828)": (CONV_FIRST_BASE, "TW-a-QIG(828)"),
    "conv first, W4-QIG(848)": (CONV_FIRST_BASE, "W4-QIG(848)"),
    "conv first, refinement, TW-QIG(828)": (CONV_FIRST_BASE.replace(refinement=4), "TW-QIG(828)"),
    "dense U-Net": (DENSE, "float"),
    "hourglass": (HOURGLASS, "float"),
    "BW-a": (BASE, "BW-a"),
    "W4": (BASE, "W4"),
    "BW-a-QIG(818)": (BASE, "BW-a-QIG(818)"),
    "TW-QIG(828)": (BASE, "TW-QIG(828)"),
    "W4-QIG(848)": (BASE, "W4-QIG(848)"),
    "refinement, TW-a-QIG(828)": (BASE.replace(refinement=4), "TW-a-QIG(828)"),
}  # fmt: skip


def described(config: NetworkConfig, quant: str) -> ModelSpec:
    """A description of such a network; other numbers of landmarks than 68 have no names."""
    names = tuple(f"point {index}" for index in range(config.landmarks))
    skeleton = FACE68 if config.landmarks == FACE68.size else Skeleton("points", names)
    return preset("face-mobile").replace(config=config, quant=quant, skeleton=skeleton)


def rows_of(name: str, formats: list[str]) -> list[dict[str, Any]]:
    """A row for each format of one network.

    Returns:
        ``share``: mean difference to Keras as a share of the range of its heat maps; ``differing``: values that differ
        from the integer reference, of integer formats; ``result``: ``parity``, ``no parity``, or the refusal.
    """
    config, quant = VARIED[name]
    spec, rng = described(config, quant), np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = build_network(spec)
    draw_normalizations(model, rng)
    crops = coarse_pictures(rng, config.input_size)
    estimate_norms(model, [crops])  # else hardly anything of the picture arrives at the head
    ours = KerasEngine(model)(crops)
    return [{"network": name, "format": fmt, **_row(model, spec, fmt, crops, ours)} for fmt in formats]


def coarse_pictures(rng: np.random.Generator, side: int) -> np.ndarray:
    """Float32 ``[PICTURES, side, side, 3]`` in 0..1, of random patches: of finer noise the mean is left."""
    patches = rng.random((PICTURES, PATCHES, PATCHES, 3), dtype=np.float32)
    return patches.repeat(side // PATCHES, 1).repeat(side // PATCHES, 2)


def _row(model: keras.Model, spec: ModelSpec, fmt: str, crops: np.ndarray, ours: np.ndarray) -> dict[str, Any]:
    try:
        exported = to_format(model, spec, fmt, crops)
    except CUNetError as refusal:
        return {"bytes": None, "share": None, "differing": None, "result": str(refusal)}
    share = float(np.abs(exported.engine()(crops) - ours).mean() / np.ptp(ours))
    limit = ON_GRIDS if spec.quantization.features else TOLERANCE.get(fmt, SHARE_OF_INTEGERS)
    ok, differing = share <= limit, None
    if fmt not in FLOAT:
        exact = exactness(exported.tflite, crops)
        ok, differing = ok and exact["ok"], exact["differences"]
    result = "parity" if ok else "no parity"
    return {"bytes": len(exported.data), "share": share, "differing": differing, "result": result}


def page(rows: list[dict[str, Any]]) -> str:
    """The table in Markdown: a line for each network, bytes where there is parity, and the refusals below by number."""
    formats = list(dict.fromkeys(row["format"] for row in rows))
    refusals = list(dict.fromkeys(row["result"] for row in rows if row["bytes"] is None))
    lines = [["network", *formats]]
    for name in dict.fromkeys(row["network"] for row in rows):
        cells = {row["format"]: _cell(row, refusals) for row in rows if row["network"] == name}
        lines.append([name, *(cells[fmt] for fmt in formats)])
    notes = [f"({index + 1}) {text}" for index, text in enumerate(refusals)]
    return "\n\n".join([markdown_table(lines), *notes]) + "\n"


def _cell(row: dict[str, Any], refusals: list[str]) -> str:
    if row["bytes"] is None:
        return f"refused ({refusals.index(row['result']) + 1})"
    return f"{row['bytes']:,}" + ("" if row["result"] == "parity" else " **no parity**")


def main(argv: list[str]) -> int:
    """The command; 1 where a file computes something else."""
    values = flags.FlagValues()
    flags.DEFINE_string("csv", None, "Write the table here, and a page of the same name beside it.", flag_values=values)
    flags.DEFINE_multi_string("networks", list(VARIED), "A row; may be given again.", flag_values=values)
    flags.DEFINE_list("formats", list(ENDINGS), "Columns.", flag_values=values)
    values(argv)
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    rows = []
    for name in values.networks:
        rows += rows_of(name, values.formats)
        print(
            "\n".join(
                f"{row['network']}, {row['format']}: {row['result'][:90]}" for row in rows[-len(values.formats) :]
            )
        )
        keras.backend.clear_session()
        gc.collect()
    if values.csv:
        write_csv(Path(values.csv), rows, COLUMNS, digits=3)
        command = f"`python -m cunet_tf.export.matrix --csv={values.csv}`"
        head = f"# Networks and formats\n\nBytes of each file that computes what Keras computes, by {command}.\n\n"
        replace_text(Path(values.csv).with_suffix(".md"), head + page(rows))
    return int(any(row["result"] == "no parity" for row in rows))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv))
    except (CUNetError, flags.Error) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
