"""The packed container ``.cunet``: one ``.tflite`` model near one bit a weight (``docs/packed-format.md``)."""

from cunet_tf.errors import CUNetError
from cunet_tf.spec import SPEC_NAME, ModelSpec
from export.container_expand import expand
from export.container_layout import COPY, CRC_BYTES, HEADER_BYTES
from export.container_reader import damaged, read_header, read_section

__all__ = ["expand", "pack", "read_spec", "size_report"]

KINDS = {
    SPEC_NAME: ("spec",),
    "program": ("program", "groups", "links"),
    "skeleton": COPY,
    "scales": ("scale_low", "scale_high"),
    "biases": ("bias_low", "bias_high"),
    "binary kernels": ("bits",),
    "ternary kernels": ("trits",),
    "int8 kernels": ("raw",),
}


def pack(tflite: bytes) -> bytes:
    """A container that expands to just these bytes; see :func:`export.container_writer.pack`."""
    from export.container_writer import pack  # needs LiteRT, which a reader does not

    return pack(tflite)


def read_spec(container: bytes) -> ModelSpec | None:
    """What the model is, without expanding it; ``None`` when its ``.tflite`` had no description.

    Raises:
        CUNetError: not a container, another version, or damaged.
    """
    text = read_section(container, read_header(container), "spec")
    if not text:
        return None
    try:
        return ModelSpec.from_json(text)
    except CUNetError:
        raise
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise damaged(f"its {SPEC_NAME} is no description ({type(error).__name__})") from None


def size_report(container: bytes) -> dict[str, int]:
    """Bytes of a container by kind, as stored; together all of the file.

    ``skeleton`` is whatever no rule gives: the flatbuffer's tables, and the weights of a float model.

    Raises:
        CUNetError: not a container, another version, or damaged.
    """
    sections = read_header(container).sections
    report = {"header": HEADER_BYTES}
    report |= {kind: sum(sections[name][1] for name in names) for kind, names in KINDS.items()}
    return {**report, "checksum": CRC_BYTES}
