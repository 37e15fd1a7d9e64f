"""Interfaces of Keras, TensorFlow and LiteRT that are not promised to stay: all of them, here and nowhere else.

``tests/test_compat.py`` has a test for each, which says what a new version has broken, and one that finds private
interfaces used elsewhere. :mod:`cunet_tf.compat.hooks`, whose classes need Keras at once, is imported by itself.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from cunet_tf.compat import of_litert
from cunet_tf.compat.of_keras import (
    INNER_MODULES,
    GraphNode,
    fitted_by_workers,
    forget_traces,
    graph_nodes,
    inner_layers,
    loss_tracker,
    of_processes,
    prepared,
    under_strategy,
)  # fmt: skip
from cunet_tf.compat.of_litert import operation_details, operator_name, parse_tflite, vector_of, write_tflite

if TYPE_CHECKING:
    from ai_edge_litert import schema_py_generated as schema

__all__ = ["INNER_MODULES", "GraphNode", "fitted_by_workers", "forget_traces", "graph_nodes", "inner_layers",
           "loss_tracker", "of_processes", "operation_details", "operator_name", "parse_tflite", "prepared", "schema",
           "under_strategy", "vector_of", "write_tflite"]  # fmt: skip


def __getattr__(name: str) -> ModuleType:
    """``schema``: LiteRT's generated classes, which are imported when they are asked for."""
    if name != "schema":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return of_litert.generated_classes()
