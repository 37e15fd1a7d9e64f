"""What the operations of a ``.tflite`` network do to shapes: a file that says otherwise is damaged."""

import math
from collections.abc import Callable

from cunet_tf.compat import schema
from cunet_tf.errors import CUNetError
from cunet_tf.files.flatbuffer import Table, damaged
from cunet_tf.files.graph import Operation, Tensor, read_graph

Shape = tuple[int, ...]
MOST_PRODUCTS = 10**12  # multiplications of one picture; the largest networks of the papers take some 10**11
SAME, INT8 = schema.Padding.SAME, schema.TensorType.INT8
_OPTIONS = schema.BuiltinOptions


class Unfit(Exception):
    """An operation whose shapes or options cannot be."""


def require_sound(data: bytes) -> list[str]:
    """Look whether a ``.tflite`` file is a network that LiteRT can be given; cheap, and nothing is run.

    Returns:
        Names of its operations that no rule is for: with them LiteRT is to be tried first.

    Raises:
        CUNetError: it is not; says which operation is wrong.
    """
    graph, products, others = read_graph(data), 0, []
    for place, each in enumerate(graph.operations):
        rule = RULES.get(each.name)
        if rule is None:
            others.append(each.name)
            continue
        taken = [graph.tensors[index] if index >= 0 else None for index in each.inputs]
        given = [graph.tensors[index] for index in each.outputs]
        try:
            grids = [tensor.steps for tensor in (*taken, *given) if tensor and tensor.type == INT8]
            _require(all(grids), "an int8 tensor without a step")
            products += rule(each, taken, given)
        except Unfit as error:
            raise damaged(f"operation {place}, {each.name}: {error}") from None
    if products > MOST_PRODUCTS:
        raise CUNetError(f"{products:,} multiplications for a picture: give a smaller network.")
    return others


def _require(true: bool, what: str) -> None:
    if not true:
        raise Unfit(what)


def _operands(each: Operation, taken: list[Tensor | None], given: list[Tensor], least: int, most: int = 0) -> list:
    """The inputs, where their number is right and none but a bias is left out."""
    _require(least <= len(taken) <= (most or least) and len(given) == 1, f"{len(taken)} inputs, {len(given)} outputs")
    _require(all(tensor is not None for tensor in taken[:2]), "an input is left out")
    return taken


def _options(each: Operation, kind: int) -> Table:
    if each.options is None or each.options_type != kind:
        raise Unfit("its options are not there")
    return each.options


def _windows(options: Table, shape: Shape, size: Shape, dilations: Shape) -> Shape:
    """Rows and columns behind a window that moves over a picture: padding and strides are fields 0, 2 and 1."""
    strides = options.number(2, "<i"), options.number(1, "<i")
    _require(all(1 <= stride <= 1024 for stride in strides), f"strides of {strides}")
    _require(all(1 <= number <= 1024 for number in (*size, *dilations)), f"a window of {size}, dilated by {dilations}")
    padding = options.number(0, "<b")
    _require(padding in (0, 1), f"a padding of kind {padding}")
    reach = [(side - 1) * dilation for side, dilation in zip(size, dilations, strict=True)]
    if padding == SAME:
        reach = [0, 0]
    sides = tuple(math.ceil((side - far) / step) for side, far, step in zip(shape[1:3], reach, strides, strict=True))
    _require(min(sides) > 0, "the window is larger than the picture")
    return sides


def _conv(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    x, kernel, bias = _operands(each, taken, given, 3)
    deep = each.name == "DEPTHWISE_CONV_2D"
    options = _options(each, _OPTIONS.DepthwiseConv2DOptions if deep else _OPTIONS.Conv2DOptions)
    _require(len(x.shape) == len(kernel.shape) == 4, f"shapes {x.shape} and {kernel.shape}")
    first = 5 if deep else 4
    dilations = options.number(first + 1, "<i", 1), options.number(first, "<i", 1)
    rows, columns = _windows(options, x.shape, kernel.shape[1:3], dilations)
    out, depth = (kernel.shape[3], kernel.shape[0]) if deep else (kernel.shape[0], kernel.shape[3])
    if deep:
        fits = depth == 1 and out == x.shape[3] * options.number(3, "<i")
    else:
        fits = x.shape[3] % depth == 0 and out % (x.shape[3] // depth) == 0  # groups
    _require(fits, f"a kernel of {kernel.shape} on {x.shape}")
    _require(bias is None or bias.shape == (out,), "a bias for other channels")
    _require(given[0].shape == (x.shape[0], rows, columns, out), f"an output of {given[0].shape}")
    return given[0].size * math.prod(kernel.shape[1:3]) * depth


def _pool(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    (x,) = _operands(each, taken, given, 1)
    options = _options(each, _OPTIONS.Pool2DOptions)
    _require(len(x.shape) == 4, f"a shape of {x.shape}")
    size = options.number(4, "<i"), options.number(3, "<i")
    expected = (x.shape[0], *_windows(options, x.shape, size, (1, 1)), x.shape[3])
    _require(given[0].shape == expected and given[0].type == x.type, f"an output of {given[0].shape}")
    return given[0].size * math.prod(size)


def _concatenation(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    parts = _operands(each, taken, given, 1, 1000)
    _require(None not in parts, "an input is left out")
    axis, rank = _options(each, _OPTIONS.ConcatenationOptions).number(0, "<i"), len(given[0].shape)
    _require(-rank <= axis < rank, f"along axis {axis}")
    shapes = [part.shape for part in parts]
    _require(all(len(shape) == rank for shape in shapes), f"shapes {shapes}")
    whole = list(shapes[0])
    whole[axis] = sum(shape[axis] for shape in shapes)
    others = {(*shape[: axis % rank], *shape[axis % rank + 1 :]) for shape in shapes}
    same = all(part.type == given[0].type for part in parts)
    _require(len(others) == 1 and tuple(whole) == given[0].shape and same, f"{shapes} to {given[0].shape}")
    return given[0].size


def _pad(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    x, widths = _operands(each, taken, given, 2, 3)[:2]
    numbers = widths.integers
    _require(numbers is not None and widths.shape == (len(x.shape), 2), "its widths are not there")
    _require(min(numbers) >= 0, "a width below 0")
    sides = (side + numbers[2 * axis] + numbers[2 * axis + 1] for axis, side in enumerate(x.shape))
    _require(len(x.shape) <= 4 and given[0].shape == tuple(sides), f"an output of {given[0].shape}")
    _require(given[0].type == x.type, "an output of another type")
    return given[0].size


def _resize(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    x, size = _operands(each, taken, given, 2)
    _require(size.integers is not None and size.shape == (2,) and len(x.shape) == 4, "its size is not there")
    _require(given[0].shape == (x.shape[0], *size.integers, x.shape[3]), f"an output of {given[0].shape}")
    _require(given[0].type == x.type, "an output of another type")
    return given[0].size


def _reshape(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    x, *rest = _operands(each, taken, given, 1, 2)
    numbers = rest[0].integers if rest else None
    _require(not rest or (numbers is not None and len(rest[0].shape) == 1), "its shape is not there")
    if numbers is None and each.options is not None and each.options_type == _OPTIONS.ReshapeOptions:
        numbers = tuple(each.options.numbers(0, "<i4")[:8].tolist())
    told = numbers or given[0].shape
    fits = len(told) == len(given[0].shape) and list(told).count(-1) < 2
    fits = fits and all(a in (b, -1) for a, b in zip(told, given[0].shape, strict=True))
    _require(fits and x.size == given[0].size and x.type == given[0].type, f"{x.shape} to {given[0].shape} by {told}")
    return 0


def _both(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    """Of two tensors, value by value; the smaller one is repeated."""
    first, second = _operands(each, taken, given, 2)
    rank = max(len(first.shape), len(second.shape))
    a, b = ((1,) * (rank - len(each.shape)) + each.shape for each in (first, second))
    _require(all(x == y or 1 in (x, y) for x, y in zip(a, b, strict=True)), f"shapes {a} and {b}")
    out = tuple(map(max, zip(a, b, strict=True)))
    _require(given[0].shape == out and rank <= 4, f"an output of {given[0].shape}")
    _require(first.type == second.type == given[0].type, "tensors of different types")
    return given[0].size


def _each(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    """Of one tensor, value by value."""
    (x,) = _operands(each, taken, given, 1)
    _require(x.shape == given[0].shape, f"{x.shape} to {given[0].shape}")
    return x.size


def _depth(each: Operation, taken: list[Tensor | None], given: list[Tensor]) -> int:
    """Values of the channels into the rows and columns, or back."""
    (x,) = _operands(each, taken, given, 1)
    deep, flat = (given[0], x) if each.name == "SPACE_TO_DEPTH" else (x, given[0])
    kind = _OPTIONS.SpaceToDepthOptions if deep is given[0] else _OPTIONS.DepthToSpaceOptions
    block = _options(each, kind).number(0, "<i")
    _require(len(x.shape) == len(given[0].shape) == 4 and 1 <= block <= 1024, f"blocks of {block} of {x.shape}")
    batch, rows, columns, channels = deep.shape
    expected = (batch, rows * block, columns * block, channels // block**2)
    fits = flat.shape == expected and channels % block**2 == 0
    _require(fits and x.type == given[0].type, f"{x.shape} to {given[0].shape}")
    return x.size


Rule = Callable[[Operation, list[Tensor | None], list[Tensor]], int]  # counts the multiplications
RULES: dict[str, Rule] = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D"), _conv),
    **dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D"), _pool),
    **dict.fromkeys(("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"), _resize),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    **dict.fromkeys(("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"), _depth),
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "PRELU"), _both),
    **dict.fromkeys(
        ("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "ELU", "HARD_SWISH", "LOGISTIC", "TANH", "ABS", "NEG", "EXP",
         "LOG", "SQRT", "RSQRT", "SQUARE", "QUANTIZE", "DEQUANTIZE", "CAST"), _each,
    ),
    "CONCATENATION": _concatenation, "RESHAPE": _reshape,
}  # fmt: skip
