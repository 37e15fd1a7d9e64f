"""cunet sweep: train quantizations with the same data, seed and budget, beside the paper's Tables 8 and 9.

Takes the flags of cunet train; each configuration is a run of its own in --workdir. Stop it at any
moment: the same command goes on. OUT/quantization.csv and .md hold what this call's --quants have finished.

Example:
  cunet sweep --data=300w --root=300w --test_split=helen/testset --preset=face-mobile --epochs=30 --workdir=runs/sweep
  cunet sweep --data=synthetic --split=0:400 --test_split=1:100 --preset=face-mobile --epochs=2 --workdir=runs/s \\
      --quants="float,BW-a,BW-a-QIG(818)" --out=runs/s
"""

import shlex
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands import train
from cunet_tf.commands.common import network_config, no_arguments, request_source, table
from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, preset
from trainers.sweep import Job, make_jobs, parse_quants, same_settings, shown_path
from trainers.sweep_process import run_verb, signals_interrupt

QUANTS = "float,BW,BW-a,TW,TW-a,BW-QIG(616),BW-QIG(818),BW-a-QIG(818),TW-QIG(626),TW-QIG(828)"
NOT_HERE = ("quant", "resume", "patience")  # of train: set by the sweep, or against an equal budget
OWN = ("quants", "test_split", "out", "name")
DATA_FLAGS = ("data", "root", "allow_missing", "box")
PATHS = ("root", "workdir", "init", "out")


def define(values: flags.FlagValues) -> None:
    train.define(values)
    for name in NOT_HERE:
        delattr(values, name)
    values["workdir"].help = "Folder of the runs, one folder for each configuration."
    values["init"].help = "Start every configuration, also float, from the weights of this .keras file."
    flags.DEFINE_string("quants", QUANTS, "Quantizations by the paper's names, with commas.", flag_values=values)
    flags.DEFINE_string("test_split", "test", "Part of the data set for the table.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder for the tables.", flag_values=values)
    flags.DEFINE_string("name", "quantization", "NAME.csv and NAME.md are written.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    no_arguments(rest)
    jobs = make_jobs(parse_quants(values.quants), values.workdir or "")
    test = check_flags(values)
    same_settings(Path(values.workdir), {name: values[name].value for name in train_flags(values) if name != "root"})
    trained: list[str] = []
    failed: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    start = time.monotonic()
    with signals_interrupt():
        for index, job in enumerate(jobs):
            say = _teller(f"[{index + 1}/{len(jobs)}] {job.name}", start)
            try:
                trained += finish(values, job, test, say)
            except CUNetError as error:
                failed[job.name] = str(error)
                print(f"cunet sweep: error: {job.name}: {error}", file=sys.stderr)
            except KeyboardInterrupt:
                print("notice: finished epochs are kept, the same command goes on from here.", file=sys.stderr)
                raise
            rows = write_tables(values, jobs, test)
    tables = table_files(values) if rows else []
    return {"workdir": values.workdir, "tables": tables, "trained": trained, "failed": failed, "rows": rows,
            "ok": not failed}  # fmt: skip


def finish(values: flags.FlagValues, job: Job, test: Source, say: Callable[[str], None]) -> list[str]:
    """Train and evaluate a configuration where that is not done yet; returns its name if it was trained.

    Raises:
        CUNetError: a process failed; the message names its log.
    """
    trained = []
    if not job.trained():
        say(f"training, see {job.log}")
        run_verb("train", train_arguments(values, job), job.log)
        job.mark_trained()
        trained.append(job.name)
    if not job.evaluation(test.split, test.box):
        say(f"evaluating on {test.split}")
        run_verb("evaluate", evaluate_arguments(values, job), job.log)
    if not job.evaluation(test.split, test.box):
        raise CUNetError(f"{job.folder} holds another run: remove it, or use another --workdir.")
    say("finished")
    return trained


def check_flags(values: flags.FlagValues) -> Source:
    """Refuse what would fail after hours; returns the data to test on.

    Raises:
        CUNetError: a flag is missing or wrong, or the data of either split.
    """
    if not values.workdir:
        raise CUNetError("name the folder of the runs with --workdir.")
    if not values.preset:
        raise CUNetError(f"name a --preset: {', '.join(PRESETS)}.")
    if Path(values.name).name != values.name:
        raise CUNetError(f"--name={values.name}: give a file name without ending or folder; the folder is --out.")
    if values.init and not Path(values.init).is_file():
        raise CUNetError(f"--init={values.init}: no such model file.")
    config = network_config(values)
    for quant in parse_quants(values.quants):
        quant.require(config)
    skeleton = preset(values.preset).skeleton
    request_source(values, skeleton)
    test = request_source(values, skeleton, values.test_split)
    if not len(test) or hidden_labels(test):
        raise CUNetError(f"--test_split={values.test_split}: no sample is annotated: choose another split.")
    return test


def train_flags(values: flags.FlagValues) -> list[str]:
    """Names of the flags that are train's."""
    probe = flags.FlagValues()
    train.define(probe)
    return [name for name in probe if name in values and name != "workdir"]


def train_arguments(values: flags.FlagValues, job: Job) -> list[str]:
    """What ``cunet train`` gets: the flags that the user gave, and the configuration."""
    given = [name for name in train_flags(values) if values[name].present]
    return [*(values[name].serialize() for name in given), f"--quant={job.name}", f"--workdir={job.folder}", "--resume"]


def evaluate_arguments(values: flags.FlagValues, job: Job) -> list[str]:
    """What ``cunet evaluate`` gets; evaluation.json lands in the folder of the run."""
    given = [values[name].serialize() for name in DATA_FLAGS if values[name].present]
    return [*given, f"--split={values.test_split}", f"--model={job.best}", f"--out={job.folder}"]


def table_files(values: flags.FlagValues) -> list[str]:
    """The CSV file and the Markdown file."""
    return [str(Path(values.out) / f"{values.name}.{end}") for end in ("csv", "md")]


def write_tables(values: flags.FlagValues, jobs: list[Job], test: Source) -> list[dict[str, Any]]:
    """Write both tables anew from the configurations that are finished; returns the rows."""
    from trainers.sweep_markdown import to_markdown
    from trainers.sweep_table import make_row, replace_text, to_csv

    done = [(job.config(), job.evaluation(test.split, test.box)) for job in jobs]
    rows = [make_row(config, evaluation) for config, evaluation in done if evaluation]
    if rows:
        csv_file, markdown_file = map(Path, table_files(values))
        replace_text(csv_file, to_csv(rows))
        replace_text(markdown_file, to_markdown(rows, _command(values), values.name))
    return rows


def _command(values: flags.FlagValues) -> str:
    """The call, for the head of the table; of absolute paths only the last part."""
    parts = ["cunet", "sweep"]
    for name in dict.fromkeys((*train_flags(values), "workdir", *OWN)):
        if values[name].present:
            parts.append(f"--{name}={shown_path(values[name].value)}" if name in PATHS else values[name].serialize())
    return shlex.join(parts)


def _teller(label: str, start: float) -> Callable[[str], None]:
    def say(text: str) -> None:
        print(f"{label}: {text} (elapsed {timedelta(seconds=round(time.monotonic() - start))})", flush=True)

    return say


def describe(result: dict[str, Any]) -> str:
    rows: list[tuple] = [("configuration", "metric", "error [%]", "ideal bytes", "balance index")]
    for row in result["rows"]:
        error, index = ("-" if value is None else f"{value:.4g}" for value in (row["error"], row["balance_index"]))
        rows.append((row["quant"], row["metric"], error, row["ideal_bytes"], index))
    failed = [f"FAILED {name}: {text}" for name, text in result["failed"].items()]
    return "\n".join([table(rows), "", *failed, f"tables: {', '.join(result['tables']) or 'none'}"])
