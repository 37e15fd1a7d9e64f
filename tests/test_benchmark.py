import csv
import json

from cunet_tf.cli import main


def test_speeds_are_printed_and_kept(tmp_path, capsys):
    network = [
        "--preset=face-mobile",
        "--stacks=1",
        "--main_channels=8",
        "--growth=4",
        "--input_size=64",
        "--levels=1",
        "--batch_size=4",
    ]
    file = tmp_path / "speed.csv"
    arguments = ["benchmark", "--data=synthetic", "--split=0:16", *network, "--seconds=0.2", f"--csv={file}"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["images_per_second"]
    assert "consumed by training face-mobile" in rows and all(value > 0 for value in rows.values())
    with file.open() as stream:
        assert [row["what"] for row in csv.DictReader(stream)] == list(rows)
