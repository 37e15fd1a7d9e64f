"""Makes ``keras.models.load_model`` know the project's classes, without importing Keras.

Keras resolves a saved class by its registered name, so the module that defines it must have
been imported. Importing Keras costs seconds that prediction from a ``.tflite`` file should
not pay; therefore the modules are imported right after Keras, whenever that happens.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType

MODULES = (
    "cunet_tf.losses",
    "cunet_tf.memory.layers",
    "cunet_tf.models.layers",
    "cunet_tf.models.landmark_model",
    "cunet_tf.models.residual",
    "cunet_tf.quantize.layers",
    "cunet_tf.quantize.quantizers",
    "cunet_tf.training_metrics",
)


def register() -> None:
    """Import every module that defines serialisable classes."""
    for module in MODULES:
        importlib.import_module(module)


def register_with_keras() -> None:
    """Register now if Keras is loaded, else as soon as it is."""
    if "keras" in sys.modules:
        register()
    else:
        sys.meta_path.insert(0, _KerasWatcher())


class _KerasWatcher(importlib.abc.MetaPathFinder):
    """Finds ``keras`` as everybody else would, and registers once it has been executed."""

    def __init__(self) -> None:
        self._busy = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "keras" or self._busy:
            return None
        self._busy = True
        try:
            spec = importlib.util.find_spec("keras")
        finally:
            self._busy = False
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = partial(self._execute, spec.loader.exec_module)  # type: ignore[method-assign]
        return spec

    def _execute(self, execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        sys.meta_path.remove(self)
        execute(module)
        register()
