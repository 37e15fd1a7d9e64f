"""What each lever of training gives, alone: the same small face network with it and without, equal budgets, two sets.

python -m cunet_tf.trainers.study.levers --root=300w --workdir=runs/levers --out=docs/results
python -m cunet_tf.trainers.study.levers --root=300w --only=+ema+teacher      several together

A lever is a set of flags of ``cunet train``; a name that begins with + stands on top of ``foreground``. Every run has
as many updates; ``best.keras``, the epoch that is best on the held-out faces, is evaluated. Stop it at any moment: the
same command goes on. A run that has a row in levers.csv is not made again, and its folder may be lost.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import flags

from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.flags import shown_path
from cunet_tf.outputs import claim, claim_pages, page_text
from cunet_tf.processor import processor
from cunet_tf.rows import Row, read_csv, renew_rows
from cunet_tf.trainers.study import program
from cunet_tf.trainers.study.jobs import Job, run_jobs
from cunet_tf.trainers.study.levers_page import SETS, draw, page
from cunet_tf.writing import replace_text

NETWORK = ("--preset=face-mobile", "--main_channels=24", "--growth=6")
SPLIT, HELDOUT = "afw,helen/trainset,lfpw/trainset@rest", "lfpw/trainset@heldout"
BATCH = 16
PLAIN, BASE = "plain", "foreground"  # what levers alone, and those whose name begins with +, are compared with
ALONE: dict[str, dict[str, float | str]] = {
    "foreground": {"foreground": 20}, "foreground-5": {"foreground": 5}, "warmup": {"warmup": 200},
    "ema": {"ema": 0.999},
}  # fmt: skip
OVER_BASE: dict[str, dict[str, float | str]] = {
    "warmup": {"warmup": 200},
    "long-warmup": {"warmup": 600},
    "ema": {"ema": 0.999},
    "learning-rate": {"learning_rate": 0.002},
    "teacher": {"teacher": "face-large"},
    "teacher-2-views": {"teacher": "face-large", "teacher_views": 2},
    "coordinate-loss": {"coordinate_loss": 10},
    "coordinate-loss-contours": {"coordinate_loss": 10, "contour_along": 0.3},
    "stronger-views": {"rotation": 30, "scale": "0.7,1.35", "shift": 0.1},
    "weaker-views": {"rotation": 10, "scale": "0.9,1.1"},
    "occlude-and-blur": {"occlude": 0.3, "blur": 0.3},
}
LEVERS = (PLAIN, *ALONE, *(f"+{name}" for name in OVER_BASE))
COLUMNS = ("lever", "flags", "base", "seed", "epochs", "best_epoch", "train_images", "updates", *SETS.values(),
           "processor")  # fmt: skip
KEYS = ("lever", "seed", "updates")
SAME = ("lever", "flags", "seed", "epochs")  # of a run that is made already


@dataclass(frozen=True)
class Lever:
    """A set of flags of ``cunet train``.

    Attributes:
        name: one of :data:`LEVERS`, or several that begin with + behind one another.
        flags: name -> value, those of the base included.
        base: name of what it is compared with; ``plain`` itself has none.
    """

    name: str
    flags: Mapping[str, float | str]
    base: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """The flags as ``cunet train`` takes them."""
        return tuple(f"--{name}={value}" for name, value in self.flags.items())


def lever(name: str) -> Lever:
    """The lever of a name; ``+ema+teacher`` is both over the base.

    Raises:
        CUNetError: an unknown name, or two levers that set one flag to different values.
    """
    over = name.startswith("+")
    known = OVER_BASE if over else {PLAIN: {}, **ALONE}
    found = dict(ALONE[BASE]) if over else {}
    for part in name[1:].split("+") if over else [name]:
        if part not in known:
            one = f"+{part}" if over else part
            raise CUNetError(f"--only={name}: no lever {one!r}. {did_you_mean(one, LEVERS)}")
        for flag, value in known[part].items():
            if found.setdefault(flag, value) != value:
                raise CUNetError(f"--only={name}: two of its levers set --{flag}: name one of them.")
    return Lever(name, found, BASE if over else "" if name == PLAIN else PLAIN)


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_string("root", None, "Folder of 300-W.", flag_values=values)
    flags.DEFINE_list("only", list(LEVERS), "Levers to run; +ema+teacher is both over foreground.", flag_values=values)
    flags.DEFINE_list("seeds", ["0", "1"], "Of the runs.", flag_values=values)
    flags.DEFINE_integer("epochs", 10, "Of every run.", 1, flag_values=values)
    flags.DEFINE_bool("only_finished", False, "Train nothing: the page of the rows there are.", flag_values=values)
    flags.DEFINE_string("workdir", "runs/levers", "Folder of the runs.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder for levers.csv, .md and .png.", flag_values=values)


def main(argv: list[str]) -> int:
    """Train what is missing, write the tables; returns 0, or 2 on bad input or when a run failed."""
    return program.run("levers", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Train what is missing, write the tables.

    Raises:
        CUNetError: bad flags, files of somebody else at the tables' place, or a run that failed.
    """
    if not values.root:
        raise CUNetError("name the folder of 300-W with --root.")
    claim_pages(values.out, ["levers"], "--out")
    claim([Path(values.out, "levers.png")], "--out")
    levers, seeds = ([*dict.fromkeys(names)] for names in (values.only, values.seeds))
    runs = [(each, job_of(values, each, seed)) for each in map(lever, levers) for seed in seeds]
    write_tables(values, runs)
    known = {tuple(row[key] for key in SAME) for row in read_csv(Path(values.out, "levers.csv"))}
    left = [job for one, job in runs if not values.only_finished and settings(values, one, job) not in known]
    _, failed = run_jobs(left, "levers", lambda: write_tables(values, runs))
    if failed:
        raise CUNetError(f"{len(failed)} of {len(left)} runs failed, see above: the same command tries them again.")


def settings(values: flags.FlagValues, one: Lever, job: Job) -> tuple[str, ...]:
    """The cells of a run's row by which it is known, in the order of :data:`SAME`."""
    return one.name, shlex.join(one.arguments), str(job.expects["seed"]), str(values.epochs)


def job_of(values: flags.FlagValues, one: Lever, seed: str) -> Job:
    """The run of a lever and a seed."""
    if not seed.isdecimal():
        raise CUNetError(f"--seeds={','.join(values.seeds)}: {seed!r} is no seed: give numbers from 0, such as 0,1.")
    name, data = f"{one.name}-{seed}", ("--data=300w", f"--root={values.root}")
    train = (*NETWORK, *data, f"--split={SPLIT}", f"--val_split={HELDOUT}", f"--epochs={values.epochs}",
             f"--batch_size={BATCH}", f"--seed={seed}", *one.arguments)  # fmt: skip
    split = ",".join(SETS)
    expects = {"epochs": values.epochs, "seed": int(seed), "flags": dict(one.flags)}
    return Job(name, Path(values.workdir, name), train, (*data, f"--split={split}"), split, expects=expects)


def write_tables(values: flags.FlagValues, runs: Sequence[tuple[Lever, Job]]) -> None:
    """CSV, page and figure; of the runs that are finished, and of rows that the CSV held."""
    rows = [_row(one, job) for one, job in runs if job.evaluation()]
    file = Path(values.out, "levers.csv")
    if rows:
        renew_rows(file, rows, COLUMNS, KEYS)
    known = [row for row in read_csv(file) if row["epochs"] == str(values.epochs)]
    if not known:
        return
    shown = sorted(known, key=lambda row: (_place(row["lever"]), int(row["seed"])))
    wanted = [(name, seed) for name in LEVERS for seed in values.seeds]
    draw(shown, file.with_suffix(".png"))
    replace_text(file.with_suffix(".md"), page_text(page(shown, wanted, _call(values, shown))))


def _row(one: Lever, job: Job) -> Row:
    config, found, history = job.config(), job.evaluation(), job.history()
    images = config["data"]["train_images"]
    best = min(history, key=lambda row: float(row["val_nme"]))
    parts = {column: found["subsets"][name.partition("@")[0]]["nme_interocular"] for name, column in SETS.items()}
    return {
        "lever": one.name, "flags": shlex.join(one.arguments), "base": one.base, "seed": config["seed"],
        "epochs": config["epochs"], "best_epoch": best["epoch"], "train_images": images,
        "updates": images // config["batch_size"] * config["epochs"], **parts, "processor": processor(),
    }  # fmt: skip


def _place(name: str) -> int:
    """Of a lever on the page: in the order of the table, several together last."""
    return LEVERS.index(name) if name in LEVERS else len(LEVERS)


def _call(values: flags.FlagValues, rows: Sequence[Mapping[str, str]]) -> str:
    """What makes all rows, and what adds those of several levers together."""
    call = ["python", "-m", "cunet_tf.trainers.study.levers", f"--root={shown_path(values.root)}",
            f"--epochs={values.epochs}", f"--seeds={','.join(values.seeds)}",
            f"--workdir={shown_path(values.workdir)}"]  # fmt: skip
    sums = list(dict.fromkeys(row["lever"] for row in rows if row["lever"] not in LEVERS))
    added = f", and the same with `--only={','.join(sums)}`" if sums else ""
    return f"`{shlex.join(call)}`{added}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
