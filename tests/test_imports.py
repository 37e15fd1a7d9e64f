import subprocess
import sys

import pytest

import cunet_tf


def test_importing_the_package_imports_no_framework_and_leaves_no_hook():
    code = "import sys; before = list(sys.meta_path); import cunet_tf; print(sys.meta_path == before)"
    code += "; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == ["True", "set()"], done.stderr


def test_public_names_resolve_and_unknown_ones_do_not():
    assert all(getattr(cunet_tf, name) is not None for name in cunet_tf.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = cunet_tf.nothing
