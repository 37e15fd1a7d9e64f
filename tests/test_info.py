import json
import subprocess
import sys

import pytest

from cunet_tf.cli import main
from cunet_tf.presets import PRESETS
from tests.onnx_network import small_network


def info(capsys, *arguments):
    assert main(["info", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_arguments_all_presets_are_listed(capsys):
    assert set(info(capsys)["presets"]) == set(PRESETS)
    main(["info"])
    assert "face-mobile" in capsys.readouterr().out


def test_preset_and_options(capsys):
    result = info(capsys, "--preset=pose-2")
    assert (result["conv_parameters"], result["trainable_parameters"], result["total_parameters"]) == (
        1_898_880, 1_923_200, 1_947_520,
    )  # fmt: skip
    assert result["float32_bytes"] == 4 * 1_947_520
    assert info(capsys, "--preset=pose-2", "--order=0")["conv_parameters"] == 1_792_384
    conv_first = info(capsys, "--preset=pose-2", "--norm_order=conv_first")
    assert conv_first["conv_parameters"] == 1_898_880 and conv_first["total_parameters"] < 1_947_520
    assert info(capsys, "--stacks=8", "--order=7", "--landmarks=68")["conv_parameters"] == 10_197_376


def test_baselines(capsys):
    result = info(capsys, "--preset=hourglass-8")
    assert (result["conv_parameters"], result["config"]["architecture"]) == (25_248_960, "hourglass")
    assert info(capsys, "--preset=hourglass-8", "--stacks=16")["conv_parameters"] == 50_218_176
    small = info(capsys, "--preset=hourglass-4", "--channels=128", "--depth=3")
    assert (small["config"]["channels"], small["config"]["depth"]) == (128, 3)
    assert info(capsys, "--preset=dense-unet-4", "--layers=8")["conv_parameters"] == 6_115_712
    assert info(capsys, "--preset=dense-unet-4", "--growth=16")["config"]["growth"] == 16
    assert info(capsys, "--preset=dense-unet-4", "--quant=BW-a")["quantization"]["honest_size_ratio"] < 0.1
    main(["info", "--preset=hourglass-4"])
    text = capsys.readouterr().out
    assert "12,764,352" in text and "hourglass 3x3" in text and "remap" in text


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--preset=hourglass-8", "--growth=16"], ["--growth", "--preset=hourglass-8", "use --stacks"]),
        (["--preset=dense-unet-4", "--stacks=2"], ["--stacks", "--preset=dense-unet-4", "--layers"]),
        (["--preset=pose-2", "--depth=3"], ["--depth", "--preset=pose-2", "--levels"]),
        (["--channels=64"], ["--channels", "without --preset", "CU-Net", "--main_channels"]),
    ],
)
def test_an_option_that_the_network_does_not_have_is_named(flags, words, capsys):
    assert main(["info", *flags]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert all(word in line for word in words)


def test_only_the_order_of_a_cunet_is_clamped(capsys):
    main(["info", "--preset=pose-2", "--order=5"])
    assert "--order=5 is clamped to 1" in capsys.readouterr().err
    main(["info", "--preset=hourglass-4", "--stacks=1"])
    assert not capsys.readouterr().err


def test_text_has_breakdown_and_totals(capsys):
    main(["info", "--preset=pose-2"])
    text = capsys.readouterr().out
    assert "1,898,880" in text and "input adapter" in text and "32,768" in text


def test_quantization_is_reported_for_each_layer(capsys):
    result = info(capsys, "--preset=face-8", "--quant=BW-a")
    assert (result["quant"], round(result["ideal_bytes"] / 1e6, 2)) == ("BW-a", 2.26)
    found = result["quantization"]
    assert found["ideal_bytes"] == result["ideal_bytes"] and found["packed_bytes"] == result["packed_bytes"]
    assert found["float32_bytes"] == result["float32_bytes"] and "balance_index" not in found
    bits = {row["layer"]: row["bits"] for row in found["layers"]}
    assert {path for path in bits if bits[path] == 32} == {"stem", *(f"unet{i}_head" for i in range(8))}
    assert "quantization" not in info(capsys, "--preset=face-8")


def test_metric_gives_the_balance_index(capsys):
    found = info(capsys, "--preset=face-4", "--quant=BW-a-QIG(818)", "--metric=4.47")["quantization"]
    assert found["metric"] == 4.47 and found["balance_index"] == pytest.approx(4.47**2 / 4 / 32)
    assert found["honest_balance_index"] == pytest.approx(4.47**2 / 4 * found["honest_size_ratio"])
    plain = info(capsys, "--preset=face-4", "--metric=3.38")
    assert plain["quant"] == "float" and plain["ideal_bytes"] == plain["float32_bytes"]
    assert round(plain["quantization"]["balance_index"], 1) == 11.4
    assert main(["info", "--metric=nan"]) == 2


def test_text_has_a_row_for_each_layer(capsys):
    main(["info", "--preset=face-mobile", "--quant=TW-QIG(626)", "--metric=4"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["unet0_down0/bottleneck", "2", "6", "4,096", "4.92"] in lines
    assert ["unet1_head", "32", "32", "4,352", "1.00"] in lines
    assert any("(theoretical)" in line for line in lines) and ["quantization", "TW-QIG(626)"] in lines


def test_quantization_is_counted_without_keras():
    check = (
        "import sys; from cunet_tf.cli import main; assert main(['info', '--quant=BW-a']) == 0; "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", check], capture_output=True).returncode == 0


def test_a_shipped_model_says_what_it_is(capsys):
    whole = info(capsys, "face-mobile")
    assert whole == info(capsys, "--model=face-mobile")
    packed, floats = whole["files"]
    assert packed["file"].endswith("face-mobile.cunet") and floats["file"].endswith("face-mobile.keras")
    assert (packed["numbers"], packed["quant"], packed["landmarks"]) == ("integers", "W4", 68)
    assert (floats["numbers"], floats["quant"], floats["total_parameters"]) == ("float", "float", 511_424)
    assert "packed" in packed["formats"] and "float16" in floats["formats"] and packed["detector"] == "blazeface"
    assert main(["info", "face-mobile"]) == 0
    text = capsys.readouterr().out
    assert "research use only" in text and "int8-float-io" in text and "jaw_0" in text


def test_files_of_every_kind(exported_run, trained_run, capsys):
    assert info(capsys, f"--model={exported_run}")["files"][0]["numbers"] == "float"
    assert info(capsys, f"--model={trained_run}")["files"][0]["file"].endswith("best.keras")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["facemobile"], "Did you mean 'face-mobile'"),
        (["--model=face-mobile", "--stacks=3"], "--model stands alone"),
        (["--model={t}/x.keras"], "not a Keras model file"),
        (["--model={t}/x.onnx"], "x.onnx: not an ONNX network"),
        (["--model={t}/bare.onnx"], "bare.onnx carries no description"),
        (["face-mobile", "pose-mobile"], "unexpected argument"),
    ],
)
def test_bad_models(arguments, words, tmp_path, capsys):
    for name, data in (("x.keras", b"x"), ("x.onnx", b"x"), ("bare.onnx", small_network(described=False))):
        (tmp_path / name).write_bytes(data)
    assert main(["info", *(argument.format(t=tmp_path) for argument in arguments)]) == 2
    assert words in capsys.readouterr().err
