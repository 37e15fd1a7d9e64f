"""Statistics of batch normalisations estimated anew, after weights have changed without training."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.models.convolution import NormalizedConv
from cunet_tf.models.normalize import MOMENTUM


def estimate_norms(model: keras.Model, batches: Iterable[Any]) -> int:
    """Replace the moving statistics of every normalisation by those of given pictures; nothing else changes.

    Rounded or averaged weights give other features than those that the moving statistics were taken of. Each batch
    runs as in training, normalised by its own moments. A layer's mean is the mean of its batches' means; its variance
    is that of all batches together: the mean variance and the variance of the means.

    Args:
        model: of this project's layers; of two passes both are estimated.
        batches: float32 pictures ``[B, H, W, 3]`` in 0..1, large enough for moments of their own (16 and more).

    Returns:
        How many batches were seen.

    Raises:
        CUNetError: no batch was given.
    """
    sets = [one for layer in norm_layers(model) for one in layer.bn]
    sums = [np.zeros((3, one[2].shape[0])) for one in sets]  # of means, variances, squared means
    kept = [[np.asarray(keras.ops.convert_to_numpy(value)) for value in one[2:]] for one in sets]
    count = 0
    try:
        for batch in batches:
            for _, _, mean, variance in sets:
                mean.assign(np.zeros(mean.shape))
                variance.assign(np.zeros(variance.shape))
            model(batch, training=True)
            count += 1
            for total, (_, _, *moving) in zip(sums, sets, strict=True):
                mean, variance = (np.float64(keras.ops.convert_to_numpy(each)) / (1.0 - MOMENTUM) for each in moving)
                total += (mean, variance, mean**2)
    finally:
        for one, values in zip(sets, kept, strict=True):
            for moving, value in zip(one[2:], values, strict=True):
                moving.assign(value)
    if not count:
        raise CUNetError("no pictures to estimate batch normalisations from: name some with --data.")
    for (mean_sum, variance_sum, square_sum), (_, _, mean, variance) in zip(sums, sets, strict=True):
        average = mean_sum / count
        mean.assign(average)
        variance.assign(variance_sum / count + np.maximum(square_sum / count - average**2, 0.0))
    return count


def norm_layers(model: keras.Model) -> list[NormalizedConv]:
    """Every layer with normalisations of its own, those inside blocks included."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, NormalizedConv)]
