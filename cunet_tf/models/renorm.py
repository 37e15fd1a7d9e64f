"""Statistics of batch normalisations after weights have changed without training: estimated anew, or corrected."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from cunet_tf.compat import inner_layers
from cunet_tf.errors import CUNetError
from cunet_tf.models.convolution import NormalizedConv
from cunet_tf.models.normalize import MOMENTUM

TINY = 1e-12  # variance of a channel that is always the same


def estimate_norms(model: keras.Model, batches: Iterable[Any]) -> int:
    """Replace the moving statistics of every normalisation by those of given pictures; nothing else changes.

    Args:
        model, batches: see :func:`moments`.

    Returns:
        How many batches were seen.

    Raises:
        CUNetError: no batch was given.
    """
    found, count = moments(model, batches)
    for (_, _, *moving), values in zip(_sets(model), found, strict=True):
        for variable, value in zip(moving, values, strict=True):
            variable.assign(value)
    return count


def correct_norms(model: keras.Model, origin: keras.Model, batches: Iterable[Any]) -> int:
    """Change the moving statistics as the change of the weights changed those of given pictures.

    Statistics of a long training, of many augmented views, are better than those of a few pictures; so only the
    difference is taken from these: means move by it, variances are multiplied by their ratio.

    Args:
        model: its weights are changed ones of ``origin``, its moving statistics still the same.
        origin: the trained network.
        batches: see :func:`moments`.

    Returns:
        How many batches were seen.

    Raises:
        CUNetError: no batch was given.
    """
    batches = list(batches)
    (before, _), (after, count) = moments(origin, batches), moments(model, batches)
    for (_, _, mean, variance), old, new in zip(_sets(model), before, after, strict=True):
        mean.assign_add(new[0] - old[0])
        variance.assign(variance * ((new[1] + TINY) / (old[1] + TINY)))
    return count


def moments(model: keras.Model, batches: Iterable[Any]) -> tuple[list[tuple[np.ndarray, np.ndarray]], int]:
    """Mean and variance of what every normalisation sees, over given pictures; the model stays as it is.

    Each batch runs as in training, normalised by its own moments. A layer's mean is the mean of its batches' means;
    its variance is that of all batches together: the mean variance and the variance of the means.

    Args:
        model: of this project's layers; of two passes both are looked at.
        batches: float32 pictures ``[B, H, W, 3]`` in 0..1, large enough for moments of their own (16 and more).

    Returns:
        ``(mean, variance)``, float64 ``[C]``, of each set of each layer of :func:`norm_layers`; the number of batches.

    Raises:
        CUNetError: no batch was given.
    """
    sets = _sets(model)
    sums = [np.zeros((3, one[2].shape[0])) for one in sets]  # of means, variances, squared means
    kept = [[np.asarray(keras.ops.convert_to_numpy(value)) for value in one[2:]] for one in sets]
    count = 0
    try:
        for batch in batches:
            for _, _, *moving in sets:
                for variable in moving:
                    variable.assign(np.zeros(variable.shape))
            model(batch, training=True)
            count += 1
            for total, (_, _, *moving) in zip(sums, sets, strict=True):
                mean, variance = (np.float64(keras.ops.convert_to_numpy(each)) / (1.0 - MOMENTUM) for each in moving)
                total += (mean, variance, mean**2)
    finally:
        for one, values in zip(sets, kept, strict=True):
            for variable, value in zip(one[2:], values, strict=True):
                variable.assign(value)
    if not count:
        raise CUNetError("no pictures to take the moments of batch normalisations from: name some with --data.")
    means = [total / count for total in sums]
    return [(mean, variance + np.maximum(square - mean**2, 0.0)) for mean, variance, square in means], count


def norm_layers(model: keras.Model) -> list[NormalizedConv]:
    """Every layer with normalisations of its own, those inside blocks included."""
    return [layer for layer in inner_layers(model) if isinstance(layer, NormalizedConv)]


def _sets(model: keras.Model) -> list[tuple[Any, Any, Any, Any]]:
    """Gamma, beta, moving mean and variance of each set of each layer."""
    return [one for layer in norm_layers(model) for one in layer.bn]
