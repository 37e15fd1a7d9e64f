"""The network in a ``.tflite`` file, read with care: what LiteRT would crash on, or never finish, is refused here.

LiteRT looks after the form of a file itself, and trusts its content: an operation without its last input, a
stride of zero or tensors that do not fit together end the process. See :mod:`cunet_tf.files.graph_rules` for the
operations.
"""

import math
from dataclasses import dataclass

import numpy as np

from cunet_tf.compat import schema
from cunet_tf.errors import CUNetError
from cunet_tf.files.flatbuffer import Table, damaged

MIB = 1 << 20
LARGEST_TENSOR = 512 * MIB
MOST_ALIVE = 2048 * MIB  # bytes of all tensors that are needed at one time
MOST_RANK = 6
MOST_ENTRIES = 100_000  # inputs and outputs of all operations; the shipped networks have about 600
NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_TYPES = schema.TensorType
WIDTHS = {
    _TYPES.FLOAT32: 4, _TYPES.FLOAT16: 2, _TYPES.INT32: 4, _TYPES.UINT8: 1, _TYPES.INT64: 8, _TYPES.BOOL: 1,
    _TYPES.INT16: 2, _TYPES.INT8: 1,
}  # fmt: skip
SMALLEST_STEP, LARGEST_STEP = 1e-20, 1e20
ZEROS = {_TYPES.INT8: (-128, 127), _TYPES.UINT8: (0, 255)}


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        shape: numbers above 0.
        type: of ``schema.TensorType``.
        stored: the bytes of a constant, else ``None``.
        steps: of its grid: none, one, or one for each channel.
        sparse: whether only the values that are not 0 are stored, as in detectors of MediaPipe; ``DENSIFY`` fills them.
    """

    shape: tuple[int, ...]
    type: int
    stored: np.ndarray | None
    steps: int = 0
    sparse: bool = False

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """What it takes."""
        return self.size * WIDTHS[self.type]

    @property
    def integers(self) -> tuple[int, ...] | None:
        """The values of a constant of ``int32``."""
        if self.stored is None or self.type != _TYPES.INT32:
            return None
        return tuple(int(value) for value in self.stored.view("<i4"))


@dataclass(frozen=True)
class Operation:
    """One operation: its name, numbers of its tensors (-1 for an input that is left out), and its options."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: Table | None


@dataclass(frozen=True)
class Graph:
    """The network of a file: tensors, operations in their order, and the numbers of its inputs and outputs."""

    tensors: list[Tensor]
    operations: list[Operation]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(data: bytes) -> Graph:
    """The network of a ``.tflite`` file, whose tensors and operations are all there and in order.

    Raises:
        CUNetError: damaged, of several graphs, or larger than any network of this kind.
    """
    model = Table.root(data)
    graphs = model.tables(2)
    if len(graphs) != 1:
        raise damaged(f"{len(graphs)} graphs instead of one")
    buffers = model.tables(4)
    tensors = [_tensor(number, table, buffers) for number, table in enumerate(graphs[0].tables(0))]
    codes = [_name(table) for table in model.tables(1)]
    operations = [_operation(number, table, codes) for number, table in enumerate(graphs[0].tables(3))]
    if sum(len(each.inputs) + len(each.outputs) for each in operations) > MOST_ENTRIES:
        raise damaged(f"more than {MOST_ENTRIES:,} inputs and outputs")
    graph = Graph(tensors, operations, _indices(graphs[0], 1), _indices(graphs[0], 2))
    _check_order(graph)
    return graph


def stored_text(data: bytes, name: str) -> bytes | None:
    """The metadata of a name, ``None`` where there is none.

    Raises:
        CUNetError: damaged.
    """
    model = Table.root(data)
    for entry in model.tables(6):
        if entry.text(0) == name:
            buffers, index = model.tables(4), entry.number(1, "<I")
            if index >= len(buffers):
                raise damaged(f"{name} in buffer {index:,} of {len(buffers)}")
            return buffers[index].numbers(0, "u1").tobytes()
    return None


def _indices(table: Table, field: int) -> tuple[int, ...]:
    numbers = table.numbers(field, "<i4")
    if len(numbers) > MOST_ENTRIES:
        raise damaged(f"more than {MOST_ENTRIES:,} inputs and outputs")
    return tuple(numbers.tolist())


def _name(code: Table) -> str:
    """Name of an operation; the old field of one byte counts where the new one is left out."""
    number = max(code.number(0, "<b"), code.number(3, "<i"))
    return NAMES.get(number, str(number))


def _operation(number: int, table: Table, codes: list[str]) -> Operation:
    code = table.number(0, "<I")
    if code >= len(codes):
        raise damaged(f"operation {number} is of kind {code:,}, of {len(codes)} kinds")
    kind = table.number(3, "<B")
    return Operation(codes[code], _indices(table, 1), _indices(table, 2), kind, table.table(4) if kind else None)


def _tensor(number: int, table: Table, buffers: list[Table]) -> Tensor:
    shape, kind, index = table.numbers(0, "<i4"), table.number(1, "<b"), table.number(2, "<I")
    if kind not in WIDTHS or table.number(5, "<?"):
        raise damaged(f"tensor {number} changes, or holds no plain numbers")
    if len(shape) > MOST_RANK or (shape < 1).any():
        raise damaged(f"tensor {number} has the shape {shape[:8].tolist()}")
    if index >= len(buffers):
        raise damaged(f"tensor {number} is in buffer {index:,} of {len(buffers)}")
    try:
        table.numbers(3, "u1").tobytes().decode()
    except UnicodeDecodeError:
        raise damaged(f"tensor {number} has a name that is no text") from None
    sides = tuple(shape.tolist())
    size = math.prod(sides) * WIDTHS[kind]
    if size > LARGEST_TENSOR:
        raise CUNetError(
            f"tensor {number} of the shape {list(sides)} takes {size:,} bytes, more than any network needs."
        )
    stored, sparse = buffers[index].numbers(0, "u1"), table.table(6) is not None
    if len(stored) > size or 0 < len(stored) < size and not sparse:
        raise damaged(f"tensor {number} has {len(stored):,} bytes instead of {size:,}")
    return Tensor(sides, kind, stored if len(stored) else None, _steps(number, table.table(4), sides, kind), sparse)


def _steps(number: int, table: Table | None, shape: tuple[int, ...], kind: int) -> int:
    """Number of steps, which are of a usual size, one of them or as many as the channels."""
    if table is None:
        return 0
    scales, zeros, axis = table.numbers(2, "<f4"), table.numbers(3, "<i8"), table.number(6, "<i")
    if table.number(4, "<B"):
        raise damaged(f"tensor {number} has a quantization of its own")
    if not len(scales):
        return 0
    if not ((scales > SMALLEST_STEP) & (scales < LARGEST_STEP)).all():  # LiteRT divides by them in integers
        raise damaged(f"tensor {number} has a step that is no number above 0, or a senseless one")
    fits = len(scales) == 1 or (0 <= axis < len(shape) and len(scales) == shape[axis])
    low, high = ZEROS.get(kind, (-65536, 65536))
    if not fits or len(zeros) not in (1, len(scales)) or (zeros < low).any() or (zeros > high).any():
        raise damaged(f"tensor {number} has {len(scales)} steps and {len(zeros)} zero points that do not fit")
    return len(scales)


def _check_order(graph: Graph) -> None:
    """Every operation finds its inputs, writes tensors that nothing else writes, and the memory suffices."""
    count, tensors = len(graph.tensors), graph.tensors
    if not graph.inputs or not graph.outputs or not graph.operations:
        raise damaged("no inputs, no outputs or no operations")
    for index in (*graph.inputs, *graph.outputs):
        if not 0 <= index < count:
            raise damaged(f"an input or output is tensor {index:,} of {count}")
    known = {index for index, tensor in enumerate(tensors) if tensor.stored is not None}
    if known & set(graph.inputs) or len(set(graph.inputs)) < len(graph.inputs):
        raise damaged("an input is constant, or there twice")
    known |= set(graph.inputs)
    last = {index: place for place, each in enumerate(graph.operations) for index in each.inputs}
    last |= dict.fromkeys(graph.outputs, len(graph.operations))
    alive = sum(tensors[index].bytes for index in graph.inputs)
    for place, each in enumerate(graph.operations):
        for index in each.inputs:
            if index != -1 and index not in known:
                raise damaged(f"operation {place}, {each.name}, reads tensor {index:,}, which nothing has written")
            if index != -1 and tensors[index].sparse and each.name != "DENSIFY":
                raise damaged(f"operation {place}, {each.name}, reads tensor {index:,}, which is sparse")
        for index in each.outputs:
            if not 0 <= index < count or index in known:
                raise damaged(f"operation {place}, {each.name}, writes tensor {index:,}, of {count} or written before")
            known.add(index)
            alive += tensors[index].bytes
        if alive > MOST_ALIVE:
            raise CUNetError(f"operation {place} needs more than {MOST_ALIVE:,} bytes: give a smaller network.")
        for index in {*each.inputs, *each.outputs}:
            if index != -1 and tensors[index].stored is None and last.get(index, place) == place:
                alive -= tensors[index].bytes
    if not known >= set(graph.outputs):
        raise damaged("nothing writes an output")
