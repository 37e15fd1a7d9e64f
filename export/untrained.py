"""Files of untrained networks, for their bytes and latency; their landmarks mean nothing."""

import keras
import numpy as np

from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.export.formats import FLOAT, Exported, to_format
from cunet_tf.export.tflite import convert_calibrated
from cunet_tf.models.build import build_network
from cunet_tf.spec import ModelSpec

SPREAD = 0.3  # of the drawn batch-normalisation vectors
PICTURES = 2


def export_untrained(spec: ModelSpec, fmt: str, seed: int = 0) -> Exported:
    """A fresh network in a format; its batch normalisations are drawn, as all-equal ones would pack too well.

    An hourglass has no deploy twin: the converter's own calibration makes it int8.

    Raises:
        CUNetError: unknown format, or one that the network does not have.
    """
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = build_network(spec)
    draw_normalizations(model, rng)
    crops = rng.random((PICTURES, spec.input_size, spec.input_size, 3), dtype=np.float32)
    if isinstance(spec.config, HourglassConfig) and fmt not in FLOAT:
        data = convert_calibrated(model, spec, crops)
        return Exported("int8", data, data, [])
    return to_format(model, spec, fmt, crops)


def draw_normalizations(model: keras.Model, rng: np.random.Generator) -> None:
    """Draw the vectors of every batch normalisation of a fresh network, which are all alike before."""
    for variable in model.variables:
        if "gamma" in variable.path or "variance" in variable.path:
            variable.assign(np.exp(rng.normal(0, SPREAD, variable.shape)))
        elif "beta" in variable.path or "moving_mean" in variable.path:
            variable.assign(rng.normal(0, SPREAD, variable.shape))
