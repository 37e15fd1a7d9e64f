"""Every field of a description has a type and a range, and a value that is not honoured is refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.errors import CUNetError
from cunet_tf.files.described import exported_spec
from cunet_tf.files.shipped import find_model
from cunet_tf.presets import PRESETS, preset
from cunet_tf.spec import ModelSpec
from cunet_tf.spec_schema import require_valid

GOOD = preset("face-mobile").to_dict()
SKELETON = GOOD["skeleton"]
SHIPPED = exported_spec(find_model("face-mobile")).to_dict()
CONFIDENCE = SHIPPED["confidence"]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_valid(name):
    require_valid(preset(name).to_dict())


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"crop_factor": 0}, "cunet_spec.crop_factor: expected `float` > 0.0"),
        ({"crop_factor": float("nan")}, "crop_factor: expected"),
        ({"crop_factor": "1.15"}, "crop_factor: expected `float`, got `str`"),
        ({"sigma": 10**400}, "sigma: (number out of range|expected `float`)"),
        ({"decoder": "Dark"}, "decoder: invalid enum value 'dark'"),
        ({"input_range": [0, 255]}, r"input_range: \[0.0, 255.0\] is not honoured, pictures are given as 0 to 1"),
        ({"input_range": [0, 1, 2]}, "input_range: expected `array` of length 2"),
        ({"version": -1}, "version: expected `int` >= 0"),
        ({"name": 3}, "name: expected `str`, got `int`"),
        ({"license": "x" * 20000}, "license: expected `str` of length <= 10000"),
        ({"config": []}, "config: expected `object`, got `array`"),
        ({"skeleton": {**SKELETON, "names": []}}, "skeleton.names: expected `array` of length >= 1"),
        ({"skeleton": {**SKELETON, "names": ["a"] * 5000}}, "skeleton.names: expected `array` of length <= 4096"),
        ({"skeleton": {**SKELETON, "flip_pairs": [[0, -1]]}}, r"skeleton.flip_pairs\[0\]\[1\]: expected `int` >= 0"),
        ({"skeleton": {**SKELETON, "edges": [[0, 1, 2]]}}, r"skeleton.edges\[0\]: expected `array` of length 2"),
        ({"output": []}, "output: expected `object | null`, got `array`"),
        ({"output": {"scale": 0.5}}, "cunet_spec.output.zero_point: missing"),
        ({"output": {"scale": 0, "zero_point": 0}}, "output.scale: expected `float` > 0.0"),
        ({"output": {"scale": 0.5, "zero_point": 128}}, "output.zero_point: expected `int` <= 127"),
        ({"output": {"scale": 0.5, "zero_point": 0.5}}, "output.zero_point: expected `int`, got `float`"),
        ({"detector": {"name": "blazeface", "shift": [0.1], "scale": 1.0}}, "detector.shift: expected `array` of len"),
        ({"detector": {"name": "blazeface", "shift": [0, 0], "scale": 0}}, "detector.scale: expected `float` > 0.0"),
        ({"confidence": {**CONFIDENCE, "threshold": 2}}, "confidence.threshold: expected `float` <= 1.0"),
        ({"confidence": {**CONFIDENCE, "one": ["a"]}}, r"confidence.one\[0\]: expected `float`, got `str`"),
        ({"confidence": {**CONFIDENCE, "shape": {}}}, "confidence.shape.mean: missing"),
        ({"confidence": {**CONFIDENCE, "features": ["peak"]}}, "confidence: features"),
    ],
)
def test_a_wrong_value_names_its_field(changes, words):
    with pytest.raises(CUNetError, match=words):
        ModelSpec.from_dict({**GOOD, **changes})


@pytest.mark.parametrize("value", [None, [], 3, "text"])
def test_no_object_at_all(value):
    with pytest.raises(CUNetError, match="cunet_spec: expected `object`"):
        ModelSpec.from_json(json.dumps(value))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(name=st.sampled_from(sorted(SHIPPED)), value=json_values)
def test_any_value_in_any_field_is_taken_or_refused_by_one_sentence(name, value):
    try:
        ModelSpec.from_dict({**GOOD, name: value})
    except CUNetError as error:
        assert "\n" not in str(error)


def test_deep_nesting_is_refused():
    with pytest.raises(CUNetError, match="cunet_spec is not JSON"):
        ModelSpec.from_json("[" * 100_000)
