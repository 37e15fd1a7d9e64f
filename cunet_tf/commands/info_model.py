"""``cunet info --model=FILE``: what a model file is, read from its description, without running it."""

from pathlib import Path
from typing import Any

from cunet_tf.compat import schema
from cunet_tf.errors import CUNetError
from cunet_tf.files.formats import FLOAT, INTEGERS
from cunet_tf.files.graph import Graph, read_graph
from cunet_tf.files.keras_archive import CONFIG, read_config, read_parts
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.shipped import find_model, find_weights, shipped_models
from cunet_tf.files.tflite import read_model, spec_of, takes_int8
from cunet_tf.models.counts import count
from cunet_tf.spec import SPEC_NAME, ModelSpec

INT8 = schema.TensorType.INT8


def run(name: str) -> dict[str, Any]:
    """The files of a model, each with what it holds.

    Raises:
        CUNetError: no such model, a damaged file, or one without a description.
    """
    files = [find_model(name), find_weights(name)] if name in shipped_models() else [_file(name)]
    return {"model": name, "files": [describe_file(file) for file in files]}


def _file(name: str) -> Path:
    return Path(name) if Path(name).is_file() else find_weights(name)


def describe_file(file: Path) -> dict[str, Any]:
    """What one file is: network, landmarks, sizes, terms, and the formats that ``cunet export`` makes of it."""
    if file.suffix == ".keras":
        spec, kind = keras_spec(file), "float"
        formats: tuple[str, ...] = FLOAT + INTEGERS
        if spec and not spec.quantization.is_float:
            formats = tuple(fmt for fmt in formats if fmt != "onnx")
    elif file.suffix == ".onnx":
        onnx = read_onnx(file)
        spec, kind, formats = onnx.spec, f"float, ONNX opset {onnx.opset}", ()
    else:
        tflite = read_model(file)
        spec = spec_of(tflite)
        kind = _numbers(read_graph(tflite))
        formats = INTEGERS if takes_int8(tflite) else ()
    if spec is None:
        raise CUNetError(
            f"{file} carries no description ({SPEC_NAME}): it was not made by cunet, or by export --preset."
        )
    return {"file": str(file), "bytes": file.stat().st_size, "numbers": kind, **_facts(spec), "formats": list(formats)}


def _numbers(graph: Graph) -> str:
    """In which numbers a network computes: in those that its convolutions read."""
    convs = [each for each in graph.operations if each.name in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    if any(graph.tensors[each.inputs[0]].type == INT8 for each in convs):
        return "integers"
    short = any(tensor.type == INT8 for tensor in graph.tensors)
    return "float, kernels in 8 bits" if short else "float"


def keras_spec(file: Path) -> ModelSpec | None:
    """The description in a ``.keras`` file, read without Keras.

    Raises:
        CUNetError: not such a file.
    """
    (data,) = read_parts(file, CONFIG)
    try:
        fields = read_config(data)["config"].get(SPEC_NAME)
        return ModelSpec.from_dict(fields) if fields else None
    except CUNetError as error:
        raise CUNetError(f"{file}: {error}") from None


def _facts(spec: ModelSpec) -> dict[str, Any]:
    counted = count(spec.config)
    return {
        "name": spec.name, "preset": spec.preset, "network": spec.config.title,
        "config": {name: value for name, value in spec.config.to_dict().items() if value is not None},
        "quant": spec.quant, "input_size": spec.input_size, "landmarks": spec.skeleton.size,
        "skeleton": spec.skeleton.name, "names": list(spec.skeleton.names), "crop_factor": spec.crop_factor,
        "decoder": spec.decoder, "sigma": spec.sigma, "data": spec.data, "license": spec.license,
        "confidence": spec.confidence is not None, "detector": spec.detector.name if spec.detector else None,
        "total_parameters": counted["total_parameters"], "macs": counted["macs"],
    }  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    """A table for each file."""
    parts = []
    for each in result["files"]:
        names = ", ".join(each["names"][:4]) + (", ..." if len(each["names"]) > 4 else "")
        options = ", ".join(f"{name} {value}" for name, value in each["config"].items() if name != "architecture")
        rows = [
            ("bytes", each["bytes"]), ("network", f"{each['network']}: {options}"),
            ("numbers", f"{each['numbers']} ({each['quant']})"), ("parameters", each["total_parameters"]),
            ("GMAC", f"{each['macs'] / 1e9:.3f}"), ("landmarks", f"{each['landmarks']} ({each['skeleton']}: {names})"),
            ("input", f"{each['input_size']} px, crop {each['crop_factor']} times the tight box"),
            ("decoder", f"{each['decoder']}, sigma {each['sigma']}"), ("trained on", each["data"] or "not said"),
            ("license", each["license"] or "not said"),
            ("confidence", "measured" if each["confidence"] else "none"), ("detector", each["detector"] or "none"),
            ("cunet export makes of it", ", ".join(each["formats"]) or "nothing else"),
        ]  # fmt: skip
        lines = [f"{name:<26}{value:,}" if isinstance(value, int) else f"{name:<26}{value}" for name, value in rows]
        parts.append("\n".join([each["file"], *lines]))
    return "\n\n".join(parts)
