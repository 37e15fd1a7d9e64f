"""Which classes a ``.keras`` file may name, and how large the variables may be that it makes."""

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import Any

import keras

from cunet_tf.aliases import Shape
from cunet_tf.compat import INNER_MODULES
from cunet_tf.errors import CUNetError

# Layers of Keras that compute on what they are given, and nothing else: none reads files, runs code of its file,
# or repeats something as often as it says.
LAYERS = frozenset((
    "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling2D",
    "BatchNormalization", "Concatenate", "Conv2D", "Conv2DTranspose", "Cropping2D", "Dense", "DepthwiseConv2D",
    "Dropout", "ELU", "Flatten", "GaussianDropout", "GaussianNoise", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "GroupNormalization", "Identity", "InputLayer", "LayerNormalization", "LeakyReLU", "MaxPooling2D", "Maximum",
    "Minimum", "Multiply", "Normalization", "PReLU", "Permute", "ReLU", "Rescaling", "Reshape", "SeparableConv2D",
    "Softmax", "SpatialDropout2D", "Subtract", "UpSampling2D", "ZeroPadding2D",
))  # fmt: skip
VALUES = frozenset(("__keras_tensor__", "__tensor__", "__numpy__", "__ellipsis__", "__slice__"))
# Modules all of whose classes may be named.
OTHERS = frozenset((
    "builtins", "keras", "keras.activations", "keras.constraints", "keras.dtype_policies", "keras.initializers",
    "keras.losses", "keras.metrics", "keras.models", "keras.optimizers", "keras.optimizers.schedules",
    "keras.regularizers",
))  # fmt: skip
SLACK = 100, 1 << 20  # variables and values that a network may have beside those of its file, such as new statistics
_LOCK = threading.RLock()


def check_classes(config: dict[str, Any]) -> None:
    """Look at every class that a configuration names.

    Raises:
        CUNetError: one that is neither registered, nor a plain part of Keras.
    """
    known, values = keras.saving.get_custom_objects(), [config]
    while values:
        value = values.pop()
        if isinstance(value, dict):
            if "class_name" in value and not _is_known(value, known):
                name = f"{value.get('module')}.{value['class_name']}"[:200]
                raise CUNetError(f"the class {name!r} is not known here: import the module that defines it first, "
                                 "or save a network of plain layers.")  # fmt: skip
            values.extend(value.values())
        elif isinstance(value, list):
            values.extend(value)


def _is_known(entry: dict[str, Any], registered: dict[str, Any]) -> bool:
    name, module, own = entry["class_name"], entry.get("module"), entry.get("registered_name")
    if not isinstance(name, str) or not isinstance(own, (str, type(None))):
        return False
    if own in registered or name in registered or name in VALUES:
        return True
    if module == "keras.layers":
        return name in LAYERS
    return (
        isinstance(module, str) and (module in OTHERS or module.startswith(INNER_MODULES)) and not name.startswith("__")
    )


@contextlib.contextmanager
def limited_variables(arrays: int, values: int) -> Iterator[None]:
    """Within the block this thread's layers get not many more variables than a file can fill.

    Keras makes all variables before it looks at the file, however large they are.

    Args:
        arrays: in the file.
        values: in all of them.

    Raises:
        CUNetError: a layer asks for more.
    """
    thread = threading.get_ident()
    left, count = 2 * values + SLACK[1], 2 * arrays + SLACK[0]

    def add_weight(
        self: keras.layers.Layer, shape: Shape | int | None = None, *args: object, **options: object
    ) -> keras.Variable:
        nonlocal left, count
        if threading.get_ident() == thread:
            sides = shape if isinstance(shape, (list, tuple)) else (shape or 1,)
            left, count = left - abs(math.prod(side for side in sides if isinstance(side, int))), count - 1
            if min(left, count) < 0:
                raise CUNetError(f"its layers ask for far more than the {values:,} values in {arrays:,} arrays that it "
                                 "holds: save the model again.")  # fmt: skip
        return plain(self, shape, *args, **options)

    with _LOCK:
        plain = keras.layers.Layer.add_weight
        keras.layers.Layer.add_weight = add_weight
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = plain
