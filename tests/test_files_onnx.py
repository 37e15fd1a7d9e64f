import onnx
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.files.onnx import MODEL, parse_onnx, read_onnx
from tests.onnx_cases import field
from tests.onnx_network import small_network
from tests.tflite_cases import spec


def changed(change) -> bytes:
    """The small network after a change of onnx's objects."""
    model = onnx.load_from_string(small_network())
    change(model)
    return model.SerializeToString()


def test_a_file_says_what_it_is():
    found = parse_onnx(small_network())
    assert found.spec == spec() and found.opset == 15 and found.data == small_network()
    assert parse_onnx(small_network(described=False)).spec is None


def _operation(name, domain=""):
    def change(model):
        model.graph.node[3].op_type, model.graph.node[3].domain = name, domain

    return change


def _elsewhere(model):
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    model.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")


def _size_of_the_picture(model):
    resize = next(node for node in model.graph.node if node.op_type == "Resize")
    resize.input[2] = "image"


def _inner_graph(model):
    model.graph.node[3].attribute.append(onnx.helper.make_attribute("body", model.graph))


@pytest.mark.parametrize("change, words", [
    (_operation("Loop"), "operation 'Loop': not one of a network"),
    (_operation("Conv", "com.microsoft"), "operation 'Conv': not one of a network"),
    (_elsewhere, "its numbers lie in another file"),
    (_size_of_the_picture, "operation 'Resize': its sizes are not stored"),
    (_inner_graph, "holds another graph"),
    (lambda model: model.functions.add(), "not an ONNX network"),
    (lambda model: model.opset_import.pop(), "no opset"),
    (lambda model: model.ClearField("graph"), "not an ONNX network"),
    (lambda model: model.graph.sparse_initializer.add(), "sparse tensors"),
    (lambda model: model.graph.node[3].attribute.add().sparse_tensor.dims.append(2), "sparse tensors"),
    (lambda model: setattr(model.metadata_props[0], "value", "{}"), "cunet_spec"),
])  # fmt: skip
def test_what_no_network_of_pictures_has(change, words):
    with pytest.raises(CUNetError, match=words):
        parse_onnx(changed(change))


@pytest.mark.parametrize(
    "data",
    [b"", b"x", small_network()[:500], b"\xff" * 20, field(MODEL["graph"], 2**62), field(MODEL["graph"], b"\x0a\xff")],
)
def test_damaged_files_are_named(data, tmp_path):
    (tmp_path / "m.onnx").write_bytes(data)
    with pytest.raises(CUNetError, match=r"m.onnx: .*(damaged|not an ONNX network)"):
        read_onnx(tmp_path / "m.onnx")


def test_a_number_in_place_of_a_text_takes_no_memory():
    node = field(1, field(4, 2**40))
    with pytest.raises(CUNetError, match="a text in it is none"):
        parse_onnx(field(MODEL["graph"], node))


def test_more_fields_than_any_network(monkeypatch):
    monkeypatch.setattr("cunet_tf.files.onnx.MOST_FIELDS", 100)
    with pytest.raises(CUNetError, match="more than 100 fields"):
        parse_onnx(small_network())


def test_no_such_file(tmp_path):
    with pytest.raises(CUNetError, match="m.onnx: cannot be read"):
        read_onnx(tmp_path / "m.onnx")
