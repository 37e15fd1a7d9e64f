"""TensorFlow Addons' warp against what stands in for it, in an environment that still runs it.

``make tfa`` creates that environment; without it the comparison with TFA skips.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.data.geometry import crop_matrix, invert, warp

OLD = Path(__file__).parents[1] / ".venv-tfa"
SCRIPT = """
import sys, numpy as np, tensorflow as tf, tensorflow_addons as tfa
image, rows = np.load(sys.argv[1]), np.load(sys.argv[2])
ours = tf.raw_ops.ImageProjectiveTransformV3(
    images=image[None], transforms=rows[None], output_shape=image.shape[:2], interpolation="BILINEAR",
    fill_mode="CONSTANT", fill_value=0.0)[0]
theirs = tfa.image.transform(image[None], rows[None], interpolation="bilinear")[0]
np.savez(sys.argv[3], ours=ours, theirs=theirs)
"""


@pytest.fixture
def picture(rng):
    return rng.random((96, 96, 3), dtype=np.float32)


def transform_row(size):
    """Our matrix picture -> crop, in the op's form: eight numbers, crop -> picture."""
    matrix = crop_matrix(np.array([20.0, 25.0, 70.0, 80.0]), 1.2, size, rotation=23.0, scale=1.1)
    return matrix, np.concatenate([invert(matrix).ravel(), [0.0, 0.0]]).astype(np.float32)


def test_opencv_warp_equals_the_tensorflow_op(picture):
    import tensorflow as tf

    matrix, row = transform_row(96)
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=picture[None], transforms=row[None], output_shape=(96, 96), interpolation="BILINEAR",
        fill_mode="CONSTANT", fill_value=0.0,
    )[0]  # fmt: skip
    np.testing.assert_allclose(warp(picture, matrix, 96), theirs, atol=2e-4)


def test_op_equals_tensorflow_addons_bit_for_bit(picture, tmp_path):
    if not (OLD / ".installed").exists():
        pytest.skip("TensorFlow Addons is not installed (it needs TensorFlow 2.15): run `make tfa` to compare")
    _, row = transform_row(96)
    np.save(tmp_path / "image.npy", picture)
    np.save(tmp_path / "row.npy", row)
    files = [str(tmp_path / name) for name in ("image.npy", "row.npy", "out.npz")]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KERAS", "TF_"))}
    subprocess.run([str(OLD / "bin" / "python"), "-c", SCRIPT, *files], check=True, env=environment)
    out = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(out["ours"], out["theirs"])
