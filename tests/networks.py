"""Small networks, their deploy twins and their files, each built once for the whole run.

They are shared: use them, do not change them. Files are shared between the workers of pytest as well, by
:mod:`tests.shared`.
"""

import contextlib
import functools
import warnings
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import DenseUNetConfig
from cunet_tf.export.deploy import Deployed, deploy
from cunet_tf.export.onnx_file import convert_onnx
from cunet_tf.export.tflite import convert, convert_int8
from cunet_tf.export.untrained import draw_normalizations
from cunet_tf.models.build import build_network
from cunet_tf.presets import preset
from cunet_tf.spec import ModelSpec
from tests.shared import shared_bytes

TINY = CUNetConfig(stacks=2, order=1, main_channels=8, growth=4, landmarks=68, levels=2, input_size=64)
SHAPES = {
    "plain": TINY,
    "small": TINY.replace(stacks=1, order=0, levels=1),
    "two passes": TINY.replace(levels=1, refinement=2),
    "conv first": TINY.replace(levels=1, norm_order="conv_first"),
    "dense": DenseUNetConfig(2, 8, 4, 68, levels=2, input_size=64),
}
BINARY, TERNARY = "BW-a-QIG(818)", "TW-QIG(828)"  # the quantizations that most tests take


def spec_of(quant: str = "float", shape: str = "plain") -> ModelSpec:
    """Describes a network of 8 channels at 64 px."""
    return preset("face-mobile").replace(config=SHAPES[shape], quant=quant)


def uneven(spec: ModelSpec, seed: int = 0) -> keras.Model:
    """A fresh network whose batch normalisations are not all alike."""
    keras.utils.set_random_seed(seed)
    model = build_network(spec)
    draw_normalizations(model, np.random.default_rng(seed))
    return model


@contextlib.contextmanager
def run_eagerly() -> Iterator[None]:
    """No function of TensorFlow is traced; those of tf.data still are."""
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Even though the .*run_functions_eagerly")
            yield
    finally:
        tf.config.run_functions_eagerly(False)


@functools.cache
def network(quant: str = "float", shape: str = "plain") -> keras.Model:
    """A network of two U-Nets (the small one has one, of one level)."""
    return uneven(spec_of(quant, shape))


@functools.cache
def crops() -> np.ndarray:
    """The pictures of every calibration: float32 ``[2, 64, 64, 3]`` in 0..1."""
    return np.random.default_rng(7).random((2, 64, 64, 3), dtype=np.float32)


@functools.cache
def twin(quant: str = "float", shape: str = "plain") -> Deployed:
    """The network's deploy twin, calibrated on :func:`crops`."""
    deployed = deploy(network(quant, shape), spec_of(quant, shape))
    deployed.calibrate(crops())
    return deployed


@functools.cache
@shared_bytes
def integer_file(quant: str, shape: str = "plain", float_io: bool = False) -> bytes:
    """The twin as an int8 ``.tflite`` file."""
    return convert_int8(twin(quant, shape), spec_of(quant, shape), float_io)


@functools.cache
@shared_bytes
def float_file(quant: str = "float", fmt: str = "float32") -> bytes:
    """The network as a float ``.tflite`` file."""
    return convert(network(quant), spec_of(quant), fmt)


@functools.cache
@shared_bytes
def onnx_file(shape: str = "plain") -> bytes:
    """The float network as an ``.onnx`` file."""
    return convert_onnx(network(shape=shape), spec_of(shape=shape))
