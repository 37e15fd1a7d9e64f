"""The levers of training as a page: means, differences to the base, spread between seeds, verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from cunet_tf.figures import LOWER, nme_label, plot_points
from cunet_tf.rows import markdown_table, number

SETS = {"helen/testset": "nme_helen_testset", "lfpw/trainset@heldout": "nme_lfpw_heldout"}  # split -> column
HELPS, NOT, UNDECIDED = "helps", "does not help", "undecided"
Rows = Sequence[Mapping[str, str]]  # of levers.csv


@dataclass(frozen=True)
class OnSet:
    """A lever on one set of pictures, NME in percent.

    Attributes:
        mean: over the seeds.
        spread: largest minus smallest; ``None`` for one seed.
        gaps: for each seed that both have, minus that of the base with this seed.
        verdict: see :func:`verdict`.
    """

    mean: float
    spread: float | None
    gaps: tuple[float, ...]
    verdict: str

    @property
    def difference(self) -> str:
        """Mean of the gaps, and each of them behind it."""
        each = ", ".join(number(gap, "+.2f") for gap in self.gaps)
        return f"{number(fmean(self.gaps), '+.2f')} ({each})" if self.gaps else "-"


def verdict(base: Sequence[float], lever: Sequence[float]) -> str:
    """Whether an error became smaller, from those of the same seeds without and with a lever.

    Undecided below two seeds, and where the means differ by less than the seeds of either do.

    Example:
        >>> verdict([5.0, 5.2], [4.5, 4.6]), verdict([5.0, 5.2], [5.3, 5.3]), verdict([5.0, 5.2], [5.0, 5.1])
        ('helps', 'does not help', 'undecided')
    """
    gap = fmean(lever) - fmean(base) if base and lever else 0.0
    if min(len(base), len(lever)) < 2 or abs(gap) < max(_spread(base), _spread(lever)):
        return UNDECIDED
    return HELPS if gap < 0 else NOT


def on_both(verdicts: Sequence[str]) -> str:
    """The verdict of all sets: theirs where it is the same."""
    return verdicts[0] if len(set(verdicts)) == 1 else UNDECIDED


def on_set(rows: Rows, lever: str, base: str, column: str) -> OnSet:
    """Figures of a lever in one column of the rows."""
    own, other = _by_seed(rows, lever, column), _by_seed(rows, base, column)
    seeds = [seed for seed in own if seed in other]
    before, after = [other[seed] for seed in seeds], [own[seed] for seed in seeds]
    spread = _spread(list(own.values())) if len(own) > 1 else None
    gaps = tuple(one - two for one, two in zip(after, before, strict=True))
    return OnSet(fmean(own.values()), spread, gaps, verdict(before, after))


def table(rows: Rows) -> list[list[str]]:
    """Head and one line for each lever, in the order of the rows."""
    head = ["lever", "flags", "compared with", "seeds"]
    for name in SETS:
        head += [f"NME `{name}`", "difference", "spread"]
    lines = [[*head, "verdict"]]
    for name, row in _first_rows(rows).items():
        base, found = row["base"], [on_set(rows, name, row["base"], column) for column in SETS.values()]
        cells = [f"`{name}`", f"`{row['flags']}`" if row["flags"] else "-", f"`{base}`" if base else "-"]
        cells.append(", ".join(each["seed"] for each in rows if each["lever"] == name))
        for each in found:
            cells += [number(each.mean, ".2f"), each.difference, number(each.spread, ".2f")]
        lines.append([*cells, on_both([each.verdict for each in found]) if base else "-"])
    return lines


def missing(rows: Rows, wanted: Sequence[tuple[str, str]]) -> list[str]:
    """Levers that no row has, of the wanted (lever, seed): one text for each group of seeds."""
    made = {(row["lever"], row["seed"]) for row in rows}
    seeds: dict[str, list[str]] = {}
    for name, seed in wanted:
        if (name, seed) not in made:
            seeds.setdefault(name, []).append(seed)
    levers: dict[str, list[str]] = {}
    for name, each in seeds.items():
        levers.setdefault(" and ".join(each), []).append(f"`{name}`")
    return [f"seed {each}: {', '.join(names)}" for each, names in levers.items()]


def page(rows: Rows, wanted: Sequence[tuple[str, str]], call: str) -> str:
    """The page, as Markdown.

    Args:
        rows: of one budget, in the order of the table.
        wanted: (lever, seed) that a full table has.
        call: the command, for the head.
    """
    row = rows[0]
    first, second = SETS
    absent = missing(rows, wanted)
    return (
        "# What each lever of training gives, alone\n\n"
        f"Made by {call}; all rows are in [levers.csv](levers.csv), with the processor. What the flags do: "
        "[training](../training.md#options).\n\n"
        "68 points of faces, `face-mobile` with `--main_channels=24 --growth=6`, 128 px, float; trained on "
        f"{int(row['train_images']):,} faces of 300-W (AFW, Helen, LFPW without the held-out part), {row['epochs']} "
        f"epoch{'s' * (row['epochs'] != '1')}, {int(row['updates']):,} updates of 16 pictures, the same for every row; "
        f"what a lever does not name is recipe `mobile`. Evaluated is `best.keras`, the epoch with the smallest NME on "
        f"`{second}`; `{first}` chose nothing. NME in percent of the distance of the outer eye corners, tight boxes, "
        "no flip test, means over the seeds. Difference: to what it is compared with, the mean and, in brackets, each "
        "seed's; below zero is better. Spread: largest minus smallest of the seeds. A lever helps, or does not, where "
        "the mean difference is as large as the spread of its seeds and of the base's, on both sets alike; otherwise "
        "it is undecided.\n\n"
        "This is a short training of a small network: what speeds a beginning up shows, what pays after a hundred "
        "epochs may not. Equal updates are not equal time: a step with a teacher takes longer "
        "([a teacher](../training.md#a-teacher)).\n\n"
        + (f"**Not run yet**, {'; '.join(absent)}.\n\n" if absent else "")
        + f"{markdown_table(table(rows))}\n\n![NME of every lever on both sets](levers.png)"
    )


def draw(rows: Rows, file: Path) -> None:
    """Both errors of every lever: alone, and over their common base."""
    first, (one, other) = _first_rows(rows), SETS
    panels: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for base in dict.fromkeys(row["base"] or name for name, row in first.items()):
        names = [name for name, row in first.items() if base in (name, row["base"])]
        what = f"{base}, and what is added to it" if len(names) > 1 else names[0]
        means = [[fmean(_by_seed(rows, name, column).values()) for name in names] for column in SETS.values()]
        panels[f"NME [%], {one}: {what}", f"NME [%], {other}"] = dict(zip(names, zip(*means, strict=True), strict=True))
    plot_points(panels, (), file, f"{nme_label('interocular')}, {LOWER}")


def _first_rows(rows: Rows) -> dict[str, Mapping[str, str]]:
    """Lever -> its first row."""
    found: dict[str, Mapping[str, str]] = {}
    for row in rows:
        found.setdefault(row["lever"], row)
    return found


def _by_seed(rows: Rows, lever: str, column: str) -> dict[str, float]:
    return {row["seed"]: float(row[column]) for row in rows if row["lever"] == lever}


def _spread(errors: Sequence[float]) -> float:
    return max(errors) - min(errors) if errors else 0.0
