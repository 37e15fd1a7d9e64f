"""Steps of several versions in turn; the processes are replaced here."""

import csv

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study import measure_step


def test_steps_of_versions_take_turns(tmp_path, monkeypatch, capsys):
    times = {"old": 0.4, "new": 0.3, "jax": 0.8}
    monkeypatch.setattr(measure_step, "commit", lambda version: version)
    monkeypatch.setattr(measure_step, "built", lambda version, folder: version)
    monkeypatch.setattr(measure_step, "step", lambda process, steps: times[process.name])
    monkeypatch.setattr(measure_step, "answer", lambda process: "ready")

    class Process:
        def __init__(self, build, backend, arguments):
            self.name = "jax" if backend == "jax" else build
            assert arguments == ["face-mobile", "float", "16", "3"]

        def kill(self):
            pass

    monkeypatch.setattr(measure_step, "started", Process)
    file = tmp_path / "step.csv"
    words = ["", "--versions=old,new", "--backends=tensorflow,jax", "--rounds=2", f"--csv={file}"]
    assert measure_step.main(words) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(row["version"], row["backend"]) for row in rows] == [
        ("old", "tensorflow"),
        ("new", "tensorflow"),
        ("new", "jax"),
    ]
    shares = [float(row["ceiling_share"]) for row in rows]
    assert shares[1] == pytest.approx(shares[0] * 4 / 3, rel=1e-3)
    assert [float(row["ratio"]) for row in rows] == [1.0, 0.75, 2.0]


def test_an_unknown_version_is_named():
    with pytest.raises(CUNetError, match="--versions=no-such-version: "):
        measure_step.commit("no-such-version")


def test_operations_are_those_of_three_passes_but_one_for_the_stem():
    macs = 199.4e6  # `cunet info --preset=face-mobile`: of them 38.5 million of the stem
    assert measure_step.operations("face-mobile", 2) == pytest.approx(2 * 2 * (3 * macs - 38.5e6), rel=2e-3)
