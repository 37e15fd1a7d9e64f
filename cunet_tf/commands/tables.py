"""cunet tables: the paper's tables and figures beside ours, each as CSV and as a page.

Counts take seconds, --time a few minutes. Accuracy columns train small networks alike on a --budget,
each in a folder of its own in --workdir: stop at any moment, the same command goes on. What a run has
found stays in OUT/runs.csv: it is not trained again, and tables need its folder no more.

Example:
  cunet tables --table=5,11                                            times and parameters
  cunet tables --table=1,2,3 --noaccuracy                              parameters alone
  cunet tables --table=3 --data=300w --root=300w --test_split=helen/testset --seeds=0,1
  cunet tables --data=300w --root=300w --test_split=helen/testset --only_finished --notime
"""

import dataclasses
import sys
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.data.check import hidden_labels
from cunet_tf.data.sources import USUAL_BOX
from cunet_tf.errors import CUNetError
from cunet_tf.flags import command_line, define_data, no_arguments, request_source
from cunet_tf.outputs import begins_with, claim, claim_pages
from cunet_tf.presets import preset
from cunet_tf.rows import write_csv
from cunet_tf.trainers.study.jobs import Job, run_jobs
from cunet_tf.trainers.study.tables import latency, speed
from cunet_tf.trainers.study.tables.catalogue import ELSEWHERE, KINDS, parse_keys, runs_of
from cunet_tf.trainers.study.tables.context import Context, Gallery
from cunet_tf.trainers.study.tables.networks import DETECTION, REGRESSION, Scale
from cunet_tf.trainers.study.tables.page import label_of, stem_of, write_index, write_table
from cunet_tf.trainers.study.tables.protocol import Protocol, parse_budget, parse_seeds
from cunet_tf.trainers.study.tables.records import COLUMNS, FILE, Records
from cunet_tf.trainers.study.tables.results import Results

DATA_FLAGS = ("data", "root", "allow_missing", "box", "max_megapixels", "allow_outside")
SCALE_TEXT = "Of the trained networks: "
SCALE_HELP = {
    "stacks": "N, 4 at least.",
    "main_channels": "m.",
    "growth": "n.",
    "refinement": "g, new channels between two passes.",
    "input_size": "side of the input in pixels.",
}


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    define_data(values, split="train")
    keys = f"{', '.join(KINDS)}, all."
    flags.DEFINE_list("table", "all", f"Which, with commas: {keys}", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder of the tables.", flag_values=values)
    flags.DEFINE_string("results", "docs/results", "Folder with what cunet sweep and cunet evaluate --csv wrote.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_bool("accuracy", True, "Accuracy columns, which need trained networks.", flag_values=values)
    flags.DEFINE_bool("only_finished", False, "Train nothing: use the runs that are finished.", flag_values=values)
    flags.DEFINE_string("budget", "16x1500", "EPOCHSxIMAGES of every training.", flag_values=values)
    flags.DEFINE_integer("batch_size", 16, "Pictures of an update.", 1, flag_values=values)
    flags.DEFINE_list("seeds", "0,1", "A training from each.", flag_values=values)
    flags.DEFINE_enum(
        "targets", REGRESSION, [REGRESSION, DETECTION],
        "Supervision of the networks, where it is not itself compared.", flag_values=values,
    )  # fmt: skip
    flags.DEFINE_string("test_split", "test", "Part of the data set for accuracy.", flag_values=values)
    flags.DEFINE_string("workdir", "runs/tables", "Folder of the runs.", flag_values=values)
    flags.DEFINE_bool("time", True, "Measure times for Tables 5 and 11; --notime takes OUT/latency.csv as it is.",
                      flag_values=values)  # fmt: skip
    flags.DEFINE_integer("rounds", 7, "Timings of each network.", 1, flag_values=values)
    flags.DEFINE_string("machine", None, "The machine in words, for the times.", flag_values=values)
    for field in dataclasses.fields(Scale):
        text = SCALE_TEXT + SCALE_HELP[field.name]
        flags.DEFINE_integer(field.name, field.default, text, 1, flag_values=values)
    _define_gallery(values)


def _define_gallery(values: flags.FlagValues) -> None:
    own = Gallery()
    flags.DEFINE_string("model", own.model, "Model of Fig. 11.", flag_values=values)
    flags.DEFINE_string("figure_data", own.data, "Data set of Fig. 11.", flag_values=values)
    flags.DEFINE_string("figure_root", own.root, "Its folder.", flag_values=values)
    flags.DEFINE_string("figure_split", own.split, "Its part.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    no_arguments(rest)
    asked = parse_keys(values.table)
    for key in asked:
        if key in ELSEWHERE:
            print(f"notice: {ELSEWHERE[key]}", file=sys.stderr)
    keys = [key for key in asked if key in KINDS]
    claim_outputs(Path(values.out), keys)
    protocol = make_protocol(values)
    asked_runs = runs_of(keys, protocol.scale) if values.accuracy else []
    names = dict.fromkeys(protocol.run_name(name) for name in asked_runs)
    jobs = [protocol.job(name, seed) for seed in protocol.seeds for name in names]
    records = Records(Path(values.out))
    records.keep(jobs)
    training = [] if values.only_finished else [job for job in jobs if not records.find(job)]
    if training:
        check_data(values, protocol)
    if values.time and any(KINDS[key].timed for key in keys):
        machine = values.machine or speed.default_machine()
        rows = speed.measure(speed.specs(latency.networks()), values.rounds, machine)
        write_csv(Path(values.out) / latency.FILE, rows)
    files = write_tables(values, keys, protocol, records)
    print(f"written from what is finished: {', '.join(label_of(key) for key in keys)}", flush=True)
    with_runs = [key for key in keys if KINDS[key].trains]

    def after() -> None:
        records.keep(jobs)
        write_tables(values, with_runs, protocol, records)

    trained, failed = run_jobs(training, "tables", after)
    missing = missing_runs(jobs, records)
    return {"tables": files, "trained": trained, "failed": failed, "missing": missing, "ok": not failed}


def claim_outputs(out: Path, keys: list[str]) -> None:
    """Refuse a folder in which somebody else's files have the names of ours.

    Raises:
        CUNetError: names the first of them.
    """
    stems = [stem_of(key) for key in keys]
    claim_pages(out, stems, "--out")
    claim([out / "tables.md", *(out / f"{stem}.png" for stem in stems)], "--out")
    claim([out / latency.FILE], "--out", begins_with("round", "network", "engine"))
    claim([out / FILE], "--out", begins_with(*COLUMNS))


def make_protocol(values: flags.FlagValues) -> Protocol:
    """The accuracy protocol that the flags ask for.

    Raises:
        CUNetError: a wrong budget, seed or size.
    """
    epochs, images = parse_budget(values.budget)
    data_flags = tuple(values[name].serialize() for name in DATA_FLAGS if values[name].present)
    scale = Scale(**{field.name: values[field.name].value for field in dataclasses.fields(Scale)})
    box = values.box or USUAL_BOX.get(values.data, "tight")
    budget = (epochs, images, values.batch_size, parse_seeds(values.seeds))
    protocol = Protocol(values.data, values.split, values.test_split, box, data_flags, *budget,
                        Path(values.workdir), scale, values.targets)  # fmt: skip
    for variant in protocol.variants.values():
        variant.config()  # refuses sizes that do not fit together
    return protocol


def check_data(values: flags.FlagValues, protocol: Protocol) -> None:
    """Refuse data that would fail after hours.

    Raises:
        CUNetError: no data set is named, a part of it is missing, too small or without annotations.
    """
    if not values.data:
        raise CUNetError("accuracy columns need trained networks: name a data set with --data, or use --only_finished "
                         "or --noaccuracy.")  # fmt: skip
    skeleton = preset(protocol.variants["cunet"].preset).skeleton
    source = request_source(values, skeleton)
    if len(source) < protocol.images:
        raise CUNetError(f"--budget={values.budget}: {source.name} {source.split} has only {len(source)} pictures.")
    test = request_source(values, skeleton, values.test_split)
    if not len(test) or hidden_labels(test):
        raise CUNetError(f"--test_split={values.test_split}: no sample is annotated: choose another split.")


def write_tables(values: flags.FlagValues, keys: list[str], protocol: Protocol, records: Records) -> list[str]:
    """Write tables from what is finished now, and the index; returns the files."""
    gallery = Gallery(values.model, values.figure_data, values.figure_root, values.figure_split)
    results = Results(protocol, records) if values.accuracy else None
    context = Context(Path(values.out), Path(values.results), results, gallery)
    files = []
    for key in keys:
        call = command_line("tables", values, KINDS[key].flags).removeprefix("cunet tables")
        runs = KINDS[key].names(protocol.scale)
        built = KINDS[key].build(dataclasses.replace(context, runs=runs))
        table = dataclasses.replace(built, below=[*built.below, *not_run(runs, results)])
        files += write_table(table, context.out, f"cunet tables --table={key}{call}")
    write_index(context.out, {key: kind.title for key, kind in KINDS.items()})
    return files


def not_run(names: list[str], results: Results | None) -> list[str]:
    """A sentence below a table whose cells are empty, because runs were not made."""
    missing = [name for name in dict.fromkeys(names) if results and not results.found(name)]
    return (
        [f"Cells are empty where a network was not trained in this protocol: {', '.join(missing)}."] if missing else []
    )


def missing_runs(jobs: list[Job], records: Records) -> list[str]:
    """Names of the runs that are not finished; a folder with other settings is explained on stderr."""
    missing = [job for job in jobs if not records.find(job)]
    for job in missing:
        if job.other():
            print(f"notice: {job.folder} holds another run, left out: {job.other()}.", file=sys.stderr)
    return [job.name for job in missing]


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    failed = [f"FAILED {name}: {text}" for name, text in result["failed"].items()]
    missing = [f"not finished, left out: {', '.join(result['missing'])}"] if result["missing"] else []
    return "\n".join([*failed, *missing, f"tables: {', '.join(result['tables']) or 'none'}"])
