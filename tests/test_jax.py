"""Float networks train under Keras' JAX backend; the file serves TensorFlow and exports."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.models.saved import load_keras
from tests.conftest import TINY_FLAGS
from tests.networks import crops, spec_of, uneven

TRAIN = ["train", "--data=synthetic", "--split=3:17", *TINY_FLAGS, "--stacks=1", "--batch_size=8", "--epochs=1",
         "--val_share=0.06"]  # fmt: skip
# All in one process, as each costs seconds: a file of TensorFlow's, training, heat maps, and what JAX cannot do.
SCRIPT = """
import sys, keras, numpy as np
import cunet_tf as cu
from cunet_tf.cli import main
folder, *train = sys.argv[1:]
kernels = [np.asarray(v) for v in cu.load_keras(f"{folder}/from_tensorflow.keras").variables if "kernel" in v.path]
np.savez(f"{folder}/kernels.npz", *kernels)
assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
taught = [f"--teacher={folder}/from_tensorflow.keras", "--coordinate_loss=1", "--contour_along=0.5"]
assert main([*train, *taught, f"--workdir={folder}/run", "--json"]) == 0
images = np.load(f"{folder}/images.npy")
np.save(f"{folder}/maps.npy", cu.load_keras(f"{folder}/run/last.keras")(images)[-1])
assert main([*train, "--quant=TW-a-QIG(8,2,32)", "--workers=1", f"--workdir={folder}/few", "--json"]) == 0
np.save(f"{folder}/few.npy", cu.load_keras(f"{folder}/few/last.keras")(images)[-1])
try:
    cu.build_cunet(cu.CUNetConfig(1, 0, 8, 4, levels=1, input_size=64), quant="BW-a-QIG(818)")
except cu.CUNetError as error:
    print(error, file=sys.stderr)
assert main(["export", f"--model={folder}/run/last.keras", f"--out={folder}/m.tflite"]) == 2

# Metrics of two heads are named as under TensorFlow.
spec = cu.preset("face-mobile")
spec = spec.replace(config=spec.config.replace(main_channels=8, growth=4, levels=1, input_size=32))
model = cu.build_network(spec)
model.compile("sgd", cu.HeatmapLoss(), metrics=cu.last_head_metrics(spec), run_eagerly=True)
logs = model.evaluate(images[:2, ::2, ::2], [np.ones((2, 68, 3), "float32")] * 2, verbose=0, return_dict=True)
assert set(logs) == {"loss", "unet0_head_loss", "unet1_head_loss", "nme"}, logs
"""


pytestmark = pytest.mark.slow  # JAX compiles two trainings; its values and steps stay in `make test`


@pytest.fixture(scope="module")
def under_jax(tmp_path_factory):
    """The folder that the script has filled, and what it printed."""
    folder = tmp_path_factory.mktemp("jax")
    uneven(spec_of(shape="small")).save(folder / "from_tensorflow.keras")
    np.save(folder / "images.npy", crops())
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", SCRIPT, str(folder), *TRAIN]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-1500:]
    return folder, done


def test_two_steps_under_jax_then_tensorflow_and_tflite(under_jax, tmp_path):
    folder, done = under_jax
    assert "device jax" in done.stderr and json.loads(done.stdout.splitlines()[0])["epochs"] == 1
    file = folder / "run" / "last.keras"
    np.testing.assert_allclose(load_keras(file)(crops())[-1], np.load(folder / "maps.npy"), atol=1e-4)
    out = tmp_path / "m.tflite"
    assert main(["export", f"--model={file}", f"--out={out}", "--format=float32", "--parity_pictures=2"]) == 0


def test_jax_reads_a_file_of_tensorflow_without_importing_it(under_jax):
    folder, _ = under_jax
    ours = [np.asarray(v) for v in load_keras(folder / "from_tensorflow.keras").variables if "kernel" in v.path]
    theirs = np.load(folder / "kernels.npz")
    for kernel, name in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(kernel, theirs[name])


def test_a_network_of_few_bits_trains_under_jax_and_exports_to_the_last_bit(under_jax, tmp_path, capsys):
    folder, _ = under_jax
    file = folder / "few" / "last.keras"
    np.testing.assert_allclose(load_keras(file)(crops())[-1], np.load(folder / "few.npy"), atol=1e-4)
    words = ["export", f"--model={file}", "--format=int8", f"--out={tmp_path / 'few.tflite'}", "--parity_pictures=2"]
    main([*words, "--data=synthetic", "--split=3:5", "--calibration_split=3:5"])  # two steps: points of no peak jump
    assert "integer arithmetic: 0 of" in capsys.readouterr().out


def test_gradients_of_few_bits_and_export_say_that_they_need_tensorflow(under_jax):
    folder, done = under_jax
    assert "BW-a-QIG(818), a quantization of gradients, needs Keras on TensorFlow" in done.stderr
    assert "cunet export: error: " in done.stderr and "needs Keras on TensorFlow" in done.stderr.splitlines()[-1]
    assert not (folder / "m.tflite").exists()
