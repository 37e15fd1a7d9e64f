"""How right a data set's labels are: sheets to look at, and what two independent passes of looking said.

python -m cunet_tf.trainers.study.measure_labels --data=lspet --root=lspet --split=7055-8054 --sheets=runs/labels
python -m cunet_tf.trainers.study.measure_labels --data=lspet --root=lspet --split=7055-8054
    --passes=docs/results/labels_first.csv,docs/results/labels_second.csv --csv=docs/results/labels.csv

A sheet shows one person twice: plain, and with a circle about each labelled limb joint, whose radius is the distance
within which PCK@0.2 counts a prediction as right. Who looks says of each circle whether the joint lies inside of it
(``inside``), whether it lies about the partner's joint on the other side of the body (``side``), whether it lies
elsewhere (``outside``), or that it cannot be told (``unsure``). A network that is always right has at most the share
of ``inside`` as its PCK, so that share is the ceiling of the labels.
"""

import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from absl import flags

from cunet_tf.data.geometry import apply, crop_matrix, warp
from cunet_tf.data.sample import Sample, Source
from cunet_tf.draw import save_result, write
from cunet_tf.errors import CUNetError
from cunet_tf.flags import define_data, source_for
from cunet_tf.metrics import limb_joints, normalizer_distance
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.rows import Row, read_csv, table, write_csv
from cunet_tf.sides import sides_of
from cunet_tf.skeletons import Skeleton
from cunet_tf.style import PAPER, SIDES
from cunet_tf.trainers.study import program

VERDICTS = ("inside", "side", "outside", "unsure")
COLUMNS = ("looker", "people", "joints", *VERDICTS, "at_least_percent", "at_most_percent")
SIDE, STRIP, ZOOM = 760, 40, 1.5  # pixels of a panel and of its caption; shown, in sides of the tight box
SHARE = 0.2  # of the torso


def define(values: flags.FlagValues) -> None:
    """The flags."""
    define_data(values, split="test")
    flags.DEFINE_string("preset", "pose-mobile", "Whose skeleton.", flag_values=values)
    flags.DEFINE_integer("people", 50, "So many of the split.", 1, flag_values=values)
    flags.DEFINE_integer("seed", 0, "Which people.", flag_values=values)
    flags.DEFINE_string(
        "sheets", None, "Folder for the sheets, and for the empty list of verdicts.", flag_values=values
    )
    flags.DEFINE_list("passes", [], "Two CSV files: picture,joint,verdict.", flag_values=values)
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)


def main(argv: list[str]) -> int:
    """Write the sheets, or sum up the verdicts; returns 0, or 2 on bad input."""
    return program.run("measure_labels", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Write the sheets, or sum up the verdicts."""
    if not (values.sheets or values.passes):
        raise CUNetError("give --sheets=FOLDER to draw sheets, or --passes=FILE,FILE to sum up what was said.")
    source = source_for(values, preset(values.preset))
    asked = chosen(source, values.people, values.seed)
    if values.sheets:
        write_sheets(asked, source.skeleton, Path(values.sheets))
    if not values.passes:
        return
    if values.csv:
        claim([values.csv], "--csv", begins_with(*COLUMNS))
    rows = summary([read_pass(Path(name), circles(asked, source.skeleton)) for name in values.passes], len(asked))
    print(table([COLUMNS, *(tuple(row[name] for name in COLUMNS) for row in rows)]))
    if values.csv:
        write_csv(Path(values.csv), rows, COLUMNS)


def write_sheets(samples: list[Sample], skeleton: Skeleton, folder: Path) -> None:
    """A PNG for each person, and ``verdicts.csv`` to fill in, which is left as it is where it exists."""
    files = [folder / f"{Path(sample.name).stem}.png" for sample in samples]
    claim(files, "--sheets")
    folder.mkdir(parents=True, exist_ok=True)
    for sample, file in zip(samples, files, strict=True):
        save_result(file, sheet(sample, skeleton))
    verdicts = folder / "verdicts.csv"
    if not verdicts.exists():
        write_csv(verdicts, [{**row, "verdict": ""} for row in circles(samples, skeleton)])


def chosen(source: Source, count: int, seed: int) -> list[Sample]:
    """So many people, in the data set's order, drawn by the seed from those whose torso is labelled."""
    samples = [sample for sample in source if np.isfinite(radius(sample, source.skeleton))]
    picked = np.random.default_rng(seed).permutation(len(samples))[:count]
    return [samples[index] for index in sorted(picked)]


def radius(sample: Sample, skeleton: Skeleton) -> float:
    """Pixels of the picture within which PCK@0.2 counts; NaN where the torso is not labelled."""
    distance = normalizer_distance(sample.points[None], skeleton, "torso", sample.mask[None])
    return SHARE * float(distance[0])


def circles(samples: list[Sample], skeleton: Skeleton) -> list[Row]:
    """``picture`` and ``joint`` of each labelled limb joint."""
    return [
        {"picture": Path(sample.name).stem, "joint": skeleton.names[index]}
        for sample in samples for index in limb_joints(skeleton) if sample.mask[index] > 0
    ]  # fmt: skip


def sheet(sample: Sample, skeleton: Skeleton) -> np.ndarray:
    """RGB ``uint8``: the person plain, and with circles and the joints' numbers, orange the person's right."""
    matrix = crop_matrix(sample.box, ZOOM, SIDE)
    plain = warp(sample.load(), matrix, SIDE)
    drawn, places = plain.copy(), apply(matrix, sample.points)
    reach = radius(sample, skeleton) * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    sides = sides_of(skeleton)
    for index in limb_joints(skeleton):
        if sample.mask[index] > 0:
            place = np.round(places[index]).astype(int).tolist()
            cv2.circle(drawn, place, max(2, round(reach)), SIDES[sides[index]], 2, cv2.LINE_AA)
            write(drawn, str(index), (place[0] - 8, place[1] + 6), 0.5, SIDES[sides[index]], rim=True)
    strip = np.full((STRIP, 2 * SIDE, 3), PAPER, np.uint8)
    names = "  ".join(f"{index} {skeleton.names[index]}" for index in limb_joints(skeleton))
    write(strip, f"{Path(sample.name).stem}: {names}", (6, STRIP - 14), 0.42)
    return np.vstack([np.hstack([plain, drawn]), strip])


def read_pass(file: Path, asked: list[Row]) -> dict[tuple[str, str], str]:
    """Picture and joint -> verdict.

    Raises:
        CUNetError: a verdict is missing or none of :data:`VERDICTS`.
    """
    said = {(row["picture"], row["joint"]): row["verdict"] for row in read_csv(file)}
    for row in asked:
        verdict = said.get((row["picture"], row["joint"]))
        if verdict not in VERDICTS:
            asks = f"give one of {', '.join(VERDICTS)}."
            raise CUNetError(f"{file}: picture {row['picture']}, joint {row['joint']}: verdict {verdict!r}; {asks}")
    return {(row["picture"], row["joint"]): said[row["picture"], row["joint"]] for row in asked}


def summary(passes: list[dict[tuple[str, str], str]], people: int) -> list[Row]:
    """A row for each pass, and one for what all of them say of the same circle; what they differ in is unsure."""
    agreed = {
        key: verdict if all(one[key] == verdict for one in passes) else "unsure" for key, verdict in passes[0].items()
    }
    named = {f"pass {number + 1}": said for number, said in enumerate(passes)} | {"all passes": agreed}
    return [_row(name, people, Counter(said.values())) for name, said in named.items()]


def _row(name: str, people: int, count: Counter[str]) -> Row:
    joints = sum(count.values())
    inside, unsure = count["inside"], count["unsure"]
    return {
        "looker": name, "people": people, "joints": joints, **{verdict: count[verdict] for verdict in VERDICTS},
        "at_least_percent": round(100 * inside / joints, 1),
        "at_most_percent": round(100 * (inside + unsure) / joints, 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv))
