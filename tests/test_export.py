import csv
import json

import pytest

from cunet_tf.cli import main
from cunet_tf.files import tflite
from cunet_tf.models.saved import load_keras
from cunet_tf.skeletons import Skeleton
from tests.networks import BINARY, spec_of, uneven


def test_file_describes_itself_as_asked(trained_run, exported_run):
    trained = load_keras(trained_run / "best.keras").spec
    assert tflite.spec_of(tflite.read_model(exported_run)) == trained.replace(name="mine", license="research use only")


def test_file_is_written_after_the_parity_check(trained_run, tmp_path, capsys):
    out = tmp_path / "m.tflite"
    assert main(["export", f"--model={trained_run / 'best.keras'}", f"--out={out}", "--parity_pictures=4"]) == 0
    text = capsys.readouterr().out
    assert "float16" in text and "within tolerance" in text and f"{out.stat().st_size:,} bytes" in text


def test_no_file_is_left_when_out_of_tolerance(trained_run, exported_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("cunet_tf.export.formats.convert", lambda *_: exported_run.read_bytes())
    monkeypatch.setattr("cunet_tf.export.parity.TOLERANCE", {"float16": (0.0, 0.0, 0.0)})
    out = tmp_path / "m.tflite"
    assert main(["export", f"--model={trained_run / 'best.keras'}", f"--out={out}", "--parity_pictures=2"]) == 1
    assert "OUT OF TOLERANCE" in capsys.readouterr().out
    assert not out.exists()


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--model=missing.keras", "--out=m.tflite"], "missing.keras: no such model file"),
        (["--model={run}/history.csv", "--out=m.tflite"], "a model file ends in .keras"),
        (["--model={run}/best.keras", "--out=m.tflite", "--format=int7"], "--format=int7: use one of float32"),
    ],
)
def test_bad_input(trained_run, flags, words, capsys):
    assert main(["export", *(flag.format(run=trained_run) for flag in flags)]) == 2
    assert words in capsys.readouterr().err


def test_own_landmarks_without_data(tmp_path, capsys):
    """Float files are compared on drawn faces, and that is said; grids want the user's pictures."""
    spec = spec_of()
    own = Skeleton("cat", ("left_ear", "right_ear", "nose"), flip_pairs=((0, 1),))
    uneven(spec.with_skeleton(own)).save(tmp_path / "cat.keras")
    call = ["export", f"--model={tmp_path / 'cat.keras'}", "--parity_pictures=2"]
    assert main([*call, f"--out={tmp_path / 'cat.tflite'}"]) == 0
    assert "which need not show cat" in capsys.readouterr().err
    assert tflite.spec_of(tflite.read_model(tmp_path / "cat.tflite")).skeleton == own
    assert main([*call, f"--out={tmp_path / 'cat8.tflite'}", "--format=int8"]) == 2
    assert "cat cannot be drawn: name yours with --data and --root" in capsys.readouterr().err
    assert not (tmp_path / "cat8.tflite").exists()


def test_packed_file_with_metric_and_calibration_report(tmp_path, capsys):
    spec = spec_of(BINARY)
    small = spec.replace(config=spec.config.replace(stacks=1, order=0, levels=1))
    uneven(small).save(tmp_path / "low.keras")
    out, grids = tmp_path / "low.cunet", tmp_path / "grids.csv"
    code = main(
        ["export", f"--model={tmp_path / 'low.keras'}", "--format=packed", f"--out={out}", f"--calibration={grids}"]
        + ["--data=synthetic", "--split=1:4", "--calibration_split=2:4", "--parity_pictures=2", "--json"]
    )
    report = json.loads(capsys.readouterr().out)
    assert report["parity"]["exact"]["differences"] == 0 and report["parity"]["metric"]["images"] == 4
    assert sum(report["sizes"].values()) == report["bytes"]
    assert (code == 0) == report["ok"] == out.exists()  # an untrained network's landmarks may jump
    with grids.open() as file:
        rows = list(csv.DictReader(file))
    assert {"tensor", "scale", "zero_point", "trained", "low", "high", "clipped"} == set(rows[0])
