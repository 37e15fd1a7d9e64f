"""Trained low-bit networks in a compact ``.npz``, until the packed container takes over.

One bit a binary weight, two a ternary one; everything else (alpha, batch normalisation, stem
and heads) in float32, all in the order of the model's variables.
"""

import dataclasses
import io
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.models.build import build_network
from cunet_tf.quantize.health import quantized_kernels
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.quantizers import Binary, Ternary
from cunet_tf.spec import SPEC_NAME, ModelSpec


def save_compact(model: keras.Model) -> bytes:
    """The bytes of a compact file.

    Args:
        model: with a description (``model.spec``) and binary or ternary kernels.

    Raises:
        CUNetError: the model is not quantized, or carries no description.
    """
    spec = getattr(model, "spec", None)
    quant = QuantConfig.parse(spec and spec.quant)
    if quant.weights == "FW":
        raise CUNetError("the compact form is for binary and ternary networks: train with --quant=BW-a, for example.")
    kernels = {kernel.path: _quantized(kernel, quant) for kernel in quantized_kernels(model).values()}
    planes, alphas, floats = [], [], []
    for variable in model.variables:
        if variable.path in kernels:
            signs, alpha = kernels[variable.path]
            planes += [signs >= 0] + ([signs != 0] if quant.weights == "TW" else [])
            alphas.append(alpha)
        else:
            floats.append(np.asarray(variable, np.float32))
    described = spec.replace(quant=str(dataclasses.replace(quant, centered=False)))  # centring has been done
    file = io.BytesIO()
    np.savez_compressed(
        file, bits=np.packbits(_flat(planes)), alpha=_flat(alphas), floats=_flat(floats),
        **{SPEC_NAME: np.frombuffer(described.to_json().encode(), np.uint8)},
    )  # fmt: skip
    return file.getvalue()


def load_compact(source: str | Path | bytes) -> keras.Model:
    """The Keras model of a compact file, or of its bytes; its masters are the quantized values.

    Raises:
        CUNetError: no such file, or a damaged one.
    """
    try:
        with np.load(io.BytesIO(source) if isinstance(source, bytes) else source, allow_pickle=False) as arrays:
            model = build_network(ModelSpec.from_json(arrays[SPEC_NAME].tobytes()))
            _restore(model, np.unpackbits(arrays["bits"]), arrays["alpha"], arrays["floats"])
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        name = "these bytes" if isinstance(source, bytes) else source
        raise CUNetError(f"{name}: not a compact model file, or a damaged one ({error}).") from None
    return model


def _restore(model: keras.Model, bits: np.ndarray, alphas: np.ndarray, floats: np.ndarray) -> None:
    quant = QuantConfig.parse(model.spec.quant)
    kernels = {kernel.path for kernel in quantized_kernels(model).values()}
    bits, alphas, floats = _Stream(bits), _Stream(alphas), _Stream(floats)
    for variable in model.variables:
        if variable.path not in kernels:
            variable.assign(floats.take(variable.shape))
            continue
        signs = np.where(bits.take(variable.shape) == 1, 1.0, -1.0)
        if quant.weights == "TW":
            signs = signs * bits.take(variable.shape)
        variable.assign(signs * (alphas.take(variable.shape[-1:]) if quant.alpha else 1.0))


class _Stream:
    """Takes arrays from the front of a flat one."""

    def __init__(self, values: np.ndarray):
        self.values = values

    def take(self, shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        head, self.values = self.values[:size], self.values[size:]
        return head.reshape(shape)  # refuses a file that ends too early


def _flat(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel() for array in arrays]) if arrays else np.zeros(0, np.float32)


def _quantized(kernel: Any, quant: QuantConfig) -> tuple[np.ndarray, np.ndarray]:
    """Signs in {-1, 0, 1}, and alpha of each filter (none without ``-a``)."""
    kind = Binary if quant.weights == "BW" else Ternary
    signs = np.asarray(kind(centered=quant.centered)(kernel))
    if not quant.alpha:
        return signs, np.zeros(0, np.float32)
    scaled = np.asarray(kind(alpha=True, centered=quant.centered)(kernel))
    return signs, np.abs(scaled).max(axis=(0, 1, 2))
