"""Does a start from shipped weights pay: own landmarks from few pictures, beside the same training from scratch.

python -m cunet_tf.trainers.study.fine_tuning --data=300w --root=300w --test_split=helen/testset
    --workdir=runs/fine-tuning --out=docs/results
python -m cunet_tf.trainers.study.fine_tuning --data=synthetic --split=0:600 --test_split=1:200 --pictures=50,200
    --workdir=runs/fine-tuning-drawn --out=docs/results

Five points of faces (eye centres, nose tip, mouth corners, from the 68) or of drawn figures (head, hands, feet), as
a folder of own pictures; every run by ``cunet train``, with as many updates. Stop it at any moment: the same command
goes on.
"""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.data.folder_write import ANNOTATIONS, write_folder
from cunet_tf.data.hold_out import VAL_SHARE
from cunet_tf.data.sample import Source
from cunet_tf.data.sources import Request, load_source
from cunet_tf.errors import CUNetError
from cunet_tf.figures import plot_panels
from cunet_tf.flags import shown_path
from cunet_tf.outputs import claim_pages, page_text
from cunet_tf.rows import Row, markdown_table, number, write_csv
from cunet_tf.skeletons import FACE68, MPII16, Skeleton
from cunet_tf.trainers.study.jobs import Job, run_jobs
from cunet_tf.writing import replace_text

BATCH = 16
COLUMNS = ("landmarks", "start", "pictures", "held_out", "seed", "updates", "test_split", "test_pictures", "normalizer",
           "nme")  # fmt: skip


@dataclass(frozen=True)
class Task:
    """Landmarks made from those of a data set.

    Attributes:
        title: what they are.
        skeleton: of the data set.
        landmarks, flip_pairs, normalizer: see :func:`cunet_tf.data.folder_write.write_folder`.
    """

    title: str
    skeleton: Skeleton
    landmarks: dict[str, tuple[int, ...]]
    flip_pairs: tuple[tuple[str, str], ...]
    normalizer: tuple[str, str] | None


_RIGHT_EYE, _LEFT_EYE = FACE68.normalizers["interpupil"]
TASKS = {
    "300w": Task(
        "five points of faces", FACE68,
        {"right_eye": _RIGHT_EYE, "left_eye": _LEFT_EYE, "nose_tip": (30,), "mouth_right": (48,), "mouth_left": (54,)},
        (("right_eye", "left_eye"), ("mouth_right", "mouth_left")), ("right_eye", "left_eye"),
    ),
    "synthetic": Task(
        "five points of drawn figures", MPII16,
        {each: (MPII16.names.index(each),) for each in
         ("head_top", "right_wrist", "left_wrist", "right_ankle", "left_ankle")},
        (("right_wrist", "left_wrist"), ("right_ankle", "left_ankle")), None,
    ),
}  # fmt: skip


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_enum("data", "300w", list(TASKS), "Where the landmarks come from.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of the data set; drawn data needs none.", flag_values=values)
    flags.DEFINE_string("split", "train", "To learn from.", flag_values=values)
    flags.DEFINE_string("test_split", "test", "For the table.", flag_values=values)
    flags.DEFINE_bool("allow_missing", True, "Go on without absent parts of the splits.", flag_values=values)
    flags.DEFINE_list("pictures", ["50", "200", "1845"], "Numbers of pictures to learn from.", flag_values=values)
    flags.DEFINE_list("seeds", ["0", "1"], "Of the runs.", flag_values=values)
    flags.DEFINE_integer("updates", 1380, "Of every run, rounded to whole epochs.", 1, flag_values=values)
    flags.DEFINE_string("preset", "face-mobile", "Network; its float weights are the start.", flag_values=values)
    flags.DEFINE_string("workdir", "runs/fine-tuning", "Folder of data and runs.", flag_values=values)
    flags.DEFINE_string("out", "docs/results", "Folder for fine_tuning_DATA.csv, .md and .png.", flag_values=values)


def main(argv: list[str]) -> int:
    """Train what is missing, write the tables; returns 0, 1 when a run failed, or 2 on bad input."""
    values = flags.FlagValues()
    define(values)
    try:
        values(argv)
        task, stem = TASKS[values.data], f"fine_tuning_{values.data}"
        claim_pages(values.out, [stem], "--out")
        test = _write_data(values, task)
        jobs = make_jobs(values)
        _, failed = run_jobs(jobs, "fine_tuning", lambda: write_tables(values, task, jobs, test))
    except (CUNetError, flags.Error) as error:
        print(f"fine_tuning: error: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _write_data(values: flags.FlagValues, task: Task) -> Source:
    """Both folders of own pictures, where they are not there yet; returns the test part."""
    parts = []
    for part, split in (("train", values.split), ("test", values.test_split)):
        request = Request(values.root, split, task.skeleton, values.allow_missing)
        parts.append(load_source(values.data, request))
        folder = Path(values.workdir, f"{part}-pictures")
        if not (folder / ANNOTATIONS).exists():
            write_folder(parts[-1], folder, task.landmarks, task.flip_pairs, task.normalizer, "five", part)
    return parts[1]


def make_jobs(values: flags.FlagValues) -> list[Job]:
    """A run for each number of pictures, start and seed."""
    folder = Path(values.workdir)
    jobs = []
    for pictures in map(int, values.pictures):
        total = round(pictures / (1 - VAL_SHARE))
        epochs = max(1, round(values.updates / (pictures // min(BATCH, pictures))))
        for seed in values.seeds:
            for start in (values.preset, "scratch"):
                name = f"{pictures}-{start}-{seed}"
                train = ["--data=folder", f"--root={folder / 'train-pictures'}", f"--preset={values.preset}"]
                train += [f"--images={total}", f"--epochs={epochs}", f"--batch_size={min(BATCH, pictures)}"]
                train += [f"--seed={seed}", f"--val_share={VAL_SHARE}"]
                train += [f"--init={start}"] if start != "scratch" else []
                test = ("--data=folder", f"--root={folder / 'test-pictures'}", "--split=test")
                jobs.append(Job(name, folder / name, tuple(train), test, expects={"epochs": epochs}))
    return jobs


def write_tables(values: flags.FlagValues, task: Task, jobs: Sequence[Job], test: Source) -> list[Row]:
    """CSV, page and plot of the runs that are finished."""
    rows = [_row(task, job.config(), job.evaluation(), test) for job in jobs if job.evaluation()]
    if not rows:
        return rows
    stem = Path(values.out, f"fine_tuning_{values.data}")
    write_csv(stem.with_suffix(".csv"), rows, COLUMNS)
    lines: dict[str, list[tuple[int, float]]] = {}
    for pictures, start, errors in _grouped(rows):
        lines.setdefault(f"from {start}", []).append((pictures, sum(errors) / len(errors)))
    plot_panels({f"NME [%], {rows[0]['normalizer']}, lower is better": lines}, "pictures learned from",
                stem.with_suffix(".png"), log="x")  # fmt: skip
    replace_text(stem.with_suffix(".md"), page_text(_page(values, task, rows, stem.name)))
    return rows


def _row(task: Task, config: dict[str, Any], found: dict[str, Any], test: Source) -> Row:
    data, steps = config["data"], config["data"]["train_images"] // config["batch_size"]
    return {
        "landmarks": task.title, "start": config["init"] or "scratch", "pictures": data["train_images"],
        "held_out": data["validation_images"], "seed": config["seed"], "updates": steps * config["epochs"],
        "test_split": f"{test.name} {test.split}", "test_pictures": found["images"],
        "normalizer": found["normalizer"], "nme": found[f"nme_{found['normalizer']}"],
    }  # fmt: skip


def _grouped(rows: list[Row]) -> list[tuple[int, str, list[float]]]:
    """Number of pictures, start, and the NME of each seed."""
    groups: dict[tuple[int, str], list[float]] = {}
    for row in rows:
        groups.setdefault((row["pictures"], row["start"]), []).append(row["nme"])
    return [(*key, errors) for key, errors in groups.items()]


def _page(values: flags.FlagValues, task: Task, rows: list[Row], stem: str) -> str:
    given = {name: shown_path(str(values[name].value)) for name in ("root", "workdir") if values[name].value}
    names = ("data", "root", "split", "test_split", "pictures", "seeds", "updates", "workdir")
    shown = [f"--{name}={given[name]}" if name in given else values[name].serialize() for name in names]
    shown = [text for text in shown if text]
    table = [["pictures learned from", "held out", "start", "NME of each seed", "mean"]]
    held = {row["pictures"]: row["held_out"] for row in rows}
    for pictures, start, errors in _grouped(rows):
        mean = sum(errors) / len(errors)
        table.append([number(pictures), str(held[pictures]), start, ", ".join(number(e) for e in errors), number(mean)])
    row = rows[0]
    known = (
        " These points derive from labels that the shipped `face-mobile` was trained on: it has seen more faces than "
        "the number in the first column. The same with points that it has never seen: "
        "[fine_tuning_synthetic.md](fine_tuning_synthetic.md)."
        if values.data == "300w"
        else " The start was trained on photographs of faces: it has seen neither these pictures nor such points."
    )
    return (
        f"# Own landmarks from few pictures: {task.title}\n\n"
        f"Made by `{shlex.join(['python', '-m', 'cunet_tf.trainers.study.fine_tuning', *shown])}`; all rows are in "
        f"[{stem}.csv]({stem}.csv).\n\n"
        f"{', '.join(task.landmarks)}; preset {values.preset}, float, {row['updates']:,} updates of {BATCH} pictures "
        f"each, whatever their number; recipe and options of `cunet train` as they are. Tested on {row['test_split']} "
        f"({row['test_pictures']} pictures), tight boxes of the points, no flip test; NME in percent, normalizer "
        f"{row['normalizer']}.{known}\n\n{markdown_table(table)}\n\n![NME over the number of pictures]({stem}.png)"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv))
