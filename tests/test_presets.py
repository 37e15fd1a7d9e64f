import pytest

from cunet_tf.config_baselines import DenseUNetConfig, HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, network_name, preset
from cunet_tf.skeletons import MPII16

# name: N, m, n, input side, C, skeleton
ARCHITECTURES = {
    "face-mobile": (2, 64, 16, 128, 68, "face68"),
    "pose-mobile": (2, 64, 16, 128, 14, "lsp14"),
    "face-4": (4, 128, 32, 256, 68, "face68"),
    "face-8": (8, 128, 32, 256, 68, "face68"),
    "pose-2": (2, 128, 32, 256, 16, "mpii16"),
    "pose-4": (4, 128, 32, 256, 16, "mpii16"),
    "pose-8": (8, 128, 32, 256, 16, "mpii16"),
    "pose-16": (16, 128, 32, 256, 16, "mpii16"),
}


@pytest.mark.parametrize("name, expected", ARCHITECTURES.items(), ids=ARCHITECTURES)
def test_architecture(name, expected):
    spec = preset(name)
    config = spec.config
    found = (config.stacks, config.main_channels, config.growth, config.input_size, config.landmarks)
    assert (*found, spec.skeleton.name) == expected
    assert config.order == 1
    assert config.supervised == tuple(range(config.stacks))


BASELINES = {
    "dense-unet-4": DenseUNetConfig(layers=4),
    "dense-unet-8": DenseUNetConfig(layers=8),
    "hourglass-4": HourglassConfig(stacks=4),
    "hourglass-8": HourglassConfig(stacks=8),
    "hourglass-16": HourglassConfig(stacks=16),
}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_are_for_mpii_as_the_paper_has_them(name):
    spec = preset(name)
    assert (spec.config, spec.skeleton, spec.crop_factor) == (BASELINES[name], MPII16, 1.25)
    assert spec.sigma == preset("pose-2").sigma and spec.config.landmarks == 16


@pytest.mark.parametrize("name, spec", PRESETS.items(), ids=PRESETS)
def test_names_and_defaults(name, spec):
    assert spec.preset == spec.name == name
    assert (spec.quant, spec.decoder, spec.input_range) == ("float", "dark", (0.0, 1.0))


@pytest.mark.parametrize("name", ["face-4", "face-8", "pose-2", "pose-4", "pose-8", "pose-16"])
def test_paper_presets_use_the_reference_gaussian_and_crop(name):
    spec = preset(name)
    assert 2 * spec.sigma**2 == pytest.approx(9)  # exp(-d^2 / 9)
    assert spec.crop_factor == {"face": 1.1, "pose": 1.25}[name.split("-")[0]]


def test_mobile_presets():
    assert (preset("face-mobile").crop_factor, preset("pose-mobile").crop_factor) == (1.15, 1.25)
    assert preset("face-mobile").sigma == preset("pose-mobile").sigma == 1.2
    assert preset("face-mobile").config.heatmap_size == 32


def test_unknown_preset_gets_a_hint_and_the_list():
    with pytest.raises(CUNetError) as error:
        preset("face-mobil")
    assert "Did you mean 'face-mobile'?" in str(error.value)
    assert all(name in str(error.value) for name in PRESETS)


def test_a_changed_copy_leaves_the_preset_alone():
    changed = preset("face-4").replace(sigma=1.0, data="mine")
    assert (changed.sigma, changed.data) == (1.0, "mine")
    assert preset("face-4").sigma != 1.0 and preset("face-4").data == ""


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_own_name(name):
    assert network_name(preset(name)) == name


def test_changes_of_a_preset_are_named():
    spec = preset("face-mobile")
    changed = spec.replace(config=spec.config.replace(stacks=4, main_channels=32))
    assert network_name(changed) == "face-mobile (stacks=4, main_channels=32)"
    assert network_name(spec.with_skeleton(MPII16)) == "face-mobile"  # landmarks are the skeleton's
    assert network_name(changed.replace(preset="old-one")) == "old-one"
