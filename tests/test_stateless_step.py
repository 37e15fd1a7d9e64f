"""The step of two passes under JAX: TensorFlow's, from an equal state."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import refined_steps
from tests.networks import spec_of, uneven
from tests.test_refinement import SMALL


@pytest.mark.slow  # JAX in a process of its own compiles two trainings
def test_two_steps_are_those_of_tensorflow(tmp_path):
    file = tmp_path / "two.keras"
    before = uneven(spec_of().replace(config=SMALL.replace(landmarks=68)))
    before.save(file)
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-m", "tests.refined_steps", str(file), str(tmp_path / "jax.npz")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=Path(__file__).parents[1])
    assert done.returncode == 0, done.stderr[-3000:]
    ours, theirs = refined_steps.trained(file), np.load(tmp_path / "jax.npz")
    assert set(ours) == set(theirs.files)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=2e-3, atol=2e-5, err_msg=name)
    moved = {name: np.abs(np.array(each) - ours[f"model {name}"]).max() for name, each in named(before).items()}
    assert all(moved[name] > 1e-3 for name in ("stem/kernel", "refine_input/kernel"))


def named(model):
    return {variable.path: variable for variable in model.variables}
