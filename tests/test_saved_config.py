import keras
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.models.saved_config import check_classes, limited_variables


def entry(module, name, registered=None):
    return {"config": {"layers": [{"module": module, "class_name": name, "registered_name": registered, "config": {}}]}}


@pytest.mark.parametrize(
    "known",
    [("keras.layers", "Conv2D"), ("keras", "DTypePolicy"), ("keras.src.models.functional", "Functional", "Functional"),
     ("x", "y", "cunet_tf>MaxPool"), ("builtins", "function", "relu")],
)  # fmt: skip
def test_classes_that_are_known(known):
    import cunet_tf.models.layers  # noqa: F401

    check_classes(entry(*known))


@pytest.mark.parametrize(
    "unknown",
    [("os", "system"), ("keras.layers", "Lambda"), ("keras.layers", "TFSMLayer"), ("keras.layers", "StringLookup"),
     ("keras.utils", "get_file"), ("builtins", "__lambda__"), (None, "x"), ("x", "y", "mine>Unknown"), ("keras", 5)],
)  # fmt: skip
def test_classes_that_are_not(unknown):
    with pytest.raises(CUNetError, match="is not known here"):
        check_classes(entry(*unknown))


def test_variables_are_limited():
    with limited_variables(2, 100):
        keras.layers.Dense(3).build((None, 4))
        with pytest.raises(CUNetError, match="far more than the 100 values in 2 arrays"):
            keras.layers.Dense(10**9).build((None, 10**6))
    keras.layers.Dense(1500).build((None, 1000))  # no longer


def test_many_small_variables_are_limited():
    with limited_variables(2, 100), pytest.raises(CUNetError, match="2 arrays"):
        for _ in range(200):
            keras.layers.Dense(1).build((None, 1))
