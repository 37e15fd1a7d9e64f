import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.cunet import build_cunet
from cunet_tf.models.saved import load_keras, transfer_weights
from cunet_tf.presets import preset

SMALL = CUNetConfig(2, 1, 8, 4, 68, levels=1, input_size=32)


@pytest.fixture
def model():
    model = build_cunet(preset("face-mobile").replace(config=SMALL, data="drawn"))
    for variable in model.variables:  # so that a swapped variable shows
        variable.assign(np.random.default_rng(0).uniform(0.5, 1.5, variable.shape))
    return model


def test_round_trip_keeps_function_and_description(model, tmp_path, rng):
    image = rng.random((2, 32, 32, 3), dtype=np.float32)
    model.save(tmp_path / "m.keras")
    again = load_keras(tmp_path / "m.keras")
    assert again.spec == model.spec and again.spec.data == "drawn"
    for ours, theirs in zip(model(image), again(image), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_bare_network_has_no_description(tmp_path):
    build_cunet(SMALL).save(tmp_path / "m.keras")
    assert load_keras(tmp_path / "m.keras").spec is None


def test_clone_keeps_the_graph(model, rng):
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    image = rng.random((1, 32, 32, 3), dtype=np.float32)
    np.testing.assert_allclose(clone(image)[-1], model(image)[-1], atol=1e-6)


@pytest.mark.slow  # a process with a TensorFlow of its own
def test_both_roads_to_a_saved_model_in_a_fresh_process(model, tmp_path):
    """By load_keras, and by Keras itself once the modules that define our layers were imported."""
    file = tmp_path / "m.keras"
    model.save(file)
    code = f"import cunet_tf as cu; print(type(cu.load_keras({str(file)!r})).__name__)"
    code += f"; import keras; print(type(keras.models.load_model({str(file)!r})).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["LandmarkModel"] * 2, done.stderr[-500:]


def test_unreadable_files_are_refused_by_name(tmp_path):
    text = tmp_path / "notes.keras"
    text.write_text("not a model")
    with pytest.raises(CUNetError, match="notes.keras: not a Keras model"):
        load_keras(text)
    with pytest.raises(CUNetError, match="absent.keras: no such"):
        load_keras(tmp_path / "absent.keras")


def _huge(config):
    config["config"]["layers"][1]["config"]["filters"] = 10**9


def _lambda(config):
    layer = config["config"]["layers"][1]
    layer |= {"module": "keras.layers", "class_name": "Lambda", "registered_name": None}


def _system(config):
    config["config"]["layers"][1] |= {"module": "os", "class_name": "system", "registered_name": None}


def _nodes(config):
    config["config"]["layers"][1]["inbound_nodes"] = 5


def _description(config):
    config["config"]["cunet_spec"]["sigma"] = "x"


@pytest.mark.parametrize(
    "change, words",
    [(_huge, "ask for far more than"), (_lambda, "keras.layers.Lambda"), (_system, "'os.system' is not known here"),
     (_nodes, "Keras cannot load this model"), (_description, "cunet_spec.sigma: expected")],
)  # fmt: skip
def test_hostile_configurations_are_refused_in_one_line(model, tmp_path, change, words):
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    change(config)
    with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, json.dumps(config) if name == "config.json" else data)
    with pytest.raises(CUNetError, match=f"bad.keras: .*{words}") as error:
        load_keras(tmp_path / "bad.keras")
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_weights_transfer_by_path_and_shape(model, rng):
    wider = build_cunet(SMALL.replace(landmarks=5))
    kept = transfer_weights(model, wider)
    assert sorted(kept) == ["unet0_head/kernel", "unet1_head/kernel"]
    np.testing.assert_array_equal(wider.get_layer("unet1_up0").ahead.kernel, model.get_layer("unet1_up0").ahead.kernel)
    with pytest.raises(CUNetError, match="share no variable"):
        transfer_weights(model, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
