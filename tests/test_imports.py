import subprocess
import sys

import pytest

import cunet_tf
from cunet_tf.errors import MissingPackage


def test_importing_the_package_imports_no_framework_and_leaves_no_hook():
    code = "import sys; before = list(sys.meta_path); import cunet_tf; print(sys.meta_path == before)"
    code += "; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["True", "set()"], done.stderr


def test_public_names_resolve_and_unknown_ones_do_not():
    assert all(getattr(cunet_tf, name) is not None for name in cunet_tf.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cunet_tf.nothing


def test_every_public_name_has_its_home_and_is_listed():
    for name in cunet_tf.__all__:
        value = getattr(cunet_tf, name)
        assert cunet_tf.home(name) == value.__module__, name
    assert set(dir(cunet_tf)) == {*cunet_tf.__all__, "__version__"}


def test_a_public_name_whose_package_is_not_there_says_what_to_install(monkeypatch):
    monkeypatch.setitem(cunet_tf._HOME, "build_cunet", "scipy.nothing")
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(MissingPackage, match="pip install scipy"):
        _ = cunet_tf.build_cunet
    monkeypatch.setitem(cunet_tf._HOME, "build_cunet", "cunet_tf.nothing")
    with pytest.raises(ModuleNotFoundError, match="cunet_tf.nothing"):
        _ = cunet_tf.build_cunet
