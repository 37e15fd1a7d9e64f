import json

import cv2
import numpy as np
import pytest
from scipy.io import loadmat

from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.models.cunet import build_cunet
from cunet_tf.outputs import is_ours
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68
from tests.networks import TINY
from tests.test_mpii_release import EMPTY, person, write_release


def test_every_sample_is_found_in_its_own_box(tmp_path, capsys):
    flags = ["predict", "--model=face-mobile", "--data=synthetic", "--split=8:3", f"--out={tmp_path}", "--json"]
    assert main(flags) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 3
    rows = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text().splitlines()]
    for row, sample in zip(rows, load_synthetic(FACE68, "8:3"), strict=True):
        assert row["name"] == sample.name and np.array(row["landmarks"]).shape == (68, 2)
        np.testing.assert_allclose(row["box"], sample.box, atol=1e-2)


def test_mpii_test_part_gives_the_submission_file(tmp_path, rng):
    write_release(tmp_path, [("a.jpg", 0, [person(), person()]), ("b.jpg", 1, [person(rng.uniform(5, 60, (16, 2)))])],
                  [np.array([1.0, 2.0]), EMPTY])  # fmt: skip
    (tmp_path / "images").mkdir(exist_ok=True)
    cv2.imwrite(str(tmp_path / "images" / "a.jpg"), rng.integers(0, 255, (90, 120, 3), np.uint8))
    config = TINY.replace(landmarks=16, levels=1, stacks=1)
    build_cunet(preset("pose-2").replace(config=config)).save(tmp_path / "pose.keras")
    flags = [f"--model={tmp_path / 'pose.keras'}", "--data=mpii", f"--root={tmp_path}", f"--out={tmp_path / 'out'}"]
    assert main(["predict", *flags]) == 0
    assert is_ours(tmp_path / "out" / "pred_keypoints_mpii.mat")
    pred = loadmat(tmp_path / "out" / "pred_keypoints_mpii.mat")["pred"]
    assert pred.shape == (1, 1) and pred[0, 0]["annorect"].size == 2


@pytest.mark.parametrize("extra", [["photo.jpg"], ["--video=v.mp4"], ["--box=1,1,5,5"]])
def test_data_stands_alone(extra, tmp_path, capsys):
    flags = ["predict", "--model=face-mobile", "--data=synthetic", f"--out={tmp_path}", *extra]
    assert main(flags) == 2
    assert "--data stands alone" in capsys.readouterr().err
