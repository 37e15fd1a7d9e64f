"""A trained Keras model to a file in any format."""

import gzip
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from cunet_tf.engines import Engine, LiteRTEngine, OnnxEngine
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.export.deploy import DEPTHWISE, deploy
from cunet_tf.export.onnx_file import convert_onnx
from cunet_tf.export.own import deploy_own
from cunet_tf.export.packed.writer import pack
from cunet_tf.export.tflite import convert, convert_int8
from cunet_tf.files.formats import ENDINGS, FLOAT, FLOAT_ENDS
from cunet_tf.files.onnx import parse_onnx
from cunet_tf.spec import ModelSpec


@dataclass(frozen=True)
class Exported:
    """A model in a file format.

    Attributes:
        fmt: of :data:`ENDINGS`.
        data: bytes of the file.
        tflite: bytes of the ``.tflite`` model that the file holds; of ``onnx`` empty.
        calibration: of integer formats, a row for each tensor, see
            :meth:`cunet_tf.export.deploy.Deployed.calibrate`.
    """

    fmt: str
    data: bytes
    tflite: bytes
    calibration: list[dict[str, Any]]

    def engine(self) -> Engine:
        """What runs the file."""
        return LiteRTEngine(self.tflite) if self.tflite else OnnxEngine(parse_onnx(self.data))

    @property
    def opset(self) -> int | None:
        """Version of ONNX's operations, of ``onnx`` alone."""
        return None if self.tflite else parse_onnx(self.data).opset


def require_format(fmt: str, out: str) -> None:
    """Refuse an unknown format, and a file name with another ending than the format's.

    Raises:
        CUNetError: says what to use.
    """
    if fmt not in ENDINGS:
        raise CUNetError(f"--format={fmt}: use one of {', '.join(ENDINGS)}. {did_you_mean(fmt, ENDINGS)}")
    if not out.endswith(ENDINGS[fmt]):
        raise CUNetError(f"--out={out}: name a file that ends in {ENDINGS[fmt]}.")


def to_format(
    model: keras.Model, spec: ModelSpec | None, fmt: str, crops: np.ndarray, norms: str = DEPTHWISE
) -> Exported:
    """Convert the last head of a described model, or all outputs of one's own.

    Args:
        model: trained, float or quantized.
        spec: written into the file as its self-description; ``None`` for a model of one's own, Sequential or
            functional with one input.
        fmt: ``float32``, ``float16``, ``int8-weights`` (float arithmetic, kernels stored in 8 bits), ``onnx``;
            ``int8``; ``int8-float-io`` (float at both ends); ``packed`` (the int8 file near one bit a weight,
            ``.cunet``), ``packed-float-io`` (the same with float ends) or ``gz`` (the int8 file, gzip).
        crops: float32 ``[B, H, W, 3]`` in 0..1 (or what one's own model takes), to choose the grids that training left
            open; not looked at for float formats.
        norms: of integer formats of a described model, see :func:`cunet_tf.export.deploy.deploy`.

    Raises:
        CUNetError: unknown format, a network that has no deploy twin, a quantized one or one's own as ``onnx``, or
            grids left open and no crops.
        MissingPackage: the packages of the extra ``onnx`` are not installed.
    """
    require_format(fmt, ENDINGS.get(fmt, ""))
    if fmt == "onnx":
        if spec is None:
            raise CUNetError("--format=onnx is for described networks: use model.export(format='onnx').")
        return Exported(fmt, convert_onnx(model, spec), b"", [])
    if fmt in FLOAT:
        data = convert(model, spec, fmt)
        return Exported(fmt, data, data, [])
    deployed = deploy(model, spec, norms) if spec else deploy_own(model)
    rows = deployed.calibrate(crops)
    tflite = convert_int8(deployed, spec, float_io=fmt in FLOAT_ENDS)
    return Exported(fmt, contained(tflite, fmt), tflite, rows)


def contained(tflite: bytes, fmt: str) -> bytes:
    """An integer model in the container of its format."""
    if ENDINGS[fmt] == ".cunet":
        return pack(tflite)
    return gzip.compress(tflite, 9, mtime=0) if fmt == "gz" else tflite
