import subprocess
import sys


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_importing_the_package_imports_no_framework():
    done = run("import sys, cunet_tf; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))")
    assert done.stdout.strip() == "set()", done.stderr


def test_no_import_hook_is_left_behind():
    done = run("import sys; before = list(sys.meta_path); import cunet_tf; print(sys.meta_path == before)")
    assert done.stdout.strip() == "True", done.stderr


def test_public_names_resolve_and_unknown_ones_do_not():
    code = "import cunet_tf; [getattr(cunet_tf, n) for n in cunet_tf.__all__]; cunet_tf.nothing"
    assert "has no attribute 'nothing'" in run(code).stderr
