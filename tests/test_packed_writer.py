import subprocess
import sys

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.report import size_report
from cunet_tf.export.packed.vectors import kernel_operation
from cunet_tf.export.packed.writer import pack, with_crc
from cunet_tf.files.blocks import to_blocks
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.packed.layout import CRC_BYTES, Op
from cunet_tf.files.packed.reader import read_header, read_spec
from cunet_tf.files.tflite import spec_of
from cunet_tf.models.health import convolutions
from tests.networks import BINARY, TERNARY, float_file, integer_file, network
from tests.stems import pixel_file

QUANTS = [BINARY, TERNARY, "float", "W3", "W7"]
SHAPES = {"W7": "small"}  # as each kernel's search takes a third of a second; of W3 it takes many to be coded shorter


@pytest.fixture(scope="module")
def models():
    """Integer models by quantization, one with float at both ends, and one in float."""
    made = {quant: integer_file(quant, SHAPES.get(quant, "plain")) for quant in QUANTS}
    return {**made, "float I/O": integer_file(BINARY, float_io=True), "float32": float_file()}


@pytest.fixture(scope="module")
def packed(models):
    return {name: pack(data) for name, data in models.items()}


@pytest.mark.parametrize("name", [*QUANTS, "float I/O", "float32"])
def test_expands_to_the_same_bytes(models, packed, name):
    assert expand(packed[name]) == models[name]


@pytest.mark.parametrize("name", [*QUANTS, "float32"])
def test_description_needs_no_expansion(models, packed, name, monkeypatch):
    monkeypatch.setattr("cunet_tf.export.packed.writer.expand", None)
    assert read_spec(packed[name]) == spec_of(models[name])


def test_report_adds_up_and_names_what_is_there(packed):
    reports = {name: size_report(container) for name, container in packed.items()}
    for name, report in reports.items():
        assert sum(report.values()) == len(packed[name])
    assert reports["BW-a-QIG(818)"]["binary kernels"] > 0 == reports["BW-a-QIG(818)"]["ternary kernels"]
    assert reports["TW-QIG(828)"]["ternary kernels"] > 0
    assert min(reports[name]["k-bit kernels"] for name in ("W3", "W7")) > 0 == reports["float"]["k-bit kernels"]
    assert reports["float"]["int8 kernels"] > reports["TW-QIG(828)"]["int8 kernels"]
    assert reports["float32"]["skeleton"] > 0.8 * len(packed["float32"])


def quantized_weights(model):
    return sum(np.size(each.kernel) for each in convolutions(model) if each.kernel_quantizer is not None)


def test_few_bits_are_stored_the_shorter_way(packed):
    """Coded by frequency where there are many weights of few values, at their bits where the code itself is long."""
    few, many = (read_header(packed[name]) for name in ("W3", "W7"))
    weights, others = (quantized_weights(network(name, SHAPES.get(name, "plain"))) for name in ("W3", "W7"))
    assert (few.version, many.version, read_header(packed[TERNARY]).version) == (3, 3, 2)
    assert few.sections["levels"][1] < 0.5 * weights and few.sections["levels"][2] == weights
    assert many.sections["levels"][2] < 0.9 * others


def test_a_stem_on_blocks_takes_the_bytes_of_one_on_pixels(packed):
    old = pack(pixel_file(BINARY))
    assert expand(with_crc(old[:8] + b"\x01" + old[9:-CRC_BYTES])) == pixel_file(BINARY)  # what version 1 wrote
    assert read_header(old).sections["raw"][1:] == read_header(packed[BINARY]).sections["raw"][1:]


def test_only_a_stem_with_its_zeros_is_stored_without_them(rng):
    pixels = rng.integers(1, 100, (2, 7, 7, 3)).astype(np.int8)
    kernel = to_blocks(pixels)
    assert kernel_operation(kernel.ravel(), kernel.shape) == Op.BLOCKS
    assert kernel_operation(kernel.ravel(), (4, 4, 4, 6)) == Op.RAW
    assert kernel_operation(kernel.ravel()[1:], kernel.shape) == Op.RAW  # a damaged model's
    kernel[1, 0, 0, 0] = 5
    assert kernel_operation(kernel.ravel(), kernel.shape) == Op.RAW


@pytest.mark.parametrize("name", QUANTS)
def test_every_scale_and_bias_follows_from_a_rule(models, packed, name):
    report = size_report(packed[name])
    kernels = sum(count for kind, count in report.items() if kind.endswith("kernels"))
    vectors = report["scales"] + report["biases"]
    assert report["skeleton"] < 0.25 * len(models[name])
    assert len(packed[name]) == kernels + vectors + report["skeleton"] + sum(
        report[kind] for kind in ("header", "cunet_spec", "program", "checksum")
    )  # fmt: skip
    assert report["skeleton"] < 4500  # float scales or biases in it would be more


def test_a_model_without_a_description(models):
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(models["float"]))
    model.metadata = None
    data = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    assert expand(pack(data)) == data
    assert read_spec(pack(data)) is None


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda data: b"PK" + data, "not a TensorFlow Lite model"),
        (lambda data: data[: len(data) // 3], "damaged TensorFlow Lite model"),
        (lambda data: data[:12], "damaged TensorFlow Lite model"),
        (lambda data: data + bytes(64 << 20), "the limit is 64 MiB"),
    ],
)
def test_models_that_are_not_packed(models, damage, words):
    with pytest.raises(CUNetError, match=words):
        pack(damage(models["float"]))


def test_a_damaged_model_is_packed_as_it_is_or_refused(models, rng):
    data = models["BW-a-QIG(818)"]
    for _ in range(60):
        place = rng.integers(8, len(data) - 4)
        damaged = data[:place] + rng.bytes(4) + data[place + 4 :]
        try:
            assert expand(pack(damaged)) == damaged
        except CUNetError as error:
            assert "model" in str(error)


def test_a_container_that_differs_is_never_returned(models, monkeypatch):
    monkeypatch.setattr("cunet_tf.export.packed.writer.expand", lambda container: b"other")
    with pytest.raises(CUNetError, match="does not survive packing"):
        pack(models["float"])


def test_reading_needs_neither_tensorflow_nor_litert(packed, tmp_path):
    (tmp_path / "m.cunet").write_bytes(packed["float"])
    code = (
        "import sys; from cunet_tf.files.packed.expand import expand\n"
        "from cunet_tf.files.packed.reader import read_spec\n"
        f"data = open({str(tmp_path / 'm.cunet')!r}, 'rb').read()\n"
        "expand(data), read_spec(data)\n"
        "print([name for name in ('tensorflow', 'keras', 'ai_edge_litert', 'flatbuffers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
