"""The real command: counts in seconds, one tiny network really trained, finished runs recognised."""

import dataclasses
import json
import shutil

import pytest
from absl import flags

from cunet_tf.cli import main
from cunet_tf.commands import tables
from cunet_tf.data.sources import USUAL_BOX
from cunet_tf.errors import CUNetError
from cunet_tf.rows import read_csv
from cunet_tf.trainers.study import jobs
from cunet_tf.trainers.study.tables.networks import Scale
from cunet_tf.trainers.study.tables.records import COLUMNS, Records
from tests.fake_runs import finish, results_of, verb_in_process
from tests.fake_runs import protocol as fake_protocol
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


# Small functions of the command -------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["table_03.md", "table_03.csv", "table_03.png", "tables.md", "latency.csv", "runs.csv"]
)
def test_files_of_somebody_elses_are_not_replaced(name, tmp_path, capsys):
    (tmp_path / name).write_text("mine,yours\n")
    assert main(["tables", "--table=3", "--only_finished", f"--out={tmp_path}", f"--workdir={tmp_path / 'w'}"]) == 2
    assert f"{name} exists and was not written by cunet: move it, or choose another --out" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "mine,yours\n"


def test_files_of_an_earlier_call_and_of_other_tables_do_not_matter(tmp_path):
    (tmp_path / "runs.csv").write_text(",".join(COLUMNS) + "\n")
    (tmp_path / "table_04.md").write_text("mine")
    tables.claim_outputs(tmp_path, ["3"])
    with pytest.raises(CUNetError, match="table_04.md exists"):
        tables.claim_outputs(tmp_path, ["3", "4"])


def test_data_flags_go_on_to_the_runs_only_where_they_were_given():
    assert protocol("--data=300w", "--root=here", "--allow_missing").data_flags == (
        "--data=300w", "--root=here", "--allow_missing")  # fmt: skip
    found = protocol("--data=lspet", "--seeds=3,1", "--budget=2x50", "--growth=8")
    assert (found.data_flags, found.seeds, found.epochs, found.images) == (("--data=lspet",), (3, 1), 2, 50)
    assert found.scale.growth == 8 and found.scale.stacks == Scale().stacks
    assert protocol("--data=300w", "--box=given").box == "given"
    assert protocol("--data=mpii").box == USUAL_BOX["mpii"] and protocol().box == "tight"


@pytest.mark.parametrize(
    "option", ["--seeds=", "--seeds=one", "--seeds=-1", "--budget=0x5", "--budget=3x", "--batch_size=0"]
)
def test_a_budget_that_trains_nothing_is_refused(option, tmp_path, capsys):
    assert main(["tables", "--table=3", "--only_finished", f"--out={tmp_path / 'out'}", option]) == 2
    assert option.split("=")[0] in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_table_says_which_runs_it_lacks_each_once(tmp_path):
    plan = fake_protocol(tmp_path / "runs", seeds=(0,))
    finish(plan.job("cunet", 0), 5.0)
    found = results_of(plan, tmp_path / "out")
    (text,) = tables.not_run(["cunet", "hourglass", "dense-unet", "hourglass"], found)
    assert text == "Cells are empty where a network was not trained in this protocol: hourglass, dense-unet."
    assert tables.not_run(["cunet"], found) == [] and tables.not_run(["hourglass"], None) == []


def test_a_folder_of_another_run_is_told_and_a_missing_one_is_not(tmp_path, capsys):
    plan = fake_protocol(tmp_path / "runs", seeds=(0,))
    jobs = [plan.job(name, 0) for name in ("cunet", "hourglass", "dense-unet")]
    finish(jobs[0], 5.0)
    finish(fake_protocol(tmp_path / "runs", epochs=3, seeds=(0,)).job("hourglass", 0), 5.0)
    records = Records(tmp_path)
    records.keep(jobs)
    assert tables.missing_runs(jobs, records) == ["hourglass-s0", "dense-unet-s0"]
    error = capsys.readouterr().err
    assert error.count("notice") == 1 and "hourglass-s0 holds another run, left out: epochs is 3, not 2" in error


def test_the_text_names_failed_and_missing_runs_before_the_tables():
    result = {"failed": {"a-s0": "see a.log"}, "missing": ["a-s0", "b-s0"], "tables": ["t.md", "t.csv"]}
    assert tables.describe(result).splitlines() == [
        "FAILED a-s0: see a.log", "not finished, left out: a-s0, b-s0", "tables: t.md, t.csv"]  # fmt: skip
    assert tables.describe({"failed": {}, "missing": [], "tables": []}) == "tables: none"


def test_test_pictures_without_labels_are_refused_before_any_training(tmp_path, monkeypatch, capsys):
    real = tables.request_source

    def hidden(values, skeleton, split=None):
        source = real(values, skeleton, split)
        samples = [dataclasses.replace(sample, mask=0 * sample.mask) for sample in source]
        return dataclasses.replace(source, samples=samples) if split else source

    monkeypatch.setattr(tables, "request_source", hidden)
    options = [*DATA, *BUDGET, *SCALE, f"--workdir={tmp_path / 'w'}", f"--out={tmp_path / 'out'}"]
    assert main(["tables", "--table=3", *options]) == 2
    assert "--test_split=9:8: no sample is annotated: choose another split" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
