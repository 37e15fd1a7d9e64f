import subprocess
import sys

import pytest


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_importing_the_package_imports_no_framework():
    done = run("import sys, cunet_tf; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr


def test_classes_are_registered_once_keras_is_there():
    done = run("import cunet_tf, keras; print(keras.saving.get_registered_object('cunet_tf>HeatmapLoss'))")
    assert "HeatmapLoss" in done.stdout, done.stderr


def test_public_names_resolve_and_unknown_ones_do_not():
    code = "import cunet_tf; [getattr(cunet_tf, n) for n in cunet_tf.__all__]; cunet_tf.nothing"
    assert "has no attribute 'nothing'" in run(code).stderr


@pytest.mark.parametrize("module", ["quantize.quantizers", "quantize.place", "quantize.health", "models.layers",
                                    "models.residual", "models.saved", "models.build"])  # fmt: skip
def test_any_module_may_be_imported_first(module):
    done = run(f"import cunet_tf.{module}")
    assert done.returncode == 0, done.stderr
