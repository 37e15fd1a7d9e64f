"""The 7x7 stem of an int8 file, moved onto blocks of 2x2 pixels: the same numbers, sooner."""

import math

import numpy as np

from cunet_tf.compat import parse_tflite, schema, write_tflite
from cunet_tf.export.graph_edit import code_of, give, new_operator, new_tensor, shape_as, stored_bytes
from cunet_tf.files.blocks import BLOCK, BLOCK_KERNEL, PADS, PIXEL_KERNEL, to_blocks

SPACE_TO_DEPTH = schema.BuiltinOperator.SPACE_TO_DEPTH, 2
MARGIN = 3  # pixels on each side of the picture


def with_blocks(tflite: bytes) -> bytes:
    """An int8 model whose picture goes through ``SPACE_TO_DEPTH`` to a convolution of 4x4.

    One that has no 7x7 stem, or has it on blocks already, stays what it is. Weights and sums are those of before, so
    all results are.
    """
    model = parse_tflite(tflite)
    graph = model.subgraphs[0]
    found = _stem(model, graph)
    if found is None:
        return tflite
    pad, conv = found
    kernel, padded = graph.tensors[conv.inputs[1]], graph.tensors[pad.outputs[0]]
    give(model, kernel, to_blocks(stored_bytes(model, kernel).view(np.int8).reshape(kernel.shape)))
    give(model, graph.tensors[pad.inputs[1]], np.array(((0, 0), PADS, PADS, (0, 0)), np.int32))
    batch, *sides, _ = graph.tensors[pad.inputs[0]].shape
    rows, columns = (side // BLOCK for side in sides)
    channels = BLOCK_KERNEL[-1]
    blocks = new_tensor(graph, (batch, rows, columns, channels), padded.type, padded.quantization)
    shape_as(padded, (batch, rows + sum(PADS), columns + sum(PADS), channels))
    split = new_operator(model, SPACE_TO_DEPTH, pad.inputs[0], blocks)
    split.builtinOptionsType = schema.BuiltinOptions.SpaceToDepthOptions
    split.builtinOptions = schema.SpaceToDepthOptionsT()
    split.builtinOptions.blockSize = BLOCK
    graph.operators.insert(graph.operators.index(pad), split)
    pad.inputs = np.array([blocks, pad.inputs[1]], np.int32)
    conv.builtinOptions.strideH = conv.builtinOptions.strideW = 1
    return write_tflite(model)


def _stem(model: schema.ModelT, graph: schema.SubGraphT) -> tuple[schema.OperatorT, schema.OperatorT] | None:
    """The padding of the picture and the convolution of 7x7 behind it, whose constants nothing else reads."""
    pads = [each for each in graph.operators if graph.inputs[0] in each.inputs]
    if len(pads) != 1 or code_of(model, pads[0]) != schema.BuiltinOperator.PAD:
        return None
    convs = [each for each in graph.operators if pads[0].outputs[0] in each.inputs]
    if len(convs) != 1 or code_of(model, convs[0]) != schema.BuiltinOperator.CONV_2D:
        return None
    pad, conv = pads[0], convs[0]
    image, kernel, options = graph.tensors[pad.inputs[0]], graph.tensors[conv.inputs[1]], conv.builtinOptions
    widths, weights = stored_bytes(model, graph.tensors[pad.inputs[1]]), stored_bytes(model, kernel)
    own = all(_readers(graph, index) == 1 for index in (pad.inputs[1], conv.inputs[1]))
    fits = (
        own
        and image.type == kernel.type == schema.TensorType.INT8
        and tuple(kernel.shape[1:]) == PIXEL_KERNEL
        and len(weights) == math.prod(kernel.shape)
        and widths.tobytes() == np.array([0, 0, *[MARGIN] * 4, 0, 0], "<i4").tobytes()
        and not any(side % BLOCK for side in image.shape[1:3])
        and (options.strideH, options.strideW, options.padding) == (BLOCK, BLOCK, schema.Padding.VALID)
        and (options.dilationHFactor, options.dilationWFactor) == (1, 1)
    )
    return (pad, conv) if fits else None


def _readers(graph: schema.SubGraphT, index: int) -> int:
    """Operators that read a tensor's buffer."""
    buffer = graph.tensors[index].buffer
    return sum(graph.tensors[each].buffer == buffer for one in graph.operators for each in one.inputs if each >= 0)
