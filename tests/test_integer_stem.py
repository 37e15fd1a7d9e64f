"""The stem of integer files of before, moved onto blocks: all results stay what they are."""

import numpy as np
import pytest

from cunet_tf.compat import parse_tflite, write_tflite
from cunet_tf.engines import LiteRTEngine
from cunet_tf.export.integer_stem import with_blocks
from cunet_tf.export.tflite import operator_names
from cunet_tf.files.graph_rules import require_sound
from cunet_tf.files.tflite import spec_of
from tests.networks import BINARY, crops, float_file, integer_file
from tests.stems import pixel_file

SLOW = [pytest.param(*each, marks=pytest.mark.slow) for each in (("TW", "two passes"), ("float", "dense"))]
CASES = [(BINARY, "plain"), ("float", "plain"), *SLOW]


@pytest.mark.parametrize("quant, shape", CASES)
def test_nothing_differs_from_the_stem_on_pixels(quant, shape):
    old, new = pixel_file(quant, shape), integer_file(quant, shape)
    moved = with_blocks(old)
    assert operator_names(old)[:2] == ["PAD", "CONV_2D"] and not require_sound(moved)
    assert operator_names(moved) == operator_names(new) == ["SPACE_TO_DEPTH", *operator_names(old)]
    expected = LiteRTEngine(old)(crops())
    np.testing.assert_array_equal(LiteRTEngine(moved)(crops()), expected)
    apart = np.abs(LiteRTEngine(new)(crops()) - expected)
    # A float network is calibrated once for each file: ranges differ in the last bit, and here and there a rounding.
    assert apart.max() <= (5 * spec_of(new).output.scale if quant == "float" else 0.0)


def changed(pick) -> bytes:
    """A file of before with another number in its first two operators."""
    model = parse_tflite(pixel_file(BINARY))
    pick(model, *model.subgraphs[0].operators[:2])
    return write_tflite(model)


def no_weights(model, pad, conv):
    model.buffers[model.subgraphs[0].tensors[conv.inputs[1]].buffer].data = None


def other_widths(model, pad, conv):
    model.buffers[model.subgraphs[0].tensors[pad.inputs[1]].buffer].data[8] = 2


def other_strides(model, pad, conv):
    conv.builtinOptions.strideW = 1


def read_twice(model, pad, conv):
    conv.inputs[2] = conv.inputs[1]


def other_padding(model, pad, conv):
    pad.opcodeIndex = conv.opcodeIndex


def other_reader(model, pad, conv):
    conv.opcodeIndex = pad.opcodeIndex


def two_readers(model, pad, conv):
    model.subgraphs[0].operators.append(pad)


@pytest.mark.parametrize(
    "pick", [no_weights, other_widths, other_strides, read_twice, other_padding, other_reader, two_readers]
)
def test_another_stem_stays_as_it_is(pick):
    data = changed(pick)
    assert with_blocks(data) is data


def test_a_stem_on_blocks_and_a_float_network_stay_as_they_are():
    for data in (integer_file(BINARY), float_file()):
        assert with_blocks(data) is data
