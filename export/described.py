"""A model file with another self-description: the network stays as it is."""

import gzip
from pathlib import Path

from cunet_tf.compat import parse_tflite, write_tflite
from cunet_tf.errors import CUNetError
from cunet_tf.export.metadata import described
from cunet_tf.export.output_grid import with_output
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.tflite import read_model
from cunet_tf.quiet import import_quietly
from cunet_tf.spec import ModelSpec
from cunet_tf.writing import replace_file


def write_described(source: Path, spec: ModelSpec, target: Path, half: bool = False) -> None:
    """Write a copy of a model file whose description is ``spec``.

    Args:
        source: ``.keras``, ``.onnx``, ``.tflite``, ``.tflite.gz`` or ``.cunet``.
        spec: of the same network.
        target: with the same ending.
        half: a ``.keras`` file with kernels in float16, as it ships, without an optimizer.

    Raises:
        CUNetError: the endings differ, the source cannot be read, or ``half`` of another format.
        MissingPackage: what writes this format is not installed.
    """
    require_writable(source, target, half)
    if source.suffix == ".keras":
        import_quietly("keras")
        from cunet_tf.models.pretrained import save_half
        from cunet_tf.models.saved import load_keras

        model = load_keras(source)
        model.spec = spec.replace(output=None)
        if half:
            save_half(model, target)
        else:
            replace_file(target, lambda part: model.save(part.with_suffix(".keras")))
        return
    if source.suffix == ".onnx":
        from cunet_tf.export.onnx_file import with_description as described_onnx

        described = described_onnx(read_onnx(source).data, spec)
        replace_file(target, lambda part: part.write_bytes(described))
        return
    data = with_description(read_model(source), spec)
    if source.suffix == ".cunet":
        from cunet_tf.export.packed.writer import pack

        data = pack(data)
    elif source.suffix == ".gz":
        data = gzip.compress(data, 9, mtime=0)
    replace_file(target, lambda part: part.write_bytes(data))


def require_writable(source: Path, target: Path, half: bool) -> None:
    """Refuse a copy of another format, before anything is measured.

    Raises:
        CUNetError: the endings differ, or ``half`` of another format than ``.keras``.
    """
    if source.suffix != target.suffix:
        raise CUNetError(f"{target}: a copy of {source} ends in {source.suffix} as well.")
    if half and source.suffix != ".keras":
        raise CUNetError(f"--half: of .keras files; {source.name} is stored in its own way.")


def with_description(tflite: bytes, spec: ModelSpec) -> bytes:
    """A ``.tflite`` model with its description replaced, or given one; ``output`` is the model's own."""
    model = parse_tflite(tflite)
    return write_tflite(described(model, with_output(model, spec)))
