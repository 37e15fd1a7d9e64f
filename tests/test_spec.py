import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, preset
from cunet_tf.skeletons import LSP14
from cunet_tf.spec import SPEC_VERSION, ModelSpec, OutputGrid

CONTRACT_KEYS = {
    "version", "name", "preset", "config", "quant", "input_size", "input_range", "crop_factor", "skeleton",
    "decoder", "sigma", "data", "license",
}  # fmt: skip


def fields_without(*names: str) -> dict:
    fields = preset("face-mobile").to_dict()
    return {name: value for name, value in fields.items() if name not in names}


@pytest.mark.parametrize("spec", PRESETS.values(), ids=PRESETS)
def test_json_round_trip_of_every_preset(spec):
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert ModelSpec.from_json(spec.to_json().encode()) == spec


positive = st.floats(0.01, 10.0)
words = st.text(max_size=20)


@settings(deadline=None, max_examples=40)
@given(name=words, data=words, license=words, quant=words, crop_factor=positive, sigma=positive,
       stacks=st.integers(1, 9))  # fmt: skip
def test_json_round_trip_of_any_values(stacks, **changes):
    config = preset("pose-mobile").config.replace(stacks=stacks)
    spec = preset("pose-mobile").replace(config=config, **changes)
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_json_has_every_key_of_the_contract():
    fields = json.loads(preset("face-mobile").to_json())
    assert fields.keys() >= CONTRACT_KEYS
    assert fields["skeleton"].keys() >= {"names", "flip_pairs", "edges"}
    assert len(fields["skeleton"]["names"]) == 68
    assert (fields["version"], fields["input_size"], fields["input_range"]) == (1, 128, [0.0, 1.0])
    assert fields["config"]["main_channels"] == 64


@pytest.mark.parametrize("spec", PRESETS.values(), ids=PRESETS)
def test_the_dict_holds_plain_json_values(spec):
    assert spec.to_dict() == json.loads(spec.to_json())


@given(scale=st.floats(2.0**-40, 1000, width=32), zero_point=st.integers(-128, 127))
def test_the_output_comes_back_to_the_last_bit(scale, zero_point):
    spec = preset("face-mobile").replace(output=OutputGrid(scale, zero_point))
    assert ModelSpec.from_json(spec.to_json()) == spec
    assert "output" not in preset("face-mobile").to_dict() and spec.with_skeleton(LSP14).output is None


def test_json_keeps_letters_beyond_ascii():
    spec = preset("face-mobile").replace(license="© Müller")
    assert "© Müller" in spec.to_json()
    assert ModelSpec.from_json(spec.to_json()).license == "© Müller"


@pytest.mark.parametrize("name", ["config", "skeleton", "name", "preset", "crop_factor", "sigma"])
def test_a_missing_field_is_named(name):
    with pytest.raises(CUNetError, match=f"cunet_spec.{name}: missing: export the model again"):
        ModelSpec.from_dict(fields_without(name))


@pytest.mark.parametrize("name", ["quant", "decoder", "input_range", "data", "license", "version", "input_size"])
def test_fields_with_a_default_may_be_absent(name):
    assert ModelSpec.from_dict(fields_without(name)) == preset("face-mobile")


def test_fields_of_later_writers_are_ignored():
    assert ModelSpec.from_dict({**fields_without(), "colour": "red"}) == preset("face-mobile")


def test_a_newer_version_asks_for_an_update():
    with pytest.raises(CUNetError, match=f"version {SPEC_VERSION + 1}.*update cunet-tf"):
        ModelSpec.from_dict({**fields_without(), "version": SPEC_VERSION + 1})


@pytest.mark.parametrize("text", ["", "cunet", "{'name': 1}", b"\xff\xfe{}", '{"name": '])
def test_text_that_is_not_json(text):
    with pytest.raises(CUNetError, match="cunet_spec is not JSON.*Export the model again"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"face-mobile"', "{}", '{"version": "1"}', '{"config": 3}'])
def test_json_that_is_no_description(text):
    with pytest.raises(CUNetError, match="cunet_spec"):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("skeleton", [None, [], {}, {"names": ["a"], "flip_pairs": [[0]]}])
def test_a_damaged_skeleton(skeleton):
    with pytest.raises(CUNetError, match="cunet_spec"):
        ModelSpec.from_dict({**fields_without(), "skeleton": skeleton})


def test_landmarks_must_equal_the_skeleton():
    with pytest.raises(CUNetError, match="mine: landmarks=16.*lsp14 has 14"):
        ModelSpec("mine", "none", CUNetConfig(landmarks=16), LSP14, 1.0, 1.0)
    with pytest.raises(CUNetError, match="landmarks=68.*lsp14 has 14"):
        preset("face-mobile").replace(skeleton=LSP14)


def test_a_bad_config_keeps_its_own_message():
    fields = fields_without()
    fields["config"] = {**fields["config"], "growth": 0}
    with pytest.raises(CUNetError, match="growth=0"):
        ModelSpec.from_dict(fields)


def test_half_a_character_is_refused():
    text = preset("face-mobile").replace(name="NAME").to_json().replace("NAME", r"\ud800")
    with pytest.raises(CUNetError, match="cunet_spec is not JSON"):
        ModelSpec.from_json(text)
