import dataclasses
import json

import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.boxes import Detection
from cunet_tf.cli import main
from cunet_tf.commands import evaluate as command
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset
from cunet_tf.rows import read_csv
from cunet_tf.skeletons import FACE68, LSP14
from tests.networks import TINY
from tests.test_evaluation import Oracle

CONTRACT_KEYS = {
    "nme_interocular", "nme_interpupil", "nme_box", "failure_rate", "pck", "pckh", "auc", "images",
    "auc_threshold", "normalizer", "mean_over", "subsets", "per_landmark",
}  # fmt: skip


def evaluate(capsys, *flags):
    code = main(["evaluate", "--data=synthetic", "--split=9:12", *flags, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_keras_and_tflite_agree(trained_run, exported_run, capsys):
    results = [evaluate(capsys, f"--model={model}")[1] for model in (trained_run / "best.keras", exported_run)]
    assert set(results[0]) >= CONTRACT_KEYS
    assert results[0]["nme_interocular"] == pytest.approx(results[1]["nme_interocular"], abs=0.05)


def test_files_limits_and_options(trained_run, tmp_path, capsys):
    model = f"--model={trained_run / 'best.keras'}"
    code, plain = evaluate(capsys, model, f"--out={tmp_path}", "--max_nme=1000")
    assert code == 0 and (tmp_path / "ced.png").stat().st_size > 1000
    assert json.loads((tmp_path / "evaluation.json").read_text())["images"] == 12
    code, flipped = evaluate(capsys, model, "--flip_test", "--decoder=argmax", "--max_nme=0.1")
    assert code == 1 and flipped["flip_test"] and flipped["decoder"] == "argmax"
    assert flipped["nme_interocular"] != plain["nme_interocular"]
    _, twice = evaluate(capsys, model, "--crops=2")
    assert (plain["crops"], twice["crops"]) == (1, 2) and twice["nme_interocular"] != plain["nme_interocular"]


def test_text_names_data_normalizer_and_decoder(trained_run, capsys):
    main(["evaluate", "--data=synthetic", "--split=9:4", f"--model={trained_run / 'best.keras'}"])
    text = capsys.readouterr().out
    assert "synthetic 9:4: 4 pictures, tight boxes, decoder dark, flip test off" in text and "interocular" in text


def test_joints_have_pck_and_a_curve(tmp_path, capsys):
    model = build_cunet(preset("pose-mobile").replace(config=TINY.replace(landmarks=14, levels=1, stacks=1)))
    model.save(tmp_path / "pose.keras")
    code, result = evaluate(capsys, f"--model={tmp_path / 'pose.keras'}", f"--out={tmp_path}", "--min_pck=99")
    assert code == 1 and 0 <= result["pck"] < 99 and result["pckh"] is None and result["auc"] is None
    assert (tmp_path / "pck.png").stat().st_size > 1000


def test_unknown_decoder(trained_run, capsys):
    assert main(["evaluate", "--data=synthetic", f"--model={trained_run / 'best.keras'}", "--decoder=darc"]) == 2
    assert "Did you mean 'dark'?" in capsys.readouterr().err


def test_shipped_face_model_on_real_faces(w300_root, capsys):
    """The card's figure, on a quarter of the cost: the whole of helen/testset takes 5 s."""
    code = main(["evaluate", "--model=face-mobile", "--data=300w", f"--root={w300_root}",
                 "--split=helen/testset", "--max_nme=3.9", "--json"])  # fmt: skip
    assert code == 0, capsys.readouterr().out[:300]


def test_shipped_pose_model_on_real_people(lspet_root, capsys):
    """A fifth of the card's pictures; the whole test part gives 52.6."""
    code = main(["evaluate", "--model=pose-mobile", "--data=lspet", f"--root={lspet_root}",
                 "--split=7055-7254", "--min_pck=47", "--json"])  # fmt: skip
    assert code == 0, capsys.readouterr().out[:300]


def test_missing_subset_is_named(w300_root, capsys):
    flags = ["evaluate", "--model=face-mobile", "--data=300w", f"--root={w300_root}", "--split=full"]
    assert main(flags) == 2
    error = capsys.readouterr().err
    assert "lfpw/testset" in error and "ibug" in error and "--allow_missing" in error


@pytest.mark.parametrize("box", ["detector", "whole"])
def test_boxes_that_the_model_looks_for_itself(box, capsys):
    flags = ["evaluate", "--model=face-mobile", "--data=synthetic", "--split=5:8", f"--box={box}", "--json"]
    assert main(flags) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["box"] == box and 80 <= result["recall"] <= 100 and result["nme_interocular"] < 12


def test_objects_that_no_detector_sees_are_failures_and_in_no_mean():
    class Blind:
        name = "blazeface"

        def __init__(self):
            self.calls = 0

        def __call__(self, image):
            self.calls += 1
            return [Detection(np.array([30.0, 30, 130, 130]), 0.9)] if self.calls % 2 else []

    faces = load_synthetic(FACE68, "5:4")
    result = cu.evaluate(cu.Localizer.load("face-mobile"), faces, box="detector", detector=Blind())
    assert result["recall"] == 50 and result["failure_rate"] >= 50 and result["nme_interocular"] < 20
    assert np.isinf(result["per_image"]).sum() == 2
    json.dumps({name: value for name, value in result.items() if name != "per_image"}, allow_nan=False)


# The command around a model that is known to the last pixel ---------------------------------

KNOWN = ["evaluate", "--model=known", "--data=synthetic", "--split=4:6"]


@pytest.fixture
def known(monkeypatch):
    """The model ``known`` is wrong by these shares of the normalizing distance, picture by picture."""

    def make(shares, skeleton=FACE68, split="4:6"):
        oracle = Oracle(load_synthetic(skeleton, split), shares)
        monkeypatch.setattr(command.Localizer, "load", lambda *_, **options: oracle)

    return make


@pytest.mark.parametrize(
    "limit, code",
    [("--max_nme=3.01", 0), ("--max_nme=2.99", 1), ("--min_pck=1", 1), ("--min_pck=0", 1)],  # faces have no PCK
)
def test_a_limit_holds_or_the_exit_code_says_so(known, limit, code, capsys):
    known([0.01, 0.03, 0.05] * 2)
    assert main([*KNOWN, limit, "--json"]) == code
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] == (code == 0) and result["nme_interocular"] == pytest.approx(3.0)


def test_bodies_are_limited_by_what_is_known_of_them(known, capsys):
    for flags, code in ((["--min_pck=50"], 0), (["--min_pck=51"], 1), (["--max_nme=1000"], 0), (["--max_nme=0.1"], 1)):
        known([0.1, 0.15, 0.3, 0.4, 0.1, 0.9], LSP14)
        assert main([*KNOWN, "--split=4:6", *flags, "--json"]) == code
        assert json.loads(capsys.readouterr().out)["pck"] == pytest.approx(50.0)


def test_rows_of_several_calls_stand_below_each_other(known, tmp_path):
    file = tmp_path / "new" / "rows.csv"
    for shares in ([0.02] * 6, [0.04] * 6):
        known(shares)
        assert main([*KNOWN, f"--csv={file}"]) == 0
    known([0.1] * 6, LSP14)
    assert main([*KNOWN, f"--csv={file}"]) == 0
    rows = read_csv(file)
    assert list(rows[0]) == [*command.COLUMNS, *(f"pck_{name}" for name in command.MEANS)]
    assert [row["nme_interocular"] for row in rows] == ["2", "4", ""] and rows[2]["pck_joints"] == "100"
    assert {row["model"] for row in rows} == {"known"} and rows[0]["flip_test"] == "False"


@pytest.mark.parametrize("flag", ["--out={}", "--csv={}/rows.csv"])
def test_a_place_of_somebody_elses_is_refused_before_the_model_is_read(flag, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command.Localizer, "load", lambda *_, **options: pytest.fail("read"))
    (tmp_path / "file").write_text("mine")
    assert main([*KNOWN, flag.format(tmp_path / "file")]) == 2
    assert f"file is not a folder: {flag[:5]}" in capsys.readouterr().err


def test_the_curves_package_is_asked_for_before_the_model_is_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command.Localizer, "load", lambda *_, **options: pytest.fail("read"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main([*KNOWN, f"--out={tmp_path / 'out'}"]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_data_without_labels_has_no_figures(known, monkeypatch, capsys):
    known([0.0])
    source = load_synthetic(FACE68, "4:2")
    hidden = [dataclasses.replace(sample, mask=0 * sample.mask) for sample in source]
    monkeypatch.setattr(command, "source_for", lambda *_: dataclasses.replace(source, samples=hidden))
    assert main(KNOWN) == 2
    error = capsys.readouterr().err
    assert "data synthetic, split 4:2: no sample is annotated" in error and "cunet predict --data" in error


def test_the_text_leaves_out_what_is_not_known(known, capsys):
    known([0.02] * 5 + [0.2])
    assert main([*KNOWN, "--crops=1"]) == 0
    text = capsys.readouterr().out
    assert "nme_interocular" in text and "pck" not in text and "None" not in text and "left out" not in text
    known([0.1] * 6, LSP14)
    assert main(KNOWN) == 0
    text = capsys.readouterr().out
    assert "pck, mean of limbs" in text and "pckh" not in text and "failure_rate" not in text and "None" not in text


@pytest.mark.parametrize("heads, group, expected", [(None, "all", 7.0), (None, "Head", 5.0), (None, "Tail", None),
                                                    (3.0, "all", 7.0), (3.0, "Head", None)])  # fmt: skip
def test_a_curve_is_labelled_with_its_own_share_alone(heads, group, expected):
    """Groups have PCK of the torso only where there is no PCKh, which they have else."""
    assert command._pck({"pck": 7.0, "pckh": heads, "per_group": {"Head": 5.0}}, group) == expected
