"""Loading Keras models, and carrying weights from one to another."""

import importlib
import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras

from cunet_tf.errors import CUNetError, reason
from cunet_tf.files.keras_archive import CONFIG, METADATA, WEIGHTS, read_config, read_parts
from cunet_tf.models.legacy import upgraded
from cunet_tf.models.saved_config import check_classes, limited_variables
from cunet_tf.models.stored_weights import check_weights
from cunet_tf.writing import writing

# Keras finds a saved class by its registered name: the modules that define ours must have been imported.
DEFINING = (
    "cunet_tf.losses", "cunet_tf.models.convolution", "cunet_tf.models.landmark_model", "cunet_tf.models.refined_model",
    "cunet_tf.models.layers", "cunet_tf.models.quant_layers", "cunet_tf.models.residual", "cunet_tf.optimizers",
    "cunet_tf.quantize.in_bytes", "cunet_tf.quantize.quantizers", "cunet_tf.schedules", "cunet_tf.side_tolerance",
    "cunet_tf.training_metrics",
)  # fmt: skip


def load_keras(path: str | Path, compile: bool = False) -> keras.Model:
    """Load a ``.keras`` file as ``keras.models.load_model`` does, with every class of ours known, and plainer errors.

    The file may come from anywhere: it is looked at before Keras sees it, and no code of its runs.

    Raises:
        CUNetError: no such file, not a Keras model, a damaged one, or a layer this version does not know.
    """
    path = Path(path)
    for module in DEFINING:
        importlib.import_module(module)
    data, weights = read_parts(path, CONFIG, WEIGHTS)
    try:
        config = read_config(data)
        stored = check_weights(weights)
        config, weights = upgraded(config, weights)
        check_classes(config)
        with limited_variables(*stored), tempfile.TemporaryDirectory() as folder:
            return keras.models.load_model(_written(Path(folder, "model.keras"), config, weights), compile=compile)
    except CUNetError as error:
        raise CUNetError(f"{path}: {error}") from None
    except Exception as error:  # of Keras, of the backend and of h5py, all kinds
        raise CUNetError(
            f"{path}: Keras cannot load this model: {reason(error)} (cunet_tf.load_keras knows the classes of "
            "cunet_tf; import the modules that define other ones first)."
        ) from None


def _written(file: Path, config: dict[str, Any], weights: bytes) -> Path:
    """The parts as a plain archive that says nothing else."""
    with writing(file), zipfile.ZipFile(file, "w") as archive:
        for name, part in ((METADATA, "{}"), (CONFIG, json.dumps(config)), (WEIGHTS, weights)):
            archive.writestr(name, part)
    return file


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
