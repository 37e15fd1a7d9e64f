"""Accuracy of training with compressed memory: the same budget and seeds with and without.

python -m cunet_tf.trainers.study.memory.training --data=300w --root=300w --test_split=helen/testset

Each mode and seed is a run of its own in --workdir. Stop it at any moment: the same command goes
on. OUT/memory_training.csv and .md hold what is finished. About 4 minutes a run on two cores.
"""

import sys
from pathlib import Path
from statistics import mean
from typing import Any

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.flags import command_line, define_data, request_source
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.outputs import claim_pages, page_text
from cunet_tf.presets import preset
from cunet_tf.rows import markdown_table, number, write_csv
from cunet_tf.trainers.study.jobs import Job, run_jobs
from cunet_tf.trainers.study.sweep_table import metric_of
from cunet_tf.writing import replace_text

DATA_FLAGS = ("data", "root", "allow_missing", "box", "max_megapixels", "allow_outside")
NAME = "memory_training"
MODULE = "python -m cunet_tf.trainers.study.memory.training"


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="train")
    flags.DEFINE_string("test_split", "test", "Part of the data set for the table.", flag_values=values)
    flags.DEFINE_string("preset", "face-mobile", "The network.", flag_values=values)
    flags.DEFINE_list("modes", "none,both,both+bits=4", "Memory modes; the first is the yardstick.", flag_values=values)
    flags.DEFINE_list("seeds", "0,1", "A training from each.", flag_values=values)
    flags.DEFINE_integer("images", 800, "Pictures to learn from.", 1, flag_values=values)
    flags.DEFINE_integer("batch_size", 8, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_integer("epochs", 16, "Passes through them.", 1, flag_values=values)
    flags.DEFINE_string("targets", "disk", "Supervision.", flag_values=values)
    flags.DEFINE_string("workdir", "runs/memory", "Folder of the runs.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder of the tables.", flag_values=values)


def main(argv: list[str]) -> int:
    """Train and evaluate what is missing; returns 0, 1 if a run failed, 2 on bad input."""
    values = flags.FlagValues()
    define(values)
    try:
        values(argv)
        claim_pages(values.out, [NAME], "--out")
        jobs = make_jobs(values)
        Path(values.workdir).mkdir(parents=True, exist_ok=True)
        _, failed = run_jobs(list(jobs.values()), "measure_memory_training", lambda: write_tables(values, jobs))
    except (CUNetError, flags.Error) as error:
        print(f"measure_memory_training: error: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def make_jobs(values: flags.FlagValues) -> dict[tuple[str, str], Job]:
    """A run for each mode and seed, by both.

    Raises:
        CUNetError: an unknown mode, a seed that is no number, or data that is not there.
    """
    if not values.seeds or not all(seed.isdigit() for seed in values.seeds):
        raise CUNetError(f"--seeds={','.join(values.seeds)}: give numbers, with commas.")
    skeleton = preset(values.preset).skeleton
    request_source(values, skeleton)
    test = request_source(values, skeleton, values.test_split)
    shared = ("preset", "images", "batch_size", "epochs", "targets", "split")
    data = tuple(values[name].serialize() for name in DATA_FLAGS if values[name].present)
    given = (*data, *(values[name].serialize() for name in shared), f"--watch={max(1, values.images // 10)}")
    jobs = {}
    for seed in values.seeds:
        for mode in (str(MemoryConfig.parse(text)) for text in values.modes):
            folder = Path(values.workdir) / f"{mode}-s{seed}"
            train = (*given, f"--seed={seed}", f"--memory={mode}")
            evaluate = (*data, f"--split={values.test_split}")
            expects = {**_expects(values), "memory": mode, "seed": int(seed)}
            jobs[mode, seed] = Job(folder.name, folder, train, evaluate, test.split, test.box, expects)
    return jobs


def _expects(values: flags.FlagValues) -> dict[str, Any]:
    return {
        "spec": {"preset": values.preset}, "recipe": {"targets": values.targets}, "epochs": values.epochs,
        "batch_size": values.batch_size,
        "data": {"name": values.data, "split": values.split, "images": values.images},
    }  # fmt: skip


def write_tables(values: flags.FlagValues, jobs: dict[tuple[str, str], Job]) -> None:
    """Both files anew, from the runs that are finished."""
    rows = [make_row(mode, job) for (mode, _), job in jobs.items() if job.evaluation()]
    if rows:
        out = Path(values.out)
        write_csv(out / f"{NAME}.csv", rows)
        given = command_line("memory", values, list(values)).removeprefix("cunet memory")
        replace_text(out / f"{NAME}.md", page_text(to_markdown(rows, f"{MODULE}{given}")))


def make_row(mode: str, job: Job) -> dict[str, Any]:
    """Conditions and metric of a finished run."""
    config, evaluation = job.config(), job.evaluation()
    data = config["data"]
    return {
        "memory": mode, "seed": config["seed"], "preset": config["spec"]["preset"], "data": data["name"],
        "split": data["split"], "train_images": data["train_images"], "epochs": config["epochs"],
        "batch_size": config["batch_size"], "test_split": evaluation["split"], "images": evaluation["images"],
        "box": evaluation["box"], "normalizer": evaluation["normalizer"],
        **{name: value for name, value in metric_of(evaluation).items() if name in ("metric", "error")},
    }  # fmt: skip


def to_markdown(rows: list[dict[str, Any]], command: str) -> str:
    """Conditions, and a line for each mode: its seeds, their mean, and that against the first mode's."""
    first, modes = rows[0], list(dict.fromkeys(row["memory"] for row in rows))
    seeds = list(dict.fromkeys(row["seed"] for row in rows))
    found = {(row["memory"], row["seed"]): row["error"] for row in rows}
    head = ["memory", *(f"seed {seed}" for seed in seeds), "mean", f"against {modes[0]}, the same seeds"]
    lines = [head]
    for mode in modes:
        errors = [found.get((mode, seed)) for seed in seeds]
        pairs = [(found[mode, s], found[modes[0], s]) for s in seeds if {(mode, s), (modes[0], s)} <= set(found)]
        change = "-"
        if pairs:
            ours, plain = (mean(column) for column in zip(*pairs, strict=True))
            change = f"{100 * (ours / plain - 1):+.1f} %"
        known = mean(error for error in errors if error is not None)
        lines.append([mode, *(number(error) for error in errors), number(known), change])
    about = (
        f"Made by `{command}`; all columns are in [{NAME}.csv]({NAME}.csv).\n\n"
        f"Preset {first['preset']}, {first['train_images']} pictures of {first['data']} {first['split']}, "
        f"{first['epochs']} epochs, batch {first['batch_size']}; tested on {first['test_split']} ({first['images']} "
        f"pictures), {first['box']} boxes, no flip test; error ({first['metric']}) in percent, normalizer "
        f"{first['normalizer']}."
    )
    return f"# Training with compressed memory\n\n{about}\n\n{markdown_table(lines)}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
