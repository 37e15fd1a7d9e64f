import io
import json
import struct
import zipfile

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.files.keras_archive import CONFIG, METADATA, WEIGHTS, read_config, read_parts

PARTS = {METADATA: b"{}", CONFIG: b"{} ", WEIGHTS: b"numbers"}


def zipped(parts=PARTS, kind=zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


def with_size(name: str, size: int, data: bytes) -> bytes:
    """Another size of a part in the table of contents."""
    data = bytearray(data)
    place = data.rindex(name.encode()) - 46
    struct.pack_into("<I", data, place + 24, size)
    return bytes(data)


def test_parts(tmp_path):
    file = tmp_path / "m.keras"
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file.write_bytes(zipped(kind=kind))
        assert read_parts(file, WEIGHTS, CONFIG) == [b"numbers", b"{} "]


SPACES = zipped({**PARTS, CONFIG: b" " * (1 << 25)})
BAD = {
    "no archive": (b"text", "not a Keras model file"),
    "something behind it": (zipped() + b"x", "not a Keras model file"),
    "no configuration": (zipped({WEIGHTS: b""}), "no config.json in it"),
    "another part": (zipped({**PARTS, "../x": b""}), "holds the part '../x'"),
    "a part twice": (zipped().replace(METADATA.encode(), b"config.json\0\0"), "twice"),
    "another packing": (zipped(kind=zipfile.ZIP_BZIP2), "does not use"),
    "a bomb": (SPACES, "config.json unpacks to 33,554,432 bytes, the limit is 16,777,216"),
    "a bomb that lies": (with_size(CONFIG, 100, SPACES), "damaged|bytes instead of"),
    "a huge size": (with_size(WEIGHTS, 2**32 - 1, zipped()), "unpacks to 4,294,967,295 bytes"),
    "more than is there": (with_size(WEIGHTS, 8, zipped()), "7 bytes instead of 8|damaged"),
    "a checksum": (zipped(kind=0).replace(b"numbers", b"Numbers"), "damaged Keras model file"),
    "many parts": (zipped({f"{index:0100}": b"" for index in range(100)}), "more than the parts"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_archives_that_are_refused(case, tmp_path):
    data, words = BAD[case]
    file = tmp_path / "m.keras"
    file.write_bytes(data)
    with pytest.raises(CUNetError, match=f"m.keras: .*({words})") as error:
        read_parts(file, CONFIG, WEIGHTS)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_no_file(tmp_path):
    with pytest.raises(CUNetError, match="no such model file"):
        read_parts(tmp_path / "m.keras", CONFIG)


LAYER = {"module": "keras.layers", "class_name": "ReLU", "config": {}}


def test_a_configuration():
    config = {"class_name": "Functional", "config": {"layers": [LAYER]}}
    assert read_config(json.dumps(config).encode()) == config


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "not JSON"), ("[" * 100_000, "not JSON"), ("[]", "does not describe"), (r'{"a": "\ud800"}', "not JSON"),
        ('{"config": 1}', "does not describe"),
        ('{"class_name": 1, "config": {}}', "does not describe"),
        ('{"class_name": "a", "config": {"layers": [1]}}', "a layer without"),
        ('{"class_name": "a", "config": {"layers": [], "x": ' + 70 * "[" + 70 * "]" + "}}", "levels deep"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(text, words):
    with pytest.raises(CUNetError, match=words):
        read_config(text.encode())
    with pytest.raises(CUNetError, match="not JSON"):
        read_config(b"\xff")
