"""Every example in a docstring gives what stands below it."""

import ast
import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest

import cunet_tf

ROOT = Path(__file__).parents[1]
NAMES = {"cunet_tf": "cunet_tf", "trainers": "cunet_tf.trainers", "export": "cunet_tf.export"}


def modules_with_examples():
    """Installed names of the modules whose docstrings have examples."""
    for folder, name in NAMES.items():
        for file in sorted((ROOT / folder).rglob("*.py")):
            documented = [node for node in ast.walk(ast.parse(file.read_text()))
                          if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))]  # fmt: skip
            if any(">>> " in (ast.get_docstring(node) or "") for node in documented):
                yield ".".join([name, *file.relative_to(ROOT / folder).with_suffix("").parts])


@pytest.mark.parametrize("name", [*modules_with_examples()])
def test_examples_are_true(name):
    module = importlib.import_module(name)
    found = doctest.testmod(module, extraglobs={"np": np, "cu": cunet_tf}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not found.failed
