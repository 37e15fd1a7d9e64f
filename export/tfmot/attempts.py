"""What of tfmot's pruning and clustering works on CU-Net, tried one by one.

Importing tfmot switches the whole process to legacy Keras: only :mod:`cunet_tf.export.tfmot.worker` imports this.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from cunet_tf.export.tfmot.graphs import NETWORK, make_graph, pictures
from cunet_tf.export.tfmot.quantize import plain_model
from cunet_tf.export.tfmot.tf_keras_twin import build_twin, weight_paths

SPARSITY, CLUSTERS = 0.5, 16
CUT = 300  # characters of an error that are kept


def try_all(folder: Path) -> list[dict[str, Any]]:
    """Every attempt and its outcome.

    Args:
        folder: holds ``cunet.keras``, ``cunet_saved``, ``plain.keras`` and ``cunet.npz``, written by
            Keras 3; the weights of the pruned network go to ``pruned.npz``.

    Returns:
        Dictionaries with ``attempt``, ``works`` and ``outcome``: a figure, or the error.
    """
    stored = dict(np.load(folder / "cunet.npz"))
    twin, images = partial(build_twin, NETWORK, stored), stored["images"]
    small, inputs = partial(plain_model, make_graph("int8")), pictures()[:2] / np.float32(128.0)
    attempts: dict[str, Callable[[], str]] = {
        "prune a conv-BN-ReLU model": lambda: zeros(pruned(small(), inputs)),
        "cluster a conv-BN-ReLU model": lambda: values(clustered(small(), inputs)),
        "rebuild CU-Net in tf_keras": lambda: difference(twin()(images), stored),
        "prune the rebuilt CU-Net": lambda: zeros(keep(pruned(twin(), images), images, folder / "pruned.npz")),
        "cluster the rebuilt CU-Net": lambda: values(clustered(twin(), images)),
        "quantize_model on the rebuilt CU-Net": lambda: type(quantize(twin())).__name__,
        "prune CU-Net's SavedModel": lambda: zeros(pruned(load(folder / "cunet_saved"), images)),
        "load a Keras 3 conv-BN-ReLU .keras in tf_keras": lambda: type(load(folder / "plain.keras")).__name__,
        "load CU-Net's .keras in tf_keras": lambda: type(load(folder / "cunet.keras")).__name__,
    }
    return [_outcome(name, attempt) for name, attempt in attempts.items()]


def _outcome(name: str, attempt: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"attempt": name, "works": True, "outcome": attempt()}
    except Exception as error:  # whatever tfmot or tf_keras raise is the finding
        text = f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"  # the last line has the cause
        return {"attempt": name, "works": False, "outcome": text if len(text) <= CUT else f"{text[:CUT]}..."}


def load(path: Path) -> tf_keras.Model:
    """What tf_keras makes of a file of Keras 3."""
    return tf_keras.models.load_model(path, compile=False)


def quantize(model: tf_keras.Model) -> tf_keras.Model:
    """tfmot's default 8-bit quantization."""
    return tfmot.quantization.keras.quantize_model(model)


def pruned(model: tf_keras.Model, images: np.ndarray) -> tf_keras.Model:
    """The model after two training steps in which the smaller half of each kernel is zero."""
    sparsity = tfmot.sparsity.keras
    schedule = sparsity.ConstantSparsity(SPARSITY, begin_step=0, frequency=1)
    wrapped = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
    _train(wrapped, images, [sparsity.UpdatePruningStep()])
    return sparsity.strip_pruning(wrapped)


def clustered(model: tf_keras.Model, images: np.ndarray) -> tf_keras.Model:
    """The model after two training steps with 16 different values in each kernel."""
    clustering = tfmot.clustering.keras
    start = clustering.CentroidInitialization.LINEAR
    wrapped = clustering.cluster_weights(model, number_of_clusters=CLUSTERS, cluster_centroids_init=start)
    _train(wrapped, images, [])
    return clustering.strip_clustering(wrapped)


def _train(model: tf_keras.Model, images: np.ndarray, callbacks: list[Any]) -> None:
    targets = [np.zeros_like(output) for output in _answers(model, images)]
    model.compile(tf_keras.optimizers.RMSprop(1e-4), "mse", run_eagerly=True)  # tracing would take longer
    model.fit(images, targets, epochs=2, verbose=0, callbacks=callbacks)


def _answers(model: tf_keras.Model, images: np.ndarray) -> list[np.ndarray]:
    outputs = model(images, training=False)
    return [output.numpy() for output in (outputs if isinstance(outputs, list) else [outputs])]


def _kernels(model: tf_keras.Model) -> list[np.ndarray]:
    return [layer.get_weights()[0] for layer in model.layers if isinstance(layer, tf_keras.layers.Conv2D)]


def zeros(model: tf_keras.Model) -> str:
    """Share of zeros in all kernels, as a phrase."""
    share = np.mean(np.concatenate([kernel.ravel() for kernel in _kernels(model)]) == 0.0)
    return f"{100.0 * share:.1f} % of the kernels' weights are 0"


def values(model: tf_keras.Model) -> str:
    """Largest number of different values in one kernel, as a phrase."""
    return f"at most {max(len(np.unique(kernel)) for kernel in _kernels(model))} different values in a kernel"


def difference(outputs: list[Any], stored: dict[str, np.ndarray]) -> str:
    """Largest difference of heat maps from Keras 3's, as a phrase."""
    gaps = [np.abs(output.numpy() - stored[f"heatmaps{index}"]).max() for index, output in enumerate(outputs)]
    return f"heat maps differ from Keras 3's by at most {max(gaps):.1e}"


def keep(model: tf_keras.Model, images: np.ndarray, file: Path) -> tf_keras.Model:
    """Write a twin's weights by their Keras 3 paths, and its last heat maps for the ``images``."""
    weights: dict[str, np.ndarray] = {}
    for layer in model.layers:
        weights |= dict(zip(weight_paths(layer.name), layer.get_weights(), strict=False))
    np.savez(file, images=images, heatmaps=_answers(model, images)[-1], **weights)  # type: ignore[arg-type]
    return model
