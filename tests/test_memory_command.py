import csv
import json
from pathlib import Path

import pytest

from cunet_tf.cli import main
from cunet_tf.commands import memory as command
from cunet_tf.commands.memory import with_ratios
from cunet_tf.errors import CUNetError
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.rows import read_csv
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


# The command with measures that cost nothing ------------------------------------------------


@pytest.fixture
def measured(monkeypatch):
    """Each U-Net keeps 100 bytes, a tenth of it in other modes than ``none``; nothing fits beyond so many U-Nets."""
    calls, most = [], [99]

    def measure(config, modes, batch_size, steps, quant):
        calls.append((config.stacks, [str(mode) for mode in modes], batch_size, steps, str(quant)))
        if config.stacks > most[0]:
            raise CUNetError("measuring failed")
        kept = [10**8 * config.stacks * batch_size // (1 if str(mode) == "none" else 10) for mode in modes]
        peak = {} if steps == 0 else {"variable_bytes": 0, "step_seconds": 2.0, "processor_seconds": 1.0}
        return [{"stacks": config.stacks, "batch_size": batch_size, "memory": str(mode), "kept_bytes": each,
                 **peak, **({"peak_over_idle": 2 * each} if peak else {})}
                for mode, each in zip(modes, kept, strict=True)]  # fmt: skip

    monkeypatch.setattr("cunet_tf.trainers.study.memory.process.measure", measure)
    return calls, most


def test_networks_are_measured_in_turn_with_the_preset_and_its_bits(measured, capsys):
    calls, _ = measured
    assert main([*FLAGS, "--modes=none,both", "--unets=1,3", "--batch_size=4", "--steps=2", "--quant=BW"]) == 0
    assert calls == [(1, ["none", "both"], 4, 2, "BW"), (3, ["none", "both"], 4, 2, "BW")]
    captured = capsys.readouterr()
    assert (
        "3 U-Nets, batch size 4: none, both ..." in captured.err and "both: kept 120.0 MB, peak 240 MB" in captured.err
    )
    (line,) = [line.split() for line in captured.out.splitlines() if line.startswith("3") and "both" in line]
    assert line == ["3", "4", "both", "120.0", "0.100", "240.0", "0.100", "2.00", "1.000", "1.00", "1.000"]


def test_counts_alone_leave_times_and_peaks_open(measured, tmp_path, capsys):
    assert main([*FLAGS, "--modes=none", "--steps=0", f"--csv={tmp_path / 'm.csv'}"]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].split()[-6:] == ["-"] * 6 and "peak" not in captured.err
    (row,) = read_csv(tmp_path / "m.csv")
    assert row["kept_ratio"] == "1" and "peak_ratio" not in row


def test_what_is_measured_stays_where_a_larger_network_does_not_fit(measured, tmp_path, capsys):
    measured[1][0] = 2
    assert main([*FLAGS, "--modes=none", "--unets=1,2,4", f"--csv={tmp_path / 'm.csv'}"]) == 2
    assert "measuring failed" in capsys.readouterr().err
    assert [row["stacks"] for row in read_csv(tmp_path / "m.csv")] == ["1", "2"]


def test_a_budget_is_filled_and_its_points_are_kept(measured, tmp_path, capsys):
    """200 MB of peak for each U-Net and picture."""
    csv_file = tmp_path / "fits.csv"
    flags = [*FLAGS, "--stacks=2", "--modes=none,both", "--budget_gb=2", "--batch_size=2", f"--csv={csv_file}"]
    assert main([*flags, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [(each["memory"], each["deepest"], each["largest_batch"]) for each in result["fits"]] == [
        ("none", 5, 5), ("both", 50, 50)]  # fmt: skip
    assert len(result["rows"]) == 8 and list(read_csv(csv_file)[0])[:3] == ["budget_gb", "memory", "batch_size"]
    assert main(flags) == 0  # over its own file
    assert "none: 2 GB hold 5 U-Nets at batch size 2, and batches of 5 with 2 U-Nets" in capsys.readouterr().out
    assert main([*FLAGS, "--modes=none", f"--csv={csv_file}"]) == 2  # a table of another form is not replaced
    assert "fits.csv exists and was not written by cunet" in capsys.readouterr().err


def test_the_picture_has_a_line_for_each_mode_and_a_panel_for_what_is_known(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr("cunet_tf.figures.plot_panels", lambda *arguments: drawn.append(arguments))
    rows = [{"stacks": n, "memory": mode, "kept_bytes": n * 10**6} for n in (1, 2) for mode in ("none", "both")]
    command.plot([*rows, {**rows[0], "stacks": 4, "peak_over_idle": 5 * 10**6}], tmp_path / "new" / "m.png")
    ((panels, axis, path),) = drawn
    assert axis == "U-Nets" and path.parent.is_dir()
    assert panels == {
        "kept for backward [MB]": {"none": [(1, 1.0), (2, 2.0), (4, 1.0)], "both": [(1, 1.0), (2, 2.0)]},
        "peak over idle process [MB]": {"none": [(4, 5.0)]},
    }


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
        (["stray"], "unexpected argument 'stray'"),
        (["--quant=XW"], "XW"),
        (["--unets=two"], "--unets=two: give numbers from 1 on"),
        (["--unets=1,-2"], "--unets=1,-2: give numbers"),
        (["--budget_gb=1", "--plot=x.png"], "leave out --unets and --plot"),
        (["--plot={}"], "is a folder, and a file of this name would be written: choose another --plot"),
        (["--steps=-1"], "--steps"),
    ],
)
def test_bad_flags_stop_before_anything_is_measured(measured, flags, words, tmp_path, capsys):
    assert main(["memory", *(flag.format(tmp_path) for flag in flags)]) == 2
    assert words in capsys.readouterr().err and measured[0] == [] and not list(tmp_path.iterdir())
