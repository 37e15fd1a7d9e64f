"""What replicas tell each other: on two parts of a batch the values and gradients are those of the whole."""

import subprocess
import sys

import numpy as np
import pytest

from cunet_tf import replicas

# In a process of its own, which shares its processor among two logical devices.
SCRIPT = """
import sys
import numpy as np, tensorflow as tf
part = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [part, part])
import keras
from cunet_tf import replicas
from cunet_tf.models.normalize import batch_moments_norm
from cunet_tf.optimizers import ClippingRMSprop
from cunet_tf.quantize.functional import scaled_gradient

rng = np.random.default_rng(0)
x, dy = (rng.normal(1.0, 2.0, (6, 4, 5, 3)).astype("float32") for _ in range(2))
gamma, beta = np.float32([0.5, 1.0, 2.0]), np.float32([0.0, -1.0, 1.0])
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def step(x, dy):
    variables = [tf.constant(gamma), tf.constant(beta)]
    with tf.GradientTape() as tape:
        tape.watch([x, *variables])
        y, mean, variance = batch_moments_norm(x, *variables)
    gradients = tape.gradient(y, [x, *variables], dy)
    return {"y": y, "mean": mean, "variance": variance, "dx": gradients[0], "dgamma": gradients[1],
            "dbeta": gradients[2], "few": scaled_gradient(dy, 4), "flat": scaled_gradient(dy[:, 0, 0], 4),
            "count": tf.constant(replicas.count()), "loss": replicas.whole_loss(tf.constant(1.0))}

def apart(sizes):
    ends = np.cumsum([0, *sizes])
    def piece(values):
        def own(context):
            place = context.replica_id_in_sync_group
            return tf.constant(values[ends[place]:ends[place + 1]])
        return strategy.experimental_distribute_values_from_function(own)
    out = strategy.run(tf.function(step), args=(piece(x), piece(dy)))
    return {name: [part.numpy() for part in strategy.experimental_local_results(value)] for name, value in out.items()}

whole = {name: value.numpy() for name, value in step(tf.constant(x), tf.constant(dy)).items()}
found = {f"whole/{name}": value for name, value in whole.items()}
for sizes in ((3, 3), (4, 2), (6, 0)):
    for name, parts in apart(sizes).items():
        found[f"{sizes[0]}/{name}/0"], found[f"{sizes[0]}/{name}/1"] = parts

with strategy.scope():
    variable = keras.Variable([3.0, 4.0])
    optimizer = ClippingRMSprop(1.0, rho=0.0, epsilon=1e-12, global_clipnorm=1.0)
    optimizer.build([variable])
def update():
    own = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.float32)
    optimizer.apply([tf.stack([6.0 * own, 8.0 * (1.0 - own)])], [variable])
strategy.run(tf.function(update))
found["velocity"] = np.array([v for v in optimizer.variables if "velocity" in v.path][0])
np.savez(sys.argv[1], **found)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    file = tmp_path_factory.mktemp("replicas") / "found.npz"
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(np.load(file))


@pytest.mark.parametrize("first", [3, 4, 6], ids=["even parts", "uneven parts", "nothing for one"])
def test_normalisation_is_that_of_the_whole_batch(found, first):
    for name in ("y", "dx"):
        joined = np.concatenate([found[f"{first}/{name}/0"], found[f"{first}/{name}/1"]])
        np.testing.assert_allclose(joined, found[f"whole/{name}"], atol=3e-6)
    for name in ("dgamma", "dbeta"):  # the optimizer adds them up
        np.testing.assert_allclose(found[f"{first}/{name}/0"] + found[f"{first}/{name}/1"], found[f"whole/{name}"],
                                   rtol=1e-5, atol=1e-5)  # fmt: skip
    for name in ("mean", "variance"):
        np.testing.assert_allclose(found[f"{first}/{name}/0"], found[f"whole/{name}"], rtol=1e-6)
        np.testing.assert_array_equal(found[f"{first}/{name}/0"], found[f"{first}/{name}/1"])


@pytest.mark.parametrize("name", ["few", "flat"])
@pytest.mark.parametrize("first", [3, 4])
def test_gradients_of_few_bits_have_the_scale_and_the_noise_of_the_whole_batch(found, first, name):
    joined = np.concatenate([found[f"{first}/{name}/0"], found[f"{first}/{name}/1"]])
    np.testing.assert_array_equal(joined, found[f"whole/{name}"])
    assert len(np.unique(joined)) > 3


def test_the_gradient_of_the_whole_batch_is_clipped(found):
    # Parts (0, 8) and (6, 0): together (6, 8) of norm 10, clipped to (0.6, 0.8); each by itself would give (1, 1).
    np.testing.assert_allclose(found["velocity"], [0.36, 0.64], rtol=1e-5)


def test_replicas_are_counted_inside_a_step_only(found):
    assert found["3/count/0"] == found["3/count/1"] == 2 and replicas.count() == 1
    assert found["3/loss/0"] == 2.0 and replicas.whole_loss(3.0) == 3.0
