"""Interfaces of Keras and LiteRT that are not promised to stay: all of them, here and nowhere else.

``tests/test_compat.py`` has a test for each, which says what a new version has broken. LiteRT is imported where it is
used: a machine that only trains does without it.
"""

from typing import Any

from cunet_tf.errors import CUNetError, reason

__all__ = ["forget_traces", "graph_nodes", "inner_layers", "loss_tracker", "operation_details", "operator_name",
           "parse_tflite", "schema", "write_tflite"]  # fmt: skip  # noqa: F822


def __getattr__(name: str) -> Any:
    """``schema``: LiteRT's generated classes."""
    if name != "schema":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ai_edge_litert import schema_py_generated

    return schema_py_generated


def _flatbuffers() -> Any:
    from ai_edge_litert.tools import flatbuffer_utils

    return flatbuffer_utils


def parse_tflite(data: bytes) -> Any:
    """A ``.tflite`` file, of which ``require_sound`` has found nothing wrong, as a tree of LiteRT's generated classes.

    Raises:
        CUNetError: damaged all the same, in options that nothing else reads.
    """
    try:
        return _flatbuffers().read_model_from_bytearray(bytearray(data))
    except Exception as error:  # the generated reader raises whatever a damaged offset leads to
        raise CUNetError(f"damaged TensorFlow Lite model ({reason(error)}): export it again.") from None


def write_tflite(model: Any) -> bytes:
    """Inverse of :func:`parse_tflite`."""
    return bytes(_flatbuffers().convert_object_to_bytearray(model))


def operator_name(model: Any, code: int) -> str:
    """Name of an entry of ``model.operatorCodes``, such as ``CONV_2D``."""
    return _flatbuffers().opcode_to_name(model, code)


def operation_details(interpreter: Any) -> list[dict[str, Any]]:
    """``op_name``, ``inputs`` and ``outputs`` of each operation of a LiteRT interpreter, delegates' among them."""
    return interpreter._get_ops_details()


def loss_tracker(model: Any) -> Any:
    """The metric under whose name ``fit`` logs a Keras model's loss."""
    return model._loss_tracker


def forget_traces(model: Any) -> None:
    """Let Keras trace a model's training step anew, after something that it was traced with has changed."""
    model.train_function = None


def graph_nodes(model: Any) -> list[Any] | None:
    """The nodes of a functional Keras model in running order, ``None`` where it has no such graph.

    Each has ``operation``, ``is_input``, ``outputs`` (tensors), and ``arguments`` with ``keras_tensors`` and
    ``fill_in({id of tensor: value})``, which gives positional and keyword arguments.
    """
    by_depth = getattr(model, "_nodes_by_depth", None)
    return by_depth and [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def inner_layers(layer: Any) -> list[Any]:
    """All layers inside a Keras layer, at any depth."""
    return list(layer._flatten_layers(include_self=False))
