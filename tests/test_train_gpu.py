"""Float, then quantized, under JAX; the processes are replaced here."""

import csv
import json

import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study import train_gpu


def test_a_gpu_trains_twice_and_tells_what_it_took(tmp_path, monkeypatch, capsys):
    calls = []

    def run_process(words, module, capture=False):
        calls.append((module, words))
        if capture:
            return 'noise\n{"pictures_per_second": 100.0, "peak_bytes": 5, "device": "jax: some"}\n'
        folder = tmp_path / ("quantized" if any("quantized" in word for word in words) else "float")
        folder.mkdir()
        (folder / "history.csv").write_text("epoch,val_loss,val_nme\n1,3,9.5\n2,2,7.5\n")
        return ""

    monkeypatch.setattr(train_gpu, "run_process", run_process)
    words = ["", "--preset=face-mobile", f"--workdir={tmp_path}", "--devices=2", "--", "--data=synthetic", "--stacks=1"]
    assert train_gpu.main(words) == 0
    rows = list(csv.DictReader((tmp_path / "gpu.csv").read_text().splitlines()))
    assert [row["memory"] for row in rows[:2]] == ["none", "recompute"] and rows[0]["peak_bytes"] == "5"
    assert [(row["quant"], row["error"]) for row in rows[2:]] == [("float", "7.5"), ("TW-a-QIG(8,2,32)", "7.5")]
    (first, second) = [words for module, words in calls if module == "cunet_tf"]
    assert {"--data=synthetic", "--stacks=1", "--strategy=mirrored", "--devices=2"} <= set(first)
    assert f"--init={tmp_path / 'float'}" in second and "--quant=TW-a-QIG(8,2,32)" in second
    assert json.loads(calls[0][1][1].removeprefix("--part="))["network"] == ["--data=synthetic", "--stacks=1"]
    assert "cunet export --model=best.keras" in capsys.readouterr().out


def test_a_process_that_fails_is_named(tmp_path):
    with pytest.raises(CUNetError, match="cunet_tf nonsense ended with code 2"):
        train_gpu.run_process(["nonsense"], "cunet_tf")
