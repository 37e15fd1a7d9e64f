"""What a stem on blocks of 2x2 pixels changes: no value, and the time, against the 7x7 form of the same weights.

python -m cunet_tf.trainers.study.measure_stem face-mobile pose-mobile FILE ... --csv=docs/results/stem.csv

FILE is any int8 model, an untrained one as `cunet benchmark "face-8+BW-a-QIG(818):packed"` leaves it in runs/benchmark.
Its stem is put back onto pixels, which is what such files held before layout version 2; both forms run on the same
pictures (--data, else drawn ones), then in turn, once each a round, in processor time at one thread.
"""

import sys
from pathlib import Path

import numpy as np
from absl import flags

from cunet_tf.compat import operator_name, parse_tflite, write_tflite
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.benchmark import Candidate, latencies
from cunet_tf.export.graph_edit import give, shape_as
from cunet_tf.export.parity import crops_of
from cunet_tf.files.blocks import BLOCK, from_blocks
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.flags import define_data, source_for
from cunet_tf.outputs import begins_with, claim
from cunet_tf.processor import processor
from cunet_tf.rows import write_csv

MARGIN = 3  # pixels on each side of the picture that a kernel of 7x7 reads
COLUMNS = ("model", "pictures", "values", "differing")  # the first


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_integer("pictures", 40, "Pictures on which the values are compared.", 1, flag_values=values)
    flags.DEFINE_integer("runs", 200, "Rounds; each form of each model is timed once in a round.", 1,
                         flag_values=values)  # fmt: skip
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Compare, print and write the table; returns 1 where a value differs."""
    values = flags.FlagValues()
    define(values)
    names = values(argv)[1:]
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    new = {name: read_model(find_model(name)) for name in names}
    old = {name: with_pixels(data) for name, data in new.items()}
    rows = [{"model": Path(name).stem, **differences(values, old[name], new[name])} for name in names]
    forms = [Candidate(name, fmt, data, len(data)) for name in names
             for fmt, data in (("7x7", old[name]), ("blocks", new[name]))]  # fmt: skip
    times = latencies(forms, 1, values.runs)
    for row, on_pixels, on_blocks in zip(rows, times[::2], times[1::2], strict=True):
        row |= {"pixels_ms": float(np.median(on_pixels)), "blocks_ms": float(np.median(on_blocks)),
                "ratio": float(np.median(on_blocks / on_pixels)), "runs": values.runs, "cpu": processor()}  # fmt: skip
        print("  ".join(f"{name}={value}" for name, value in row.items()))
    if values.csv:
        write_csv(Path(values.csv), rows, digits=4)
    return int(any(row["differing"] for row in rows))


def differences(values: flags.FlagValues, old: bytes, new: bytes) -> dict[str, int]:
    """How many values of the heat maps, as integers, differ between two forms of a model."""
    spec = spec_of(new)
    if spec is None:
        raise CUNetError("a model without a description: export it again.")
    source = source_for(values, spec) if values.data else load_synthetic(spec.skeleton, values.split)
    pictures = crops_of(source, spec, values.pictures)
    engines = LiteRTEngine(old), LiteRTEngine(new)
    pairs = [[engine.run_raw(picture) for engine in engines] for picture in pictures]
    return {"pictures": len(pictures), "values": sum(one.size for one, _ in pairs),
            "differing": sum(int((one != other).sum()) for one, other in pairs)}  # fmt: skip


def with_pixels(tflite: bytes) -> bytes:
    """An int8 model with its stem put back onto pixels, 7x7 with stride 2: the inverse of ``with_blocks``.

    Raises:
        CUNetError: its stem is not on blocks.
    """
    model = parse_tflite(tflite)
    graph = model.subgraphs[0]
    names = [operator_name(model, each.opcodeIndex) for each in graph.operators[:3]]
    if names != ["SPACE_TO_DEPTH", "PAD", "CONV_2D"]:
        raise CUNetError("its stem is not on blocks: this is no int8 model of a CU-Net, or one of layout version 1.")
    split, pad, conv = graph.operators[:3]
    kernel, widths, padded = (graph.tensors[each] for each in (conv.inputs[1], pad.inputs[1], pad.outputs[0]))
    _, rows, columns, colours = graph.tensors[split.inputs[0]].shape
    stored = np.asarray(model.buffers[kernel.buffer].data, np.uint8).view(np.int8)
    on_pixels = from_blocks(stored.reshape(kernel.shape))
    assert on_pixels is not None, "the writer put zeros there"
    give(model, kernel, on_pixels)
    give(model, widths, np.array([[0, 0], [MARGIN] * 2, [MARGIN] * 2, [0, 0]], np.int32))
    shape_as(padded, (1, rows + 2 * MARGIN, columns + 2 * MARGIN, colours))
    pad.inputs = np.array([split.inputs[0], pad.inputs[1]], np.int32)
    conv.builtinOptions.strideH = conv.builtinOptions.strideW = BLOCK
    graph.operators = graph.operators[1:]
    return write_tflite(model)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
