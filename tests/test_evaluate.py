import json

import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.boxes import Detection
from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.models.cunet import build_cunet
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68
from tests.networks import TINY

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
