import csv
import json
from pathlib import Path

import pytest

from cunet_tf.cli import main
from cunet_tf.commands.memory import with_ratios
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.trainers.study.memory.process import measure
from tests.networks import TINY

DOCS = Path(__file__).parents[1] / "docs"
FLAGS = ["memory", "--preset=face-mobile", "--main_channels=8", "--growth=4", "--input_size=64", "--levels=1"]


@pytest.mark.slow  # a training step in each of several processes
def test_steps_in_processes_of_their_own(tmp_path, capsys):
    files = [f"--csv={tmp_path / 'a' / 'm.csv'}", f"--plot={tmp_path / 'm.png'}"]
    assert main([*FLAGS, "--modes=none,both", "--unets=1", "--steps=1", "--json", *files]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["stacks"], row["memory"]) for row in rows] == [(1, "none"), (1, "both")]
    plain, both = rows
    assert plain["kept_ratio"] == 1 and both["kept_ratio"] < 0.3
    assert plain["loss"] == pytest.approx(both["loss"], rel=1e-3)
    for row in rows:
        assert row["peak_bytes"] - row["idle_bytes"] == row["peak_over_idle"] > 0 and row["step_seconds"] > 0
    with (tmp_path / "a" / "m.csv").open() as file:
        assert [row["memory"] for row in csv.DictReader(file)] == ["none", "both"]
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow  # counts several networks; counting has tests of its own
def test_counting_alone_and_its_table(capsys):
    assert main([*FLAGS, "--modes=recompute", "--steps=0"]) == 0
    out = capsys.readouterr().out
    assert "recompute" in out and "kept [MB]" in out


def test_a_child_that_fails_is_quoted(tmp_path, monkeypatch):
    shell = tmp_path / "python"
    shell.write_text("#!/bin/sh\necho first >&2\necho 'the last line' >&2\nexit 1\n")
    shell.chmod(0o755)
    monkeypatch.setattr("cunet_tf.trainers.study.memory.process.sys.executable", str(shell))
    with pytest.raises(CUNetError, match="measuring 2 U-Nets, memory none, batch size 2 failed: the last line$"):
        measure(TINY, [MemoryConfig()], 2, steps=0)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--preset=hourglass-4"], "only a CU-Net saves memory"),
        (["--modes=none,al"], "unknown memory mode 'al'"),
        (["--modes="], "--modes"),
        (["--unets=0,2"], "give numbers from 1 on"),
        (["--budget_gb=1", "--steps=0"], "--budget_gb needs measured steps"),
        (["--budget_gb=1", "--unets=2"], "chooses its own numbers"),
        (["--refinement=4", "--batch_size=3"], "give an even one"),
    ],
)
def test_bad_flags(flags, words, capsys):
    assert main(["memory", *flags]) == 2
    assert words in capsys.readouterr().err


def test_ratios_are_to_the_first_mode_of_the_same_network():
    rows = [{"stacks": n, "batch_size": 2, "memory": mode, "kept_bytes": n * kept}
            for n in (1, 2) for mode, kept in (("none", 100), ("both", 8))]  # fmt: skip
    assert [row["kept_ratio"] for row in with_ratios(rows, "none")] == [1.0, 0.08, 1.0, 0.08]


@pytest.mark.parametrize("name", ["memory", "memory_quantized"])
def test_the_page_shows_the_measured_table(name):
    page = (DOCS / "memory.md").read_text()
    with (DOCS / f"results/{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        kept, ratio, peak = float(row["kept_bytes"]) / 1e6, float(row["kept_ratio"]), float(row["peak_ratio"])
        assert f"| {row['stacks']} | {row['memory']} | {kept:,.1f} | {ratio:.3f} |" in page
        assert f"| {peak:.3f} |" in page
