import keras
import numpy as np
import pytest

import cunet_tf
from cunet_tf.config import CUNetConfig
from cunet_tf.config_baselines import ARCHITECTURES, DenseUNetConfig, HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.models.build import BUILDERS, build_network
from cunet_tf.models.convolution import ConvBNReLU
from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset

SMALL = {
    "cunet": CUNetConfig(2, 1, 8, 4, 16, levels=1, input_size=32),
    "dense_unet": DenseUNetConfig(2, 8, 4, 16, levels=1, input_size=32),
    "hourglass": HourglassConfig(2, 8, 1, 16, input_size=32),
}


def test_every_architecture_has_a_builder():
    assert BUILDERS.keys() == set(ARCHITECTURES.values())


@pytest.mark.parametrize("name", SMALL)
def test_the_configuration_decides(name):
    model = build_network(SMALL[name])
    assert model.name == name and model.spec is None
    assert model.inputs[0].name == "image" and tuple(model.output_names) == SMALL[name].head_names
    spec = preset("pose-2").replace(config=SMALL[name])
    described = build_network(spec)
    assert described.spec == spec
    assert [v.path for v in described.variables] == [v.path for v in model.variables]


def test_same_seed_same_network_and_no_state_between_builds():
    for config in SMALL.values():
        weights = []
        for _ in range(2):
            keras.utils.set_random_seed(3)
            weights.append(build_network(config).get_weights())
        assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_uniform_gamma_reaches_every_normalisation():
    for config in SMALL.values():
        model = build_network(config.replace(gamma_init="uniform"))
        gammas = [np.asarray(v) for v in model.variables if v.path.endswith("/gamma")]
        assert gammas and all(0 <= gamma.min() < gamma.max() < 1 for gamma in gammas)


def test_quantization_is_passed_on():
    assert build_network(preset("pose-2").replace(config=SMALL["cunet"]), quant="BW").spec.quant == "BW"
    assert build_network(preset("pose-2").replace(config=SMALL["dense_unet"], quant="BW-a")).spec.quant == "BW-a"
    with pytest.raises(CUNetError, match="stacked hourglass cannot be quantized"):
        build_network(preset("pose-2").replace(config=SMALL["hourglass"], quant="BW-a"))


def test_a_builder_refuses_the_shape_of_another_network():
    with pytest.raises(CUNetError, match="builds a CU-Net, not HourglassConfig: use build_network"):
        build_cunet(SMALL["hourglass"])
    with pytest.raises(CUNetError, match="builds a dense U-Net, not CUNetConfig"):
        cunet_tf.build_dense_unet(SMALL["cunet"])


@pytest.mark.parametrize("kernel, stride, side", [(7, 2, 8), (1, 1, 16)])
def test_convolution_with_explicit_padding(kernel, stride, side):
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, ConvBNReLU(5, kernel, stride, name="a")(image))
    assert tuple(model.outputs[0].shape[1:]) == (side, side, 5)
    assert [v.path for v in model.trainable_variables] == ["a/kernel", "a/gamma", "a/beta"]


@pytest.mark.parametrize("name", SMALL)
def test_channels_first_is_refused(name):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(CUNetError, match=r"channels_first, these networks take pictures \[B, H, W, 3\]"):
            build_network(SMALL[name])
    finally:
        keras.config.set_image_data_format("channels_last")


def test_a_clone_keeps_the_description():
    spec = preset("face-mobile").replace(config=SMALL["cunet"].replace(landmarks=68))
    model = build_network(spec)
    clone = keras.models.clone_model(model)
    assert clone.spec == spec and clone.get_config()["cunet_spec"] == spec.to_dict()
    assert keras.models.clone_model(build_network(SMALL["cunet"])).spec is None
