"""What threads, kills, full disks, bad pictures and hostile files do to the real commands.

python -m cunet_tf.trainers.study.reliability --data=300w --root=300w --split=helen/testset --out=docs/results
python -m cunet_tf.trainers.study.reliability --measures=threads,memory --calls=500

Each measure replaces its own rows of ``reliability.csv``; half an hour for all of them on two cores.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from absl import flags

from cunet_tf.data.sample import Source
from cunet_tf.data.sources import Request, load_source
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.flags import command_line
from cunet_tf.outputs import claim_pages, page_text
from cunet_tf.rows import Row, markdown_table, number, read_csv, write_csv
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study.reliability import calls, disk, hostile, kills, pictures
from cunet_tf.writing import replace_text

STEM = "reliability"
COLUMNS = ("measure", "figure", "value")
TRAIN = ["train", "--preset=face-mobile", "--batch_size=8", "--epochs=12", "--deterministic", "--save_every=0.05"]


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_list("measures", list(MEASURES), ", ".join(MEASURES), flag_values=values)
    flags.DEFINE_string("data", "synthetic", "Faces for the Localizer and the trainings.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of the data set; drawn data needs none.", flag_values=values)
    flags.DEFINE_string("split", "test", "Of the faces for the Localizer; trainings take train.", flag_values=values)
    flags.DEFINE_integer("images", 256, "Pictures of a training.", 16, flag_values=values)
    flags.DEFINE_integer("calls", 5000, "Of a Localizer.", 100, flag_values=values)
    flags.DEFINE_integer("threads", 8, "That call it.", 1, flag_values=values)
    flags.DEFINE_integer("pictures", 2000, "In the folder of which each hundredth is bad.", 100, flag_values=values)
    flags.DEFINE_integer("kills", 25, "Of a training.", 3, flag_values=values)
    flags.DEFINE_integer("inside", 12, "Of them aimed at the writing of a checkpoint.", 1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Of the moments of the kills.", flag_values=values)
    flags.DEFINE_string("workdir", "runs/reliability", "Folder for all that is tried.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", f"Folder for {STEM}.csv and {STEM}.md.", flag_values=values)


def main(argv: list[str]) -> int:
    """Measure, and write the tables after each measure; returns 0, or 2 on bad input."""
    values = flags.FlagValues()
    define(values)
    try:
        values(argv)
        claim_pages(values.out, [STEM], "--out")
        for name in values.measures:
            if name not in MEASURES:
                raise CUNetError(f"--measures={name}: {did_you_mean(name, MEASURES)}")
            rows = [{"measure": name, **row} for row in MEASURES[name](values)]
            for row in rows:
                print(f"{name}: {row['figure']}: {row['value']}", flush=True)
            write(values, name, rows)
    except (CUNetError, flags.Error) as error:
        print(f"{STEM}: error: {error}", file=sys.stderr)
        return 2
    return 0


def _source(values: flags.FlagValues) -> Source:
    return load_source(values.data, Request(values.root, values.split, FACE68, allow_missing=True))


def _training(values: flags.FlagValues) -> list[str]:
    root = [f"--root={Path(values.root).absolute()}", "--allow_missing"] if values.root else []
    return [*TRAIN, f"--data={values.data}", *root, f"--images={values.images}"]


def _folder(values: flags.FlagValues) -> Path:
    folder = Path(values.workdir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


MEASURES: dict[str, Callable[[flags.FlagValues], list[Row]]] = {
    "threads": lambda v: calls.threads("face-mobile", _source(v), v.calls, v.threads),
    "memory": lambda v: calls.flat("face-mobile", _source(v), v.calls),
    "bad pictures": lambda v: pictures.bad_pictures(_folder(v), v.pictures),
    "kills": lambda v: kills.killed_training(_training(v), _folder(v), v.kills, v.inside, v.seed),
    "two trainings": lambda v: kills.two_trainings(_training(v), _folder(v)),
    "full disk": lambda v: disk.full_disk(_training(v), _folder(v)),
    "hostile files": lambda v: hostile.refusals(_folder(v)),
}


def write(values: flags.FlagValues, name: str, rows: list[Row]) -> None:
    """Put the rows of a measure in the place of its earlier ones, and make the page of all."""
    stem = Path(values.out, STEM)
    old: list[Row] = [dict(row) for row in read_csv(stem.with_suffix(".csv"))]
    kept = [row for row in old if row["measure"] != name] + rows
    kept.sort(key=lambda row: list(MEASURES).index(row["measure"]))
    replace_text(stem.with_suffix(".md"), page_text(_page(values, kept)))
    write_csv(stem.with_suffix(".csv"), kept, COLUMNS, digits=None)


def _page(values: flags.FlagValues, rows: list[Row]) -> str:
    names = ("data", "root", "split", "images", "calls", "threads", "pictures", "kills", "inside", "seed")
    command = command_line("reliability", values, names).removeprefix("cunet reliability")
    parts = [
        "# Reliability, measured",
        f"Made by `python -m cunet_tf.trainers.study.reliability{command}`, measure by measure "
        f"(`--measures=NAME`); all rows are in [{STEM}.csv]({STEM}.csv). What they mean: "
        "[reliability.md](../reliability.md).",
    ]
    for name in dict.fromkeys(row["measure"] for row in rows):
        lines = [[str(row["figure"]), number(row["value"])] for row in rows if row["measure"] == name]
        parts.append(f"## {name.capitalize()}\n\n{markdown_table([['', ''], *lines])}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
