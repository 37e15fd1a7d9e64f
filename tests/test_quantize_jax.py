"""Quantizers on JAX: the values and gradients of TensorFlow's."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import quantizer_values


@pytest.fixture(scope="module")
def under_jax(tmp_path_factory):
    """Name -> value or gradient, from a process of its own."""
    file = tmp_path_factory.mktemp("jax") / "values.npz"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-m", "tests.quantizer_values", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-1500:]
    return dict(np.load(file))


def test_values_and_gradients_are_those_of_tensorflow(under_jax):
    ours = quantizer_values.all_values()
    assert ours.keys() == under_jax.keys()
    for name, value in ours.items():
        # Sums of float32 in another order move Uniform's steps, and centred means, by a unit in the last place.
        summed = "Uniform" in name or "centered=True" in name
        tolerance = {"rtol": 1e-5, "atol": 1e-6} if summed else {"rtol": 0, "atol": 0}
        np.testing.assert_allclose(under_jax[name], value, err_msg=name, **tolerance)


def test_a_quantized_kernel_is_a_fixed_point(under_jax):
    for name in ("Binary(alpha=True", "Ternary(alpha=True"):
        chosen = [
            key for key in under_jax if key.startswith(name) and key.endswith(" 1 value") and "ed=True" not in key
        ]
        (equal,) = (under_jax[key] for key in chosen)
        np.testing.assert_array_equal(equal[..., 0], np.float32(0.3))
        np.testing.assert_array_equal(equal[..., 1], 0.0)
