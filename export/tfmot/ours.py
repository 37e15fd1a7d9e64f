"""Our side of the tfmot reference, under Keras 3: the graphs with our quantizers, and a small CU-Net."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from cunet_tf.backend import tensorflow
from cunet_tf.export.tfmot.graphs import INPUT_STEP, NETWORK, OUTPUT_STEP, Graph, input_values, pictures
from cunet_tf.models.cunet import build_cunet
from cunet_tf.quantize.functional import linear
from cunet_tf.quantize.quantizers import Binary
from cunet_tf.quiet import native_stderr_hidden


def quantized_kernel(graph: Graph) -> np.ndarray:
    """The graph's kernel through our quantizers, float32, before the batch normalisation is folded in."""
    if graph.name == "int8":  # 127 steps per filter: linear's grid, stretched
        stretch = np.float32(127.0 / 128.0) / np.abs(graph.kernel).max(axis=(0, 1, 2))
        return np.asarray(linear(graph.kernel * stretch, 8, narrow=True)) / stretch
    return np.asarray(Binary(alpha=graph.name == "binary-a", shift=True)(graph.kernel))


def quantized_input() -> np.ndarray:
    """Our quantizer's answer to :func:`~cunet_tf.export.tfmot.graphs.input_values`, in steps of the input's grid."""
    return np.rint(np.asarray(linear(input_values(), 8)) / INPUT_STEP).astype(np.int32)


def float_result(graph: Graph, kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The graph in float32 with our quantizers around it, batch normalisation folded.

    Returns:
        Integers ``[64, 16, 16, 8]`` on the output's grid, and the values before rounding in LSB.
    """
    x = linear(pictures() * np.float32(INPUT_STEP), 8)
    y = ops.relu(ops.conv(x, kernel * graph.factor, padding="same") + graph.bias)
    steps = np.asarray(linear(y, 8, r=4.0, signed=False)) / OUTPUT_STEP
    return np.rint(steps).astype(np.int32), np.asarray(y) / OUTPUT_STEP


def write_networks(folder: Path) -> keras.Model:
    """Write what the worker tries to load; returns the small CU-Net, its variables drawn from a fixed seed.

    Files: ``cunet.keras``, ``cunet_saved``, ``cunet.npz`` (all variables by path, ``images`` and
    ``heatmaps0``, ``heatmaps1``), and ``plain.keras``, a conv-BN-ReLU model.

    Raises:
        CUNetError: Keras runs on another backend than TensorFlow.
    """
    tensorflow()
    rng = np.random.default_rng(0)
    network = build_cunet(NETWORK)
    for variable in network.variables:
        low, high = (-0.2, 0.2) if variable.path.endswith("kernel") else (0.5, 1.5)
        variable.assign(rng.uniform(low, high, variable.shape))
    network.save(folder / "cunet.keras")
    with native_stderr_hidden():  # absl reports the written assets
        network.export(folder / "cunet_saved", verbose=False)
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    maps = {f"heatmaps{index}": np.asarray(output) for index, output in enumerate(network(images))}
    variables = {variable.path: variable.numpy() for variable in network.variables}
    np.savez(folder / "cunet.npz", images=images, **maps, **variables)  # type: ignore[arg-type]
    layers = [keras.Input((16, 16, 16)), keras.layers.Conv2D(8, 3), keras.layers.BatchNormalization(),
              keras.layers.ReLU()]  # fmt: skip
    keras.Sequential(layers).save(folder / "plain.keras")
    return network


def back_in_keras(network: keras.Model, pruned: dict[str, np.ndarray]) -> dict[str, Any]:
    """Assign pruned weights by path to the Keras 3 network and compare its last heat maps with the twin's."""
    for variable in network.variables:
        variable.assign(pruned[variable.path])
    gap = float(np.abs(np.asarray(network(pruned["images"])[-1]) - pruned["heatmaps"]).max())
    return {"attempt": "pruned weights back in the Keras 3 CU-Net", "works": gap < 1e-4,
            "outcome": f"heat maps differ from the pruned twin's by at most {gap:.1e}"}  # fmt: skip
