"""A user's own landmarks, from pictures and a JSON file to a prediction on a .tflite file."""

import json

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.draw import save_png
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.skeletons import FACE68

CHOSEN = {"right_eye": 36, "left_eye": 45, "nose_tip": 30, "chin": 8, "mouth": 66}


@pytest.fixture
def root(tmp_path):
    """Five landmarks with their own names on 20 drawn faces."""
    images = []
    for index, sample in enumerate(load_synthetic(FACE68, "11:20")):
        save_png(tmp_path / f"{index}.png", sample.load())
        points = sample.points[list(CHOSEN.values())].astype(float).round(3).tolist()
        images.append({"file": f"{index}.png", "points": points, "split": "train" if index < 16 else "test"})
    skeleton = {"name": "five", "names": list(CHOSEN), "flip_pairs": [["right_eye", "left_eye"]],
                "edges": [["nose_tip", "mouth"]], "normalizer": ["right_eye", "left_eye"]}  # fmt: skip
    (tmp_path / "landmarks.json").write_text(json.dumps({"skeleton": skeleton, "images": images}))
    return tmp_path


def test_train_evaluate_export_predict(eagerly, root, capsys):
    data = ["--data=folder", f"--root={root}"]
    network = ["--preset=face-mobile", "--stacks=1", "--levels=1", "--main_channels=8", "--growth=4", "--input_size=64"]
    run = root / "run"
    assert main(["check", *data, "--split=all", f"--out={root / 'report'}"]) == 0
    assert main(["train", *data, *network, "--epochs=1", "--batch_size=4", "--val_share=0.25", f"--workdir={run}"]) == 0
    captured = capsys.readouterr()
    assert "5 landmarks of the data (five)" in captured.err

    assert main(["evaluate", f"--model={run / 'best.keras'}", *data, "--split=test", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["images"] == 4 and set(result["per_landmark"]) == set(CHOSEN)
    assert result[f"nme_{result['normalizer']}"] > 0 and "right_eye" in result["normalizer"]

    file = root / "own.tflite"
    flags = ["--split=test", f"--out={file}", "--format=float32"]
    assert main(["export", f"--model={run / 'best.keras'}", *data, *flags]) == 0
    assert spec_of(read_model(file)).skeleton.names == tuple(CHOSEN)
    assert main(["predict", f"--model={file}", f"--out={root / 'found'}", str(root / "0.png")]) == 0
    record = json.loads((root / "found" / "0.json").read_text())
    assert np.array(record["objects"][0]["landmarks"]).shape == (5, 2) and record["names"] == list(CHOSEN)
