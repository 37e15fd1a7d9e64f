import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.engines import KerasEngine, load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.models.cunet import build_cunet
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.quantize.report import report
from export.compact import load_compact, save_compact


def network(spec, quant):
    keras.utils.set_random_seed(3)
    return build_cunet(spec, quant=quant)


@pytest.mark.parametrize("quant", ["BW", "BW-a-QIG(818)", "TW", "TW-a", "BW-a+centered"])
def test_round_trip_computes_the_same(tiny_spec, quant, rng):
    model = network(tiny_spec, quant)
    images = rng.random((2, 64, 64, 3), dtype=np.float32)
    again = load_compact(save_compact(model))
    assert again.spec == model.spec.replace(quant=quant.removesuffix("+centered"))
    np.testing.assert_array_equal(KerasEngine(again)(images), KerasEngine(model)(images))


def test_bytes_are_near_the_ideal(tiny_spec):
    model = network(tiny_spec, "BW-a")
    ideal = report(tiny_spec.config, QuantConfig.parse("BW-a"))["ideal_bytes"]
    assert len(save_compact(model)) < 1.1 * ideal + 4096  # and the description


def test_float_networks_and_damaged_files_are_refused(tiny_spec, tmp_path):
    with pytest.raises(CUNetError, match="--quant=BW-a"):
        save_compact(network(tiny_spec, "float"))
    data = save_compact(network(tiny_spec, "BW"))
    for name, damaged in {"cut": data[: len(data) // 2], "text": b"hello", "empty": b""}.items():
        file = tmp_path / f"{name}.npz"
        file.write_bytes(damaged)
        with pytest.raises(CUNetError, match=f"{name}.npz: not a compact model file"):
            load_compact(file)
    with pytest.raises(CUNetError, match="gone.npz"):
        load_compact(tmp_path / "gone.npz")


def test_command_writes_a_file_that_is_evaluated(tiny_spec, tmp_path, capsys):
    model = network(tiny_spec, "BW-a-QIG(818)")
    model.save(tmp_path / "q.keras")
    out = tmp_path / "q.npz"
    flags = [f"--model={tmp_path / 'q.keras'}", "--format=compact", "--parity_pictures=2"]
    assert main(["export", *flags, f"--out={tmp_path / 'q.tflite'}"]) == 2
    assert main(["export", *flags, f"--out={out}"]) == 0, capsys.readouterr()
    assert load_engine(str(out)).spec == model.spec
