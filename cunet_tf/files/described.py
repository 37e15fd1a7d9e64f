"""What an exported file of any format says of itself, read without running it."""

from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.tflite import made_by_us, read_model, spec_of
from cunet_tf.spec import ModelSpec


def exported_spec(file: Path) -> ModelSpec | None:
    """The description in an exported file, ``None`` when there is none.

    Raises:
        CUNetError: no such file, another format, or a damaged file.
    """
    return read_onnx(file).spec if file.suffix == ".onnx" else spec_of(read_model(file))


def is_exported(file: Path) -> bool:
    """Whether a file is an earlier export, which a new one may replace: described, or marked as ours."""
    try:
        return exported_spec(file) is not None or made_by_us(read_model(file))
    except CUNetError:
        return False
