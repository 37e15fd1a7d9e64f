from cunet_tf.export.packed.report import main
from cunet_tf.export.packed.writer import pack
from tests.test_files_tflite import model_bytes  # noqa: F401


def test_table_of_a_model(model_bytes, tmp_path, capsys):  # noqa: F811
    file = tmp_path / "small.tflite"
    file.write_bytes(model_bytes)
    assert main([str(file)]) == 0
    table = capsys.readouterr().out
    assert "| bytes | small |" in table and f"| .cunet | {len(pack(model_bytes)):,} |" in table


def test_files_that_are_no_models(tmp_path, capsys):
    (tmp_path / "bad.tflite").write_bytes(b"PK\x03\x04 no model")
    assert main([]) == 2
    assert main([str(tmp_path / "bad.tflite")]) == 2
    assert "bad.tflite: not a TensorFlow Lite model" in capsys.readouterr().err
