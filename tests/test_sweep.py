"""The real command: two small networks on drawn faces, stopped, failing, and called again.

Only the tests of stopping and failing start processes.
"""

import csv
import json
import signal
import subprocess
import sys
import time

import pytest
from absl import flags

from cunet_tf.cli import main
from cunet_tf.commands.sweep import QUANTS, define, sweep_jobs
from cunet_tf.data.sample import Source
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study import jobs
from cunet_tf.trainers.study.paper import TABLE_8
from cunet_tf.trainers.study.sweep import folder_name, parse_quants
from tests.conftest import TINY_FLAGS
from tests.fake_runs import verb_in_process
from tests.networks import run_eagerly

FLAGS = ["sweep", "--data=synthetic", "--split=5:36", "--test_split=9:8", *TINY_FLAGS, "--stacks=1",
         "--batch_size=8", "--epochs=1", "--val_share=0.06"]  # fmt: skip
TWO = "--quants=float,BW-a-QIG(818)"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A finished sweep of two configurations."""
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch, run_eagerly():
        patch.setattr(jobs, "run_verb", verb_in_process)
        assert main([*FLAGS, TWO, f"--workdir={folder / 'runs'}", f"--out={folder / 'out'}"]) == 0
    return folder


def again(swept, *options):
    return main([*FLAGS, f"--workdir={swept / 'runs'}", f"--out={swept / 'out'}", *options])


def read(file):
    with file.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_runs_and_tables_are_complete(swept):
    names = {path.name for path in (swept / "runs").iterdir()}
    assert names == {"float", "float.log", "BW-a-QIG_818", "BW-a-QIG_818.log", "sweep.json"}
    assert {"best.keras", "history.csv", "evaluation.json"} <= {path.name for path in (swept / "runs/float").iterdir()}
    rows = read(swept / "out" / "quantization.csv")
    assert [row["quant"] for row in rows] == ["float", "BW-a-QIG(818)"]
    for row in rows:
        assert (row["data"], row["split"], row["test_split"], row["images"]) == ("synthetic", "5:36", "9:8", "8")
        assert (row["epochs"], row["seed"], row["metric"], row["box"]) == ("1", "0", "NME", "tight")
        assert float(row["error"]) > 0 and float(row["balance_index"]) > 0
    assert (rows[1]["weight_bits"], rows[1]["feature_bits"], rows[1]["gradient_bits"]) == ("1", "8", "8")
    assert int(rows[1]["ideal_bytes"]) < int(rows[0]["ideal_bytes"])
    text = (swept / "out" / "quantization.md").read_text()
    assert "| BW-a-QIG(818) |" in text and "`cunet sweep --" in text and str(swept) not in text


def test_second_call_trains_nothing_and_writes_the_same(swept, capsys):
    history = (swept / "runs/float/history.csv").stat().st_mtime_ns
    before = (swept / "out/quantization.csv").read_text()
    assert again(swept, TWO, "--name=second", "--json") == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["trained"] == [] and result["failed"] == {} and len(result["rows"]) == 2
    assert "[2/2] BW-a-QIG(818): finished" in captured.err and "training" not in captured.err
    assert (swept / "runs/float/history.csv").stat().st_mtime_ns == history
    assert (swept / "out/second.csv").read_text() == before


def test_other_settings_in_the_same_folder_are_refused(swept, capsys):
    assert again(swept, TWO, "--seed=3") == 2
    assert "--seed was 0 in" in capsys.readouterr().err


def test_failing_configuration_is_named_and_the_others_go_on(swept, capsys):
    """In place of the folder of BW there is a file."""
    (swept / "runs" / "BW").write_text("in the way")
    try:
        assert again(swept, "--quants=BW,float", "--name=failing") == 1
    finally:
        (swept / "runs" / "BW").unlink()
    captured = capsys.readouterr()
    (line,) = [line for line in captured.err.splitlines() if "error" in line]
    assert line.startswith("cunet sweep: error: BW: cunet train ended with code") and line.endswith("BW.log.")
    assert "FAILED BW" in captured.out
    assert [row["quant"] for row in read(swept / "out/failing.csv")] == ["float"]


def test_stop_is_one_line_and_says_that_the_same_command_goes_on(tmp_path):
    command = [sys.executable, "-m", "cunet_tf", *FLAGS, "--quants=BW", f"--workdir={tmp_path}", f"--out={tmp_path}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while not (tmp_path / "BW.log").exists():
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "goes on from here" in error and "Traceback" not in error
    assert not (tmp_path / "quantization.csv").exists()


def test_every_configuration_starts_from_the_same_weights(tmp_path):
    values = flags.FlagValues()
    define(values)
    values([*FLAGS, "--init=f.keras", "--noallow_missing", "--watch=4", "--quants=float,BW", f"--workdir={tmp_path}"])
    own, other = sweep_jobs(values, Source("synthetic", "9:8", FACE68, []))
    assert "--init=f.keras" in other.train and "--init=f.keras" in own.train
    assert {"--watch=4", "--split=5:36", "--noallow_missing", "--quant=BW"} <= set(other.train)
    assert other.folder == tmp_path / "BW" and other.expects == {"spec": {"quant": "BW"}}
    assert not any("test_split" in flag or "workdir" in flag for flag in other.train)
    assert other.evaluate == ("--data=synthetic", "--noallow_missing", "--split=9:8") and other.split == "9:8"


@pytest.mark.parametrize(
    "options, words",
    [
        (["--quants=BW,BX"], "quantization 'BX' is unknown"),
        (["--quants=BW,,TW"], "a name is empty"),
        (["--quants=BW-QIG(818),BW-QFG(8,1,8)"], "are the same"),
        (["--quants=BW-QIG(828)"], "weights of BW have 1 bits"),
        (["--quant=BW"], "quants"),
        (["--init=nowhere.keras"], "nowhere.keras: no such model file"),
        (["--test_split=nonsense"], "SEED:COUNT"),
        (["--name=a/b"], "--name=a/b"),
        (["--workdir="], "--workdir"),
        (["--preset=face-mobil"], "Did you mean 'face-mobile'?"),
    ],
)
def test_bad_options_stop_before_any_training(options, words, tmp_path, capsys):
    assert main([*FLAGS, f"--workdir={tmp_path / 'w'}", f"--out={tmp_path}", *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "w").exists()


def test_commas_inside_parentheses_belong_to_the_name():
    names = [str(quant) for quant in parse_quants("float, BW-QIG(8,1,32),TW-QFG(6,2,6)+narrow,BW")]
    assert names == ["float", "BW-QIG(8,1,32)", "TW-QIG(626)+narrow", "BW"]


def test_default_is_table_8_and_ternary_with_alpha():
    names = [str(quant) for quant in parse_quants(QUANTS)]
    assert set(names) == {*TABLE_8, "TW-a"} and names[0] == "float"


def test_names_of_folders():
    assert folder_name("BW-a-QIG(8,1,32)+signed=0.5") == "BW-a-QIG_8_1_32_signed=0.5"
