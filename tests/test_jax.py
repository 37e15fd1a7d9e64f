"""Float networks train under Keras' JAX backend; the file serves TensorFlow and exports."""

import json
import os
import subprocess
import sys

import numpy as np

from cunet_tf.cli import main
from cunet_tf.models.saved import load_keras
from tests.conftest import TINY_FLAGS

TRAIN = ["train", "--data=synthetic", "--split=3:17", *TINY_FLAGS, "--stacks=1", "--levels=1", "--batch_size=8",
         "--epochs=1", "--val_share=0.06"]  # fmt: skip
SAVE_MAPS = """
import sys, keras, numpy as np
from cunet_tf.models.saved import load_keras
assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
images = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
np.save(sys.argv[2], load_keras(sys.argv[1])(images)[-1])

# Metrics of two heads are named as under TensorFlow.
import cunet_tf as cu
spec = cu.preset("face-mobile")
spec = spec.replace(config=spec.config.replace(main_channels=8, growth=4, levels=1, input_size=32))
model = cu.build_network(spec)
model.compile("sgd", cu.HeatmapLoss(), metrics=cu.last_head_metrics(spec), run_eagerly=True)
logs = model.evaluate(images[:, ::2, ::2], [np.ones((2, 68, 3), "float32")] * 2, verbose=0, return_dict=True)
assert set(logs) == {"loss", "unet0_head_loss", "unet1_head_loss", "nme"}, logs
"""


def under_jax(*command):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment)


def test_two_steps_under_jax_then_tensorflow_and_tflite(tmp_path, capsys):
    done = under_jax("-m", "cunet_tf", *TRAIN, f"--workdir={tmp_path / 'run'}", "--json")
    assert done.returncode == 0, done.stderr[-1500:]
    assert "device jax" in done.stderr
    assert json.loads(done.stdout)["epochs"] == 1
    file = tmp_path / "run" / "last.keras"
    saved = under_jax("-c", SAVE_MAPS, str(file), str(tmp_path / "maps.npy"))
    assert saved.returncode == 0, saved.stderr[-1500:]

    images = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
    ours = np.asarray(load_keras(file)(images)[-1])
    np.testing.assert_allclose(ours, np.load(tmp_path / "maps.npy"), atol=1e-4)
    out = tmp_path / "m.tflite"
    assert main(["export", f"--model={file}", f"--out={out}", "--format=float32", "--parity_pictures=2"]) == 0


def test_export_under_jax_says_so(trained_run, tmp_path):
    done = under_jax(
        "-m", "cunet_tf", "export", f"--model={trained_run / 'last.keras'}", f"--out={tmp_path / 'm.tflite'}"
    )
    assert done.returncode == 2 and "needs Keras on TensorFlow" in done.stderr
