"""Going on from a finished run: the optimizer's averages are taken over, and a new schedule begins."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from cunet_tf.errors import CUNetError
from cunet_tf.files.shipped import find_weights
from cunet_tf.models.saved import load_keras
from cunet_tf.schedules import Later


def extended_file(init: str | None) -> Path:
    """The file that ``--init_optimizer`` takes the optimizer from: of a run's folder ``last.keras``, not the best.

    Raises:
        CUNetError: nothing was named, or there is no such file.
    """
    if not init:
        raise CUNetError("--init_optimizer needs --init=RUN, whose optimizer's averages it takes over.")
    last = Path(init, "last.keras")
    return last if last.is_file() else find_weights(init)


def load_with_optimizer(file: Path) -> keras.Model:
    """A trained network with the optimizer that trained it.

    Raises:
        CUNetError: the file has no RMSprop that has made updates.
    """
    model = load_keras(file, compile=True)
    optimizer = getattr(model, "optimizer", None)  # Keras sets it by compiling
    if not isinstance(optimizer, keras.optimizers.RMSprop) or not int(ops.convert_to_numpy(optimizer.iterations)):
        raise CUNetError(
            f"--init_optimizer: {file} holds no averages of an optimizer: name a run's folder or its last.keras, "
            "or leave the flag out."
        )
    return model


def take_optimizer(source: keras.Model, target: keras.Model) -> None:
    """Give a compiled network the averages of another one's optimizer, and its counter of updates.

    These are RMSprop's averages of squared gradients and, where both keep one, the moving average of the weights;
    where only the target keeps one, it starts at the weights.

    Args:
        source: see :func:`load_with_optimizer`.
        target: has the weights of ``source`` already; its schedule begins at the counter, see
            :class:`cunet_tf.schedules.Later`.

    Raises:
        CUNetError: the networks train other variables.
    """
    known, missing = _state(source.optimizer), []
    weights = {variable.path.replace("/", "_"): variable for variable in target.trainable_variables}
    for name, variable in _state(target.optimizer).items():
        found = known.get(name, weights.get(name.removesuffix("_average")))
        if found is None or tuple(found.shape) != tuple(variable.shape):
            missing.append(name)
        else:
            variable.assign(ops.convert_to_numpy(found))
    if missing:
        raise CUNetError(
            f"--init_optimizer: the optimizer of --init knows nothing of {missing[0]} ({len(missing)} values in all): "
            "it belongs to another network; leave the flag out."
        )
    target.optimizer.iterations.assign(ops.convert_to_numpy(source.optimizer.iterations))


def updates_made(optimizer: keras.optimizers.Optimizer) -> int:
    """Updates of the present training: those of one that it has extended are left out."""
    rate = optimizer.get_config()["learning_rate"]
    later = isinstance(rate, dict) and rate.get("class_name") == Later.__name__
    return int(ops.convert_to_numpy(optimizer.iterations)) - (rate["config"]["start"] if later else 0)


def _state(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """Velocities and averages by name, whatever the optimizer is called."""
    kept = [each for each in optimizer.variables if each.path.endswith(("_velocity", "_average"))]
    return {each.path.split("/", 1)[1]: each for each in kept}
