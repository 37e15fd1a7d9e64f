"""Two steps of a network of two passes on the backend that Keras has: ``... WEIGHTS.keras STATE.npz``."""

import sys

import keras
import numpy as np

from cunet_tf.codec import codecs_of_heads, parse_codecs
from cunet_tf.models.saved import load_keras

STEPS = 2


def batches(side=32, landmarks=68):
    """Pictures, and targets of all heads; of an odd number the second pass sees one more. No ReLU is at its kink."""
    rng = np.random.default_rng(6)
    for _ in range(STEPS):
        points = np.concatenate([rng.random((5, landmarks, 2)) * side / 4, np.ones((5, landmarks, 1))], axis=-1)
        yield rng.random((5, side, side, 3), dtype=np.float32), points.astype("float32")


def trained(file):
    """Path -> value of every variable after the steps, the optimizer's too, and the losses."""
    model = load_keras(file)
    heads = len(model.outputs)
    losses = [codec.loss() for codec in codecs_of_heads(parse_codecs("disk,gaussian"), model.spec.config)]
    optimizer = keras.optimizers.SGD(1e-4, momentum=0.9, name="sgd")
    model.compile(optimizer, losses, jit_compile=keras.backend.backend() == "jax")
    found = {}
    for index, (images, points) in enumerate(batches()):
        found[f"loss {index}"] = model.train_on_batch(images, [points] * heads, return_dict=True)["loss"]
    variables = {f"model {each.path}": each for each in model.variables}
    variables |= {f"optimizer {each.path}": each for each in model.optimizer.variables}
    return found | {name: keras.ops.convert_to_numpy(each) for name, each in variables.items()}


if __name__ == "__main__":
    assert keras.backend.backend() == "jax" and "tensorflow" not in sys.modules
    np.savez(sys.argv[2], **trained(sys.argv[1]))
