"""LiteRT: generated classes of a ``.tflite`` file, and what an interpreter tells of its operations.

LiteRT is imported where it is used: a machine that only trains does without it.
"""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from cunet_tf.errors import CUNetError, reason

if TYPE_CHECKING:
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter


def generated_classes() -> ModuleType:
    """The module of the classes that LiteRT's schema was made into."""
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def _flatbuffers() -> ModuleType:
    from ai_edge_litert.tools import flatbuffer_utils

    return flatbuffer_utils


def parse_tflite(data: bytes) -> "schema.ModelT":
    """A ``.tflite`` file, of which ``require_sound`` has found nothing wrong, as a tree of LiteRT's generated classes.

    Raises:
        CUNetError: damaged all the same, in options that nothing else reads.
    """
    try:
        return _flatbuffers().read_model_from_bytearray(bytearray(data))
    except Exception as error:  # the generated reader raises whatever a damaged offset leads to
        raise CUNetError(f"damaged TensorFlow Lite model ({reason(error)}): export it again.") from None


def write_tflite(model: "schema.ModelT") -> bytes:
    """Inverse of :func:`parse_tflite`."""
    return bytes(_flatbuffers().convert_object_to_bytearray(model))


def operator_name(model: "schema.ModelT", code: int) -> str:
    """Name of an entry of ``model.operatorCodes``, such as ``CONV_2D``."""
    return _flatbuffers().opcode_to_name(model, code)


def operation_details(interpreter: "Interpreter") -> list[dict[str, Any]]:
    """``op_name``, ``inputs`` and ``outputs`` of each operation of a LiteRT interpreter, delegates' among them."""
    return interpreter._get_ops_details()


def vector_of(table: "schema.Model | schema.SubGraph", place: int) -> tuple[int, int] | None:
    """Where in the file a vector of a table begins, and of how many elements it is; ``None`` where it is left out.

    Args:
        table: of the generated classes that read in place.
        place: of the vector in the table's vtable.
    """
    field = table._tab.Offset(place)
    return (table._tab.Vector(field), table._tab.VectorLen(field)) if field else None
