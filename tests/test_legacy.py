"""Files of before the stem was one layer, made here as those versions wrote them."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.files.keras_archive import CONFIG, WEIGHTS, read_config, read_parts
from cunet_tf.models.build import build_network
from cunet_tf.models.legacy import BN_NAMES, find_groups, upgraded
from cunet_tf.models.saved import load_keras
from tests.conftest import REAL_DATA

SMALL = CUNetConfig(2, 1, 8, 4, 5, levels=1, input_size=32)
NETWORKS = {"cunet": SMALL, "hourglass": HourglassConfig(2, 8, 1, 5, 32)}
# Class names of the two forms that were written: our own layers, and before them Keras'.
FORMS = {
    "ours": {"conv": "StemConv", "bn": "BatchNorm", "relu": "Rectifier", "pool": "MaxPool"},
    "keras": {"conv": "Conv2D", "bn": "BatchNormalization", "relu": "ReLU", "pool": "MaxPooling2D"},
}


def split(layer, classes):
    """The entries of the old layers that one of today's stands for."""
    config, name = layer["config"], layer["name"]
    parts = {"pad": "ZeroPadding2D"} if config["kernel_size"] > 1 else {}
    parts |= {part: classes[part] for part in ("conv", "bn", "relu")}
    parts |= {"pool": classes["pool"]} if config["pool"] else {}
    nodes, entries = layer["inbound_nodes"], []
    for part, kind in parts.items():
        own = {"name": f"{name}_{part}", "trainable": True, "dtype": config["dtype"]}
        if part == "conv":
            own |= {"filters": config["filters"], "kernel_size": [config["kernel_size"]] * 2,
                    "strides": [config["strides"]] * 2}  # fmt: skip
        if part == "bn":
            own["gamma_initializer"] = {"class_name": "Ones"}
        entry = {"module": "old", "class_name": kind, "config": own, "registered_name": f"old>{kind}"}
        entries.append({**entry, "build_config": layer["build_config"], "name": own["name"], "inbound_nodes": nodes})
        nodes = [{"args": [{"class_name": "__keras_tensor__",
                            "config": {"keras_history": [own["name"], 0, 0]}}], "kwargs": {}}]  # fmt: skip
    return entries


def make_old(new, old, classes):
    """Rewrite a file of today in the old form."""
    with zipfile.ZipFile(new) as archive:
        config = json.loads(archive.read("config.json"))
        layers = config["config"]["layers"]
        merged = [layer for layer in layers if layer["class_name"] == "ConvBNReLU"]
        config["config"]["layers"] = [
            entry for layer in layers for entry in (split(layer, classes) if layer in merged else [layer])
        ]
        text = json.dumps(config)
        for layer in merged:
            last = "pool" if layer["config"]["pool"] else "relu"
            text = text.replace(f'["{layer["name"]}", 0, 0]', f'["{layer["name"]}_{last}", 0, 0]')
        stream, conv, bn = io.BytesIO(archive.read("model.weights.h5")), classes["conv"], classes["bn"]
        with h5py.File(stream, "r+") as weights:
            stores = weights["layers"]
            if conv == "Conv2D":  # an hourglass has more of them, which Keras counted behind the stem's
                names = sorted((n for n in stores if n.startswith("conv2d")), key=lambda n: (len(n), n), reverse=True)
                for name in names:
                    number = int(name.removeprefix("conv2d").strip("_") or 0) + merged_before(layers, name)
                    stores.move(name, f"conv2d_{number}")
            for index, layer in enumerate(merged):
                end = f"_{index}" if index else ""
                store = stores[f"conv_bn_re_lu{end}"]["vars"]
                conv_end = end if conv != "Conv2D" or not index else f"_{conv_place(layers, layer)}"
                stores[f"{'conv2d' if conv == 'Conv2D' else 'stem_conv'}{conv_end}/vars/0"] = store["kernel"][()]
                for place, variable in enumerate(BN_NAMES):
                    kind = "batch_normalization" if bn == "BatchNormalization" else "batch_norm"
                    stores[f"{kind}{end}/vars/{place}"] = store[variable][()]
                del stores[f"conv_bn_re_lu{end}"]
        with zipfile.ZipFile(old, "w") as target:
            target.writestr("metadata.json", archive.read("metadata.json"))
            target.writestr("config.json", text)
            target.writestr("model.weights.h5", stream.getvalue())


def convolutions(layers):
    return [layer for layer in layers if layer["class_name"] in ("Conv2D", "ConvBNReLU")]


def conv_place(layers, layer):
    """Number of an old convolution among all."""
    return convolutions(layers).index(layer)


def merged_before(layers, name):
    """How many of today's merged layers stand before the Conv2D that is stored under ``name``."""
    plain = [layer for layer in layers if layer["class_name"] == "Conv2D"]
    own = plain[int(name.removeprefix("conv2d").strip("_") or 0)]
    before = convolutions(layers)[: convolutions(layers).index(own)]
    return sum(layer["class_name"] == "ConvBNReLU" for layer in before)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("form", FORMS)
def test_old_files_give_the_same_heat_maps(network, form, tmp_path, rng):
    model = build_network(NETWORKS[network])
    for variable in model.variables:
        variable.assign(rng.uniform(0.1, 0.5, variable.shape))
    model.save(tmp_path / "new.keras")
    make_old(tmp_path / "new.keras", tmp_path / "old.keras", FORMS[form])
    images = rng.random((2, 32, 32, 3), dtype=np.float32)
    for ours, theirs in zip(load_keras(tmp_path / "old.keras")(images), model(images), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_files_of_today_are_left_alone(tmp_path):
    build_network(SMALL).save(tmp_path / "new.keras")
    config, weights = read_parts(tmp_path / "new.keras", CONFIG, WEIGHTS)
    assert upgraded(read_config(config), weights) == (read_config(config), weights)


def test_a_pool_behind_something_else_stays():
    def layer(name, source):
        return {"name": name, "inbound_nodes": [{"args": [{"config": {"keras_history": [source, 0, 0]}}]}]}

    chain = ["image", "stem_pad", "stem_conv", "stem_bn", "stem_relu", "stem_residual0", "stem_pool"]
    layers = [layer(name, source) for source, name in zip(chain, chain[1:], strict=False)]
    (group,) = find_groups(layers)
    assert group.name == "stem" and set(group.members) == {"pad", "conv", "bn", "relu"}


@pytest.mark.parametrize("name", ["face-mobile-float", "pose-mobile-float"])
def test_published_float_networks_load(name):
    file = REAL_DATA.parent / "models" / f"{name}.keras"
    if not file.is_file():
        pytest.skip("the float networks (../shared/models) are not here")
    model = load_keras(file)
    assert model.spec.preset == name.removesuffix("-float") and model.layers[1].name == "stem"
