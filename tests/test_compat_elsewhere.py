"""Private interfaces of Keras, TensorFlow and LiteRT are used in ``cunet_tf/compat`` alone."""

import ast
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("cunet_tf", "trainers", "export")
INNER = ("keras.src", "tensorflow.python", "tensorflow.lite.python", "ai_edge_litert")
PUBLIC = "ai_edge_litert.interpreter"
# Underscores of the standard library, of named tuples and of SciPy's structures, which document them.
OTHERS = {"_exit", "_asdict", "_fieldnames"}


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def keras_names():
    """Private names of what our classes derive from."""
    image = keras.Input((1,))
    bases = (type(keras.Model(image, image + 1.0)), keras.layers.Layer, keras.losses.Loss, keras.metrics.Metric,
             keras.callbacks.Callback, keras.optimizers.RMSprop, keras.initializers.Initializer,
             keras.optimizers.schedules.LearningRateSchedule, keras.StatelessScope)  # fmt: skip
    return {name for base in bases for name in dir(base) if is_private(name)}


def own_names(trees):
    """Names that our modules give to something."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Store):
            names.add(node.attr if isinstance(node, ast.Attribute) else node.id)
    return names


def inner_modules(node):
    """Modules inside the packages that a statement imports, or a text names."""
    names = []
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [f"{node.module}.{each.name}" for each in node.names]
    elif isinstance(node, ast.Import):
        names = [each.name for each in node.names]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
        names = [node.value] if "." in node.value else []
    return [name for name in names if name.startswith(INNER) and not name.startswith(PUBLIC)]


def offences(tree, ours, theirs):
    """What a module should not use: private attributes, inner modules, methods that replace private ones of Keras."""
    found = []
    for node in ast.walk(tree):
        found += inner_modules(node)
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in ours:
            found.append(node.attr)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr", "setattr"):
            name = getattr(node.args[1], "value", None)
            found += [name] if isinstance(name, str) and is_private(name) and name not in ours else []
        if isinstance(node, ast.ClassDef) and node.bases:  # whether it comes from Keras in the end, a tree cannot tell
            found += [each.name for each in node.body if isinstance(each, ast.FunctionDef) and each.name in theirs]
    return found


def test_nothing_private_is_used_outside_compat():
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text()) for path in files if path.parent != ROOT / "cunet_tf/compat"}
    theirs = keras_names()
    ours = (own_names(trees.values()) - theirs) | OTHERS
    found = {str(path.relative_to(ROOT)): offences(tree, ours, theirs) for path, tree in trees.items()}
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("model._flatten_layers()", "_flatten_layers"),
        ("getattr(model, '_nodes_by_depth')", "_nodes_by_depth"),
        ("from keras.src import models", "keras.src.models"),
        ("import tensorflow.python.framework", "tensorflow.python.framework"),
        ("from ai_edge_litert.tools import flatbuffer_utils", "ai_edge_litert.tools.flatbuffer_utils"),
        ("class Own(keras.Model):\n    def _make_function(self): pass", "_make_function"),
        ("import_module('keras.src.ops')", "keras.src.ops"),
    ],
)
def test_private_uses_are_found(text, name):
    assert offences(ast.parse(text), set(), keras_names()) == [name]


@pytest.mark.parametrize(
    "text", ["self._own", "os._exit(1)", "x.__class__", "from ai_edge_litert.interpreter import A"]
)
def test_public_and_own_names_are_let_through(text):
    assert not offences(ast.parse(text), {"_own"} | OTHERS, keras_names())
