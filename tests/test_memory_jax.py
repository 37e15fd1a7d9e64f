"""Recomputation under JAX: equal gradients from less that is kept."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # JAX in a process of its own compiles three trainings

# In a process of its own: Keras has one backend. `saved_residuals` is what jax.ad_checkpoint prints.
SCRIPT = """
import json
import jax, keras, numpy as np
from jax._src.ad_checkpoint import saved_residuals
import cunet_tf as cu

config = cu.CUNetConfig(stacks=1, order=0, main_channels=8, growth=4, landmarks=5, levels=1, input_size=64)
images = np.random.default_rng(0).random((2, 64, 64, 3)).astype("float32")
found, first = {}, None
for mode in ("none", "recompute", "recompute+bottleneck"):
    keras.utils.set_random_seed(0)
    model = cu.build_cunet(config, memory=mode)
    trained, others = ([v.value for v in each] for each in (model.trainable_variables, model.non_trainable_variables))

    def loss(values):
        outputs, states = model.stateless_call(values, others, images, training=True)
        return sum((each**2).mean() for each in outputs), states

    gradients, states = jax.grad(loss, has_aux=True)(trained)
    kept = saved_residuals(lambda values: loss(values)[0], trained)
    size = sum(int(np.prod(each.shape)) * each.dtype.itemsize for each, where in kept if "argument" not in where)
    first = first or (gradients, states)
    largest = max(float(abs(each).max()) for each in first[0])
    off = [float(abs(a - b).max()) for ours, theirs in zip((gradients, states), first) for a, b in zip(ours, theirs)]
    found[mode] = {"kept": size, "off": max(off) / largest}
try:
    cu.build_cunet(config, memory="both")
except cu.CUNetError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("mode", ["recompute", "recompute+bottleneck"])
def test_gradients_and_statistics_are_those_of_the_plain_network(found, mode):
    assert found[mode]["off"] < 1e-5


def test_less_is_kept(found):
    kept = [found[mode]["kept"] for mode in ("none", "recompute", "recompute+bottleneck")]
    assert kept[1] < 0.3 * kept[0] and kept[2] < kept[1]


def test_few_bits_need_tensorflow(found):
    assert found["error"].startswith("memory=both, which stores few bits, needs Keras on TensorFlow")
