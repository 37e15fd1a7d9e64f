"""The real command, on drawn faces, once (the shared fixture), and what it leaves behind."""

import csv
import json

import cv2
import pytest

from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import write_pts
from cunet_tf.models.saved import load_keras
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.train import spread
from tests.conftest import TINY_FLAGS


def test_run_folder_is_complete(trained_run):
    names = {file.name for file in trained_run.iterdir()}
    assert names == {"best.keras", "last.keras", "history.csv", "config.json", "curves.png"}
    config = json.loads((trained_run / "config.json").read_text())
    assert config["spec"]["config"]["main_channels"] == 8
    assert config["recipe"]["name"] == "mobile" and config["data"]["train_images"] == 64
    assert "tensorflow" in config["device"]


def test_history_has_a_row_for_each_epoch_and_the_watched_part(trained_run):
    with (trained_run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])
    assert {"nme", "val_nme", "watched_nme", "learning_rate"} <= set(rows[0])


def test_saved_model_describes_itself(trained_run):
    spec = load_keras(trained_run / "best.keras").spec
    assert spec.preset == "face-mobile" and spec.data == "synthetic 5:68"
    assert spec.crop_factor == 1.15 and spec.input_size == 64


def test_second_start_needs_resume_and_the_same_options(trained_run, capsys):
    common = ["train", "--data=synthetic", "--split=5:68", *TINY_FLAGS, "--batch_size=16",
              f"--workdir={trained_run}", "--val_share=0.06"]  # fmt: skip
    assert main([*common, "--epochs=2"]) == 2
    assert "already holds a run: add --resume" in capsys.readouterr().err
    assert main([*common, "--epochs=3", "--resume"]) == 2
    assert "--resume: epochs was 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--recipe=mobil"], "Did you mean 'mobile'?"),
        (["--batch_size=500"], "batch_size=500 exceeds"),
        (["--val_share=0"], "--val_share=0.0"),
        (["--split=nonsense"], "SEED:COUNT"),
        (["--images=21"], "--images=21: synthetic 5:20 has only 20"),
        (["--landmarks=14"], "skeleton face68 has 68 points"),
    ],
)
def test_bad_options_stop_before_any_training(flags, words, tmp_path, capsys):
    base = ["train", "--data=synthetic", "--split=5:20", *TINY_FLAGS, f"--workdir={tmp_path / 'w'}"]
    assert main([*base, *flags]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "w" / "history.csv").exists()


def test_images_are_spread_over_the_split():
    source = load_synthetic(FACE68, "5:20")
    assert spread(source, 3).samples == [source.samples[i] for i in (0, 10, 19)]


def test_unreadable_picture_is_named_without_a_tensorflow_trace(tmp_path, capsys, eagerly):
    folder = tmp_path / "faces" / "afw"
    folder.mkdir(parents=True)
    for index, sample in enumerate(load_synthetic(FACE68, "6:12")):
        cv2.imwrite(str(folder / f"{index}.jpg"), sample.load())
        write_pts(folder / f"{index}.pts", sample.points)
    (folder / "5.jpg").write_bytes(b"\xff\xd8 \xff\xd9")  # only decoding tells
    flags = ["train", "--data=300w", f"--root={tmp_path / 'faces'}", "--split=afw", *TINY_FLAGS, "--stacks=1",
             "--batch_size=4", "--epochs=1", "--val_share=0.1",
             f"--workdir={tmp_path / 'w'}"]  # fmt: skip
    assert main(flags) == 2
    error = capsys.readouterr().err
    assert "5.jpg: not a picture" in error and "--resume" in error and "Traceback" not in error
