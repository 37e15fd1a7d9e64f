import json

from cunet_tf.cli import main
from cunet_tf.presets import PRESETS


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
    assert info(capsys, "--stacks=8", "--order=7", "--landmarks=68")["conv_parameters"] == 10_197_376


def test_text_has_breakdown_and_totals(capsys):
    main(["info", "--preset=pose-2"])
    text = capsys.readouterr().out
    assert "1,898,880" in text and "input adapter" in text and "32,768" in text
