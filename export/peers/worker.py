"""The process in which one package trains the small network and converts it, in that package's environment.

python -m cunet_tf.export.peers.worker FOLDER PACKAGE KERNELS
"""

import json
import os
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from cunet_tf.export.peers import networks, tiny
from cunet_tf.export.peers.networks import Model
from cunet_tf.export.peers.timing import time_ratio

LEARNING_RATE = 3e-3
ROUNDS, STEPS_A_ROUND = 15, 4
CONVERSIONS = ("as it is", "dynamic", "calibrated int8")  # of the TFLite converter
OWN = ("int8", "int4")  # modes of Keras' own quantize
FLOAT = "float"
XLA = {"": False, "_xla": True}  # endings of step_ratio: whether both networks are compiled by XLA


def main(folder: Path, package: str, kernels: str) -> None:
    """Train, time and convert; write ``result.json``, ``expected.npy`` and a ``.tflite`` for each conversion.

    Args:
        folder: to write into.
        package: of :data:`~cunet_tf.export.peers.networks.BUILDERS`, or ``keras``.
        kernels: of :data:`~cunet_tf.export.peers.networks.KERNELS`; for ``keras`` ``float``, or one of :data:`OWN`.
    """
    result: dict[str, Any] = {"version": version(package), "files": {}, "note": ""}
    keras = _keras(package)
    result["keras"] = f"{keras.__name__} {keras.__version__}"
    keras.utils.set_random_seed(tiny.SEED)
    try:
        model = networks.BUILDERS[package](kernels) if package in networks.BUILDERS else _float(keras)
        result |= _train(keras, model)
        if package in networks.BUILDERS:
            result |= {f"step_ratio{end}": _step_ratio(keras, model, xla) for end, xla in XLA.items()}
        elif kernels != FLOAT:
            result["note"] = _quantized(keras, model, kernels)
        np.save(folder / "expected.npy", model.predict(tiny.test_pictures(), verbose=0))
    except Exception as error:  # whatever a package raises is the finding
        result["error"] = _words(error)
    else:
        if package == "cunet-tf":
            model.save(folder / "trained.keras")  # which cunet export takes
        else:
            result["files"] = {conversion: _converted(folder, model, conversion) for conversion in CONVERSIONS}
    (folder / "result.json").write_text(json.dumps(result))


def _keras(package: str) -> ModuleType:
    """The Keras that the package works on."""
    if package == "larq":
        os.environ["TF_USE_LEGACY_KERAS"] = "1"  # larq takes tf.keras
        import tf_keras

        return tf_keras
    import keras

    return keras


def _float(keras: ModuleType) -> Model:
    return networks.float_network(keras.layers, keras.Model)


def _compiled(keras: ModuleType, model: Model, xla: bool = False) -> Model:
    model.compile(keras.optimizers.Adam(LEARNING_RATE), "mse", jit_compile=xla)
    return model


def _train(keras: ModuleType, model: Model) -> dict[str, float]:
    """Losses of the first and the last batches."""
    pictures, maps = tiny.training()
    _compiled(keras, model)
    history = model.fit(pictures, maps, batch_size=tiny.BATCH, epochs=tiny.EPOCHS, verbose=0).history["loss"]
    return {"loss_first": float(history[0]), "loss_last": float(history[-1])}


def _step_ratio(keras: ModuleType, model: Model, xla: bool) -> float | None:
    """Time of a training step to that of the float network in the same process; the model stays what it is.

    ``None`` where XLA cannot compile the step.
    """
    pictures, maps = (part[: tiny.BATCH] for part in tiny.training())
    kept = model.get_weights()
    ours, yardstick = (
        partial(_compiled(keras, each, xla).train_on_batch, pictures, maps) for each in (model, _float(keras))
    )
    try:
        return time_ratio(ours, yardstick, ROUNDS, STEPS_A_ROUND)
    except Exception:
        if not xla:
            raise
        return None
    finally:
        model.set_weights(kept)


def _quantized(keras: ModuleType, model: Model, mode: str) -> str:
    """Quantize by Keras itself; what it has changed, in words."""
    model.quantize(mode)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    changed = sum(bool(getattr(layer, "quantization_mode", None)) for layer in convolutions)
    return f"{changed} of {len(convolutions)} convolutions quantized by keras"


def _converted(folder: Path, model: Model, conversion: str) -> str:
    """Write ``CONVERSION.tflite``; what went wrong."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if conversion != "as it is":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if conversion == "calibrated int8":
        pictures = tiny.training()[0][: tiny.CALIBRATION]
        converter.representative_dataset = lambda: ([picture[None]] for picture in pictures)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    try:
        (folder / f"{conversion}.tflite").write_bytes(converter.convert())
    except Exception as error:
        return _words(error)
    return ""


def _words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()] or ["no message"]
    return f"{type(error).__name__}: {lines[-1]}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
