"""Loading Keras models, and carrying weights from one to another."""

import importlib
import zipfile
from pathlib import Path

import keras

from cunet_tf.errors import CUNetError
from cunet_tf.models.legacy import upgraded

# Keras finds a saved class by its registered name: the modules that define ours must have been imported.
DEFINING = (
    "cunet_tf.losses", "cunet_tf.models.convolution", "cunet_tf.models.landmark_model", "cunet_tf.models.layers",
    "cunet_tf.models.quant_layers", "cunet_tf.models.residual", "cunet_tf.quantize.quantizers",
    "cunet_tf.schedules", "cunet_tf.training_metrics",
)  # fmt: skip


def load_keras(path: str | Path, compile: bool = False) -> keras.Model:
    """Load a ``.keras`` file as ``keras.models.load_model`` does, with every class of ours known, and plainer errors.

    Raises:
        CUNetError: no such file, not a Keras model, or a layer this version does not know.
    """
    if not Path(path).is_file():
        raise CUNetError(f"{path}: no such model file.")
    if not zipfile.is_zipfile(path):
        raise CUNetError(f"{path}: not a Keras model file (.keras): give one written by model.save.")
    for module in DEFINING:
        importlib.import_module(module)
    try:
        with upgraded(Path(path)) as file:
            return keras.models.load_model(file, compile=compile)
    except (ValueError, TypeError, KeyError, OSError) as error:
        first = str(error).strip().split("\n")[0]
        raise CUNetError(
            f"{path}: Keras cannot load this model: {first} (cunet_tf.load_keras knows the classes of cunet_tf; import "
            "the modules that define other ones first.)"
        ) from None


def transfer_weights(source: keras.Model, target: keras.Model) -> list[str]:
    """Copy every variable of ``source`` that ``target`` has under the same path and shape.

    Returns:
        Paths of the target's variables that kept their values.

    Raises:
        CUNetError: nothing fits, so the networks have nothing in common.
    """
    values = {variable.path: variable for variable in source.variables}
    kept = []
    for variable in target.variables:
        found = values.get(variable.path)
        if found is not None and tuple(found.shape) == tuple(variable.shape):
            variable.assign(found)
        else:
            kept.append(variable.path)
    if len(kept) == len(target.variables):
        raise CUNetError("the two models share no variable of equal path and shape: choose a model of this network.")
    return kept
