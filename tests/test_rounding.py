"""Trained float networks rounded to k bits."""

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.export.rounding import require_rounding, round_kernels
from cunet_tf.files.packed.reader import read_spec
from cunet_tf.models.health import convolutions
from cunet_tf.models.renorm import norm_layers
from tests.networks import TERNARY, crops, network, spec_of


def test_inner_kernels_are_rounded_and_the_rest_stays():
    model = network()
    rounded = round_kernels(model, spec_of(), "W5")
    assert rounded.spec.quant == "W5" and model.spec.quant == "float"
    for ours, theirs in zip(rounded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)  # kernels are rounded when they are used
    used = [each for each in convolutions(rounded) if each.kernel_quantizer is not None]
    assert len(used) == len(convolutions(rounded)) - 2  # but the heads'
    maps = [np.asarray(each(crops())[-1]) for each in (rounded, model)]
    assert 0 < np.abs(maps[0] - maps[1]).mean() < 0.2 * np.abs(maps[1]).max()


def test_more_bits_are_nearer():
    exact = np.asarray(network()(crops())[-1])
    errors = [np.abs(np.asarray(round_kernels(network(), spec_of(), f"W{k}")(crops())[-1]) - exact).mean() for k in (3, 5, 8)]
    assert errors[0] > errors[1] > errors[2]


def test_normalisations_are_estimated_from_pictures():
    rounded = round_kernels(network(), spec_of(), "W4", [crops()])
    stem, plain = (norm_layers(each)[0].bn[0][2] for each in (rounded, network()))
    assert (np.asarray(stem) != np.asarray(plain)).all()


@pytest.mark.parametrize(
    "quant, of, words",
    [
        ("TW", "float", "must be trained: cunet train --quant=TW"),
        ("W4-QIG(848)", "float", "must be trained"),
        ("W9", "float", "use one of"),
        ("W4", TERNARY, "is TW-QIG\\(828\\) already"),
    ],
)
def test_what_is_not_rounded(quant, of, words):
    with pytest.raises(CUNetError, match=words):
        require_rounding(spec_of(of), quant)


def test_an_hourglass_is_not_rounded(tiny_spec):
    with pytest.raises(CUNetError, match="hourglass"):
        require_rounding(tiny_spec.replace(config=HourglassConfig(1, 8, 1, 68, 64)), "W4")


def test_the_command(trained_run, tmp_path, capsys):
    out = tmp_path / "small.cunet"
    flags = ["--quant=W4", "--format=packed", "--parity_pictures=4", "--calibration_pictures=8", "--norm_pictures=8"]
    data = ["--data=synthetic", "--split=5:8"]
    assert main(["export", f"--model={trained_run / 'best.keras'}", f"--out={out}", *flags, *data]) == 0
    assert "k-bit kernels" in capsys.readouterr().out and read_spec(out.read_bytes()).quant == "W4"
    assert main(["export", f"--model={out}", f"--out={tmp_path / 'x.cunet'}", *flags]) != 0
    assert "go with .keras files" in capsys.readouterr().err
