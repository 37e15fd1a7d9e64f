import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import ARCHITECTURES, DenseUNetConfig, HourglassConfig, network_config_from_dict
from cunet_tf.errors import CUNetError

CONFIGS = [
    CUNetConfig(stacks=3, order=2, supervisions=2, gamma_init="uniform"),
    DenseUNetConfig(layers=8, growth=16, levels=3, gamma_init="uniform"),
    HourglassConfig(stacks=4, channels=128, depth=3, landmarks=68),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_dict_round_trip(config):
    fields = config.to_dict()
    assert ARCHITECTURES[fields["architecture"]] is type(config)
    assert network_config_from_dict(fields) == config
    assert fields == config.to_dict()  # the argument stays as it was


def test_fields_without_architecture_are_a_cunet():
    fields = CONFIGS[0].to_dict()
    del fields["architecture"]
    assert network_config_from_dict(fields) == CONFIGS[0]


def test_unknown_architecture_gets_a_hint():
    with pytest.raises(CUNetError, match="'hourglas'.*Did you mean 'hourglass'"):
        network_config_from_dict({"architecture": "hourglas"})
    with pytest.raises(CUNetError, match="unknown option 'stacks'"):
        network_config_from_dict({"architecture": "dense_unet", "stacks": 2})


@pytest.mark.parametrize(
    "config, supervised, names",
    [
        (CONFIGS[0], (1, 2), ("unet1_head", "unet2_head")),
        (CONFIGS[1], (0,), ("unet0_head",)),
        (HourglassConfig(stacks=3), (0, 1, 2), ("stack0_head", "stack1_head", "stack2_head")),
    ],
)
def test_common_interface(config, supervised, names):
    assert (config.supervised, config.head_names) == (supervised, names)
    assert (config.heatmap_size, config.replace(input_size=128).heatmap_size) == (64, 32)


@pytest.mark.parametrize(
    "kind, fields, words",
    [
        (DenseUNetConfig, {"layers": 0}, ["layers=0", "1 or more"]),
        (DenseUNetConfig, {"input_size": 96}, ["input_size=96", "4*2^levels", "64", "128"]),
        (DenseUNetConfig, {"gamma_init": "zeros"}, ["gamma_init", "uniform"]),
        (HourglassConfig, {"depth": 0}, ["depth=0", "1 or more"]),
        (HourglassConfig, {"channels": 250}, ["channels=250", "248 or 252"]),
        (HourglassConfig, {"channels": 2}, ["channels=2", "use 4."]),
        (HourglassConfig, {"depth": 5, "input_size": 192}, ["input_size=192", "4*2^depth = 128", "a smaller depth"]),
        (HourglassConfig, {"landmarks": "16"}, ["landmarks='16'", "integer"]),
    ],
)
def test_bad_values_say_what_to_change(kind, fields, words):
    with pytest.raises(CUNetError) as error:
        kind(**fields)
    assert all(word in str(error.value) for word in words)
