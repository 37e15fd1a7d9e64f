"""Trained float networks rounded to k bits."""

import json

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.config_baselines import HourglassConfig
from cunet_tf.errors import CUNetError
from cunet_tf.export import second_order
from cunet_tf.export.rounding import require_rounding, round_kernels
from cunet_tf.files.shipped import find_model
from cunet_tf.models.health import convolutions
from cunet_tf.models.renorm import estimate_norms, norm_layers
from tests import networks
from tests.networks import TERNARY, crops, uneven


def spec_of(quant="float"):
    return networks.spec_of(quant, "small")  # each kernel's search takes a third of a second


def network():
    return networks.network(shape="small")


def test_inner_kernels_are_rounded_and_the_rest_stays():
    model = network()
    rounded = round_kernels(model, spec_of(), "W5")
    assert rounded.spec.quant == "W5" and model.spec.quant == "float"
    for ours, theirs in zip(rounded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)  # kernels are rounded when they are used
    used = [each for each in convolutions(rounded) if each.kernel_quantizer is not None]
    assert len(used) == len(convolutions(rounded)) - 1  # but the head's
    maps = [np.asarray(each(crops())[-1]) for each in (rounded, model)]
    assert 0 < np.abs(maps[0] - maps[1]).mean() < 0.2 * np.abs(maps[1]).max()


def test_more_bits_are_nearer():
    exact = np.asarray(network()(crops())[-1])
    rounded = (round_kernels(network(), spec_of(), quant) for quant in ("W3", "W5", "W8"))
    few, some, many = (np.abs(np.asarray(each(crops())[-1]) - exact).mean() for each in rounded)
    assert few > some > many


def test_pictures_make_it_better():
    model = uneven(spec_of())
    estimate_norms(model, [crops()])  # of a trained network they are those of its pictures
    exact = np.asarray(model(crops())[-1])
    found = (round_kernels(model, spec_of(), "W3", batches) for batches in ([], [crops()]))
    nearest, seen = (np.abs(np.asarray(each(crops())[-1]) - exact).mean() for each in found)
    assert seen < 0.85 * nearest


def test_normalisations_follow_the_change_that_pictures_show():
    rounded = round_kernels(network(), spec_of(), "W4", [crops()])
    pairs = [
        (np.asarray(a.bn[0][2]), np.asarray(b.bn[0][2]))
        for a, b in zip(norm_layers(rounded), norm_layers(network()), strict=True)
    ]
    np.testing.assert_allclose(*pairs[0], rtol=1e-6)  # the stem's kernel is not rounded
    assert (pairs[-1][0] != pairs[-1][1]).any()


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


@pytest.mark.slow  # calibrates and rounds several networks; the parts are tested above
def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(second_order, "STEPS", (1.0, 1.15))  # a search for each; its own tests try all
    network().save(tmp_path / "small.keras")
    out = tmp_path / "small.cunet"
    flags = ["--quant=W4", "--format=packed", "--parity_pictures=2", "--calibration_pictures=4", "--norm_pictures=4"]
    data = ["--data=synthetic", "--split=5:8", "--calibration_split=5:8", "--json"]
    code = main(["export", f"--model={tmp_path / 'small.keras'}", f"--out={out}", *flags, *data])
    report = json.loads(capsys.readouterr().out)
    assert report["sizes"]["k-bit kernels"] > 0 and report["parity"]["exact"]["differences"] == 0
    assert (code == 0) == report["ok"] == out.exists()  # an untrained network's landmarks may jump


def test_an_integer_file_is_not_rounded(tmp_path, capsys):
    assert main(["export", f"--model={find_model('face-mobile')}", f"--out={tmp_path / 'x.tflite'}",
                 "--format=int8", "--quant=W4"]) == 2  # fmt: skip
    assert "go with .keras files" in capsys.readouterr().err
