"""The process of ai-edge-quantizer, loaded here beside a package that is played."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from cunet_tf.export.peers import environments, faces
from tests.networks import network

PROGRAM = Path(environments.__file__).with_name("edge.py")


class Recipes:
    """As the package's manager: a later entry holds where an earlier one does."""

    def __init__(self):
        self.made = []

    def add_static_config(self, **entry):
        self.made.append(entry)

    def get_quantization_recipe(self):
        return self.made


class Quantizer:
    """Fails at recipes of 4-bit features, and answers with the name of the recipe."""

    calibrated = []

    def __init__(self, file, chosen):
        assert Path(file).read_bytes() == b"float"
        self.name = chosen if isinstance(chosen, str) else "static 4"
        self.need_calibration = self.name.startswith("static")

    def calibrate(self, data, num_threads):
        self.calibrated.append((self.name, data))
        return "grids"

    def quantize(self, found, enable_progress_report):
        if self.name == "dynamic_wi4_afp32":
            raise ValueError("first\nno kernels of 4 bits")
        if self.name == "weight_only_wi4_afp32":
            raise RuntimeError
        assert found == ("grids" if self.need_calibration else None)
        return SimpleNamespace(quantized_model=bytearray(self.name.encode()))


@pytest.fixture
def edge(monkeypatch):
    """The module, whose package is played."""
    names = [f"{kind}{bits}" for kind in ("dynamic_wi", "weight_only_wi") for bits in ("8_afp32", "4_afp32")]
    recipe = SimpleNamespace(**{name: lambda name=name: name for name in (*names, "static_wi8_ai8")})
    parts = {
        "ai_edge_quantizer": {"quantizer": SimpleNamespace(Quantizer=Quantizer), "recipe": recipe},
        "ai_edge_quantizer.qtyping": {"TFLOperationName": SimpleNamespace(ALL_SUPPORTED="all", CONV_2D="conv")},
        "ai_edge_quantizer.recipe_manager": {"RecipeManager": Recipes},
    }
    for name, values in parts.items():
        module = ModuleType(name)
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(Quantizer, "calibrated", [])
    spec = importlib.util.spec_from_file_location("edge_of_the_test", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "version", lambda name: f"version of {name}")
    ends = {"serve": {"inputs": ["picture"]}}
    monkeypatch.setattr(module, "Interpreter", lambda file: SimpleNamespace(get_signature_list=lambda: ends))
    return module


def bits_of(recipe, layer, operation):
    """Bits of the kernel that the last entry for this layer asks for."""
    fitting = [each for each in recipe if each["operation_name"] in ("all", operation)]
    return [each["weight_num_bits"] for each in fitting if re.search(each["regex"], layer)][-1]


def test_kernels_of_four_bits_are_those_of_inner_convolutions(edge):
    plain = edge.static_4("")
    assert bits_of(plain, "model/stem/conv", "conv") == 4 and bits_of(plain, "model/dense", "dense") == 8
    assert {each["activation_num_bits"] for each in plain} == {8}


def test_the_first_and_the_last_layers_of_a_face_network_keep_eight_bits(edge):
    recipe = edge.static_4(faces.OUTER)
    layers = [layer.name for layer in network(shape="small").layers if hasattr(layer, "kernel")]
    eight = {name for name in layers if bits_of(recipe, f"a/{name}/Conv2D", "conv") == 8}
    assert eight and all(re.search("stem|heatmaps", name) for name in eight)
    assert len(eight) < len(layers)


def test_each_recipe_is_a_file_or_the_words_of_its_failure(edge, tmp_path):
    (tmp_path / "float.tflite").write_bytes(b"float")
    np.save(tmp_path / "calibration.npy", np.arange(24.0).reshape(2, 2, 2, 3))
    edge.main(tmp_path)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["version"] == "version of ai-edge-quantizer"
    assert list(result["files"]) == [*edge.NAMED, edge.STATIC_4]
    faults = {name: fault for name, fault in result["files"].items() if fault}
    assert faults == {"dynamic_wi4_afp32": "ValueError: no kernels of 4 bits",
                      "weight_only_wi4_afp32": "RuntimeError: no message"}  # fmt: skip
    assert {file.stem for file in tmp_path.glob("*.tflite")} == {*result["files"], "float"} - {*faults}
    assert (tmp_path / "static_wi8_ai8.tflite").read_bytes() == b"static_wi8_ai8"


def test_only_integer_features_are_calibrated_picture_by_picture(edge, tmp_path):
    (tmp_path / "float.tflite").write_bytes(b"float")
    np.save(tmp_path / "calibration.npy", np.arange(24.0).reshape(2, 2, 2, 3))
    edge.main(tmp_path, "stem")
    assert [name for name, _ in Quantizer.calibrated] == ["static_wi8_ai8", "static 4"]
    pictures = Quantizer.calibrated[0][1]["serve"]
    assert [picture["picture"].shape for picture in pictures] == [(1, 2, 2, 3)] * 2
    assert pictures[1]["picture"].min() == 12.0
