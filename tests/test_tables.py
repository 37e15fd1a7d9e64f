"""The real command: counts in seconds, one tiny network really trained, finished runs recognised."""

import json
import shutil

import pytest
from absl import flags

from cunet_tf.cli import main
from cunet_tf.commands import tables
from cunet_tf.rows import read_csv
from cunet_tf.trainers.study import jobs
from tests.fake_runs import finish, verb_in_process
from tests.networks import run_eagerly

SCALE = ["--stacks=4", "--main_channels=8", "--growth=4", "--input_size=64"]
DATA = ["--data=synthetic", "--split=5:36", "--test_split=9:8"]
BUDGET = ["--budget=1x36", "--batch_size=8", "--seeds=0"]


def protocol(*arguments):
    values = flags.FlagValues()
    tables.define(values)
    values(["tables", *arguments])
    return tables.make_protocol(values)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Table 3: three runs are there already, the dense U-Net is trained."""
    folder = tmp_path_factory.mktemp("tables")
    arguments = [*DATA, *BUDGET, *SCALE, f"--workdir={folder / 'runs'}", f"--out={folder / 'out'}"]
    for name, nme in (("cunet", 5.0), ("hourglass", 6.0), ("dense-unet-wide", 4.0)):
        finish(protocol(*arguments).job(name, 0), nme)
    with pytest.MonkeyPatch.context() as patch, run_eagerly():
        patch.setattr(jobs, "run_verb", verb_in_process)
        assert main(["tables", "--table=3", *arguments]) == 0
    return folder, arguments


def test_missing_run_is_trained_and_stands_in_the_table(made):
    folder, _ = made
    assert {"best.keras", "evaluation.json"} <= {file.name for file in (folder / "runs/dense-unet-s0").iterdir()}
    assert (folder / "runs/dense-unet-s0.log").exists() and not (folder / "runs/cunet-s0.log").exists()
    rows = {row["network"]: row for row in read_csv(folder / "out/table_03.csv")}
    assert rows["ours: cunet"]["seed_0"] == "5" and float(rows["ours: dense-unet"]["mean"]) > 6.0
    assert rows["pose-8"]["conv_parameters"] == "7907712" and rows["pose-8"]["paper_pckh"] == "89.5"
    text = (folder / "out/table_03.md").read_text()
    assert "`cunet tables --table=3 --data=synthetic" in text and str(folder) not in text
    assert "36 pictures of synthetic 5:36" in text and "| cunet, hourglass |" in text and "holds, one seed" in text
    assert "[Table 3](table_03.md)" in (folder / "out/tables.md").read_text()


def test_second_call_trains_nothing_also_where_a_folder_is_lost(made, capsys):
    folder, arguments = made
    shutil.rmtree(folder / "runs/dense-unet-s0")
    before = (folder / "out/table_03.csv").read_text()
    assert main(["tables", "--table=3", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["trained"] == [] and result["missing"] == [] and "dense-unet-s0" not in captured.err
    assert [row["run"] for row in read_csv(folder / "out/runs.csv")][-1] == "dense-unet-s0"
    assert (folder / "out/table_03.csv").read_text() == before


def test_only_finished_needs_no_data_and_says_what_is_left_out(made, capsys):
    folder, arguments = made
    rest = [argument for argument in arguments if not argument.startswith(("--data", "--split", "--budget"))]
    assert main(["tables", "--table=3", "--only_finished", "--budget=2x36", *rest]) == 0
    captured = capsys.readouterr()
    assert "not finished, left out: cunet-s0" in captured.out
    assert "holds another run, left out: epochs is 1, not 2" in captured.err
    assert "not trained in this protocol: cunet" in (folder / "out/table_03.md").read_text()


def test_tables_without_training(tmp_path, capsys):
    keys = "claims,1,2,4,5,6,7,8,9,10,11,12,13,14,fig8,fig9,fig10"
    assert main(["tables", f"--table={keys}", "--noaccuracy", "--notime", f"--out={tmp_path}"]) == 0
    assert "cunet memory" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*.csv"))) == 16 and len(list(tmp_path.glob("*.md"))) == 17
    row = read_csv(tmp_path / "table_05.csv")[-2]
    assert row["network"] == "ratio hourglass-8 : pose-8" and row["conv_parameters"] == "3.193"


def test_times_are_measured_once_for_both_tables(tmp_path, monkeypatch):
    calls = []

    def measure(specs, rounds, machine):
        calls.append([spec.name for spec in specs])
        row = {"round": 0, "milliseconds": 2.0, "cpu_milliseconds": 3.0, "threads": 1, "input_size": 256,
               "machine": machine, "load": 1.0}  # fmt: skip
        return [{**row, "network": name, "engine": engine} for name in calls[-1] for engine in ("keras", "tflite")]

    monkeypatch.setattr(tables.speed, "measure", measure)
    assert main(["tables", "--table=5,11", "--machine=two cores", f"--out={tmp_path}"]) == 0
    assert len(calls) == 1 and len(calls[0]) == 6
    for name in ("table_05", "table_11"):
        assert "Machine: two cores, load average 1.0" in (tmp_path / f"{name}.md").read_text()
        assert {"2"} <= {row["keras_ms"] for row in read_csv(tmp_path / f"{name}.csv")}


@pytest.mark.parametrize(
    "options, words",
    [
        (["--table=15"], "--table=15: use claims, 1"),
        (["--table=3"], "name a data set with --data, or use --only_finished or --noaccuracy"),
        (["--table=3", *DATA, "--budget=1x37"], "synthetic 5:36 has only 36 pictures"),
        (["--table=3", *DATA, "--budget=8"], "EPOCHSxIMAGES"),
        (["--table=3", *DATA, "--budget=1x36", "--test_split=x"], "SEED:COUNT"),
        (["--table=3", *DATA, "--stacks=2"], "--stacks=2"),
        (["--table=3", *DATA, "--seeds=0,0"], "different whole numbers"),
        (["--table=5", "--notime", "x"], "unexpected argument"),
    ],
)
def test_bad_options_stop_before_any_training(options, words, tmp_path, capsys):
    assert main(["tables", f"--workdir={tmp_path / 'w'}", f"--out={tmp_path / 'out'}", *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "w").exists() and not (tmp_path / "out").exists()
