"""cunet sweep: train quantizations with the same data, seed and budget, beside the paper's Tables 8 and 9.

Takes the flags of cunet train; each configuration is a run of its own in --workdir. Stop it at any
moment: the same command goes on. OUT/quantization.csv and .md hold what this call's --quants have finished.

Example:
  cunet sweep --data=300w --root=300w --test_split=helen/testset --preset=face-mobile --epochs=30 --workdir=runs/sweep
  cunet sweep --data=synthetic --split=0:400 --test_split=1:100 --preset=face-mobile --epochs=2 --workdir=runs/s \\
      --quants="float,BW-a,BW-a-QIG(818)" --out=runs/s
"""

from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.commands import train
from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, require_package
from cunet_tf.files.shipped import find_weights
from cunet_tf.flags import command_line, network_config, no_arguments, request_source
from cunet_tf.outputs import claim_pages, page_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.rows import table
from cunet_tf.trainers.study.jobs import Job, run_jobs
from cunet_tf.trainers.study.sweep import make_jobs, parse_quants, same_settings
from cunet_tf.writing import replace_text

QUANTS = "float,BW,BW-a,TW,TW-a,BW-QIG(616),BW-QIG(818),BW-a-QIG(818),TW-QIG(626),TW-QIG(828)"
NOT_HERE = ("quant", "resume", "patience", "skeleton")  # of train: set by the sweep, or against an equal budget
OWN = ("quants", "test_split", "out", "name")
DATA_FLAGS = ("data", "root", "allow_missing", "box", "max_megapixels", "allow_outside")
ANY = ("root", "max_megapixels", "allow_outside")  # may differ from call to call: the results are the same


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    train.define(values)
    for name in NOT_HERE:
        delattr(values, name)
    values["workdir"].help = "Folder of the runs, one folder for each configuration."
    values[
        "init"
    ].help = "Start every configuration, also float, from these weights: a shipped name, a .keras file, a run."
    flags.DEFINE_string("quants", QUANTS, "Quantizations by the paper's names, with commas.", flag_values=values)
    flags.DEFINE_string("test_split", "test", "Part of the data set for the table.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder for the tables.", flag_values=values)
    flags.DEFINE_string("name", "quantization", "NAME.csv and NAME.md are written.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    no_arguments(rest)
    require_package("keras")  # in the processes that train
    test = check_flags(values)
    jobs = sweep_jobs(values, test)
    same_settings(Path(values.workdir), {name: values[name].value for name in train_flags(values) if name not in ANY})
    rows: list[dict[str, Any]] = []

    def after() -> None:
        rows[:] = write_tables(values, jobs)

    trained, failed = run_jobs(jobs, "sweep", after)
    tables = table_files(values) if rows else []
    return {"workdir": values.workdir, "tables": tables, "trained": trained, "failed": failed, "rows": rows,
            "ok": not failed}  # fmt: skip


def sweep_jobs(values: flags.FlagValues, test: Source) -> list[Job]:
    """A job for each of ``--quants``: the flags of train that the user gave, and the configuration."""
    given = tuple(values[name].serialize() for name in train_flags(values) if values[name].present)
    data = (values[name].serialize() for name in DATA_FLAGS if values[name].present)
    evaluate = (*data, f"--split={values.test_split}")
    plain = Job("", Path(values.workdir), given, evaluate, test.split, test.box)
    return make_jobs(parse_quants(values.quants), plain)


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
    claim_pages(values.out, [values.name], "--out or --name")
    if values.init:
        find_weights(values.init)
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


def table_files(values: flags.FlagValues) -> list[str]:
    """The CSV file and the Markdown file."""
    return [str(Path(values.out) / f"{values.name}.{end}") for end in ("csv", "md")]


def write_tables(values: flags.FlagValues, jobs: list[Job]) -> list[dict[str, Any]]:
    """Write both tables anew from the configurations that are finished; returns the rows."""
    from cunet_tf.trainers.study.sweep_markdown import to_markdown
    from cunet_tf.trainers.study.sweep_table import make_row, to_csv

    done = [(job.config(), job.evaluation()) for job in jobs]
    rows = [make_row(config, evaluation) for config, evaluation in done if evaluation]
    if rows:
        csv_file, markdown_file = map(Path, table_files(values))
        command = command_line("sweep", values, (*train_flags(values), "workdir", *OWN))
        replace_text(csv_file, to_csv(rows))
        replace_text(markdown_file, page_text(to_markdown(rows, command, values.name)))
    return rows


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    rows: list[tuple] = [("configuration", "metric", "error [%]", "ideal bytes", "balance index")]
    for row in result["rows"]:
        error, index = ("-" if value is None else f"{value:.4g}" for value in (row["error"], row["balance_index"]))
        rows.append((row["quant"], row["metric"], error, row["ideal_bytes"], index))
    failed = [f"FAILED {name}: {text}" for name, text in result["failed"].items()]
    return "\n".join([table(rows), "", *failed, f"tables: {', '.join(result['tables']) or 'none'}"])
