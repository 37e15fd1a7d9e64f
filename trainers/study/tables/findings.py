"""Which of the paper's orderings hold in our runs, and how large the noise is."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cunet_tf.rows import markdown_table, number
from cunet_tf.trainers.study.tables.results import Results

MANY = 50.0  # percent of failures, above which a network has hardly begun to learn


class Ordering(NamedTuple):
    """One statement of the paper: the first run's network is better than the second's."""

    better: str
    worse: str
    paper: str


def verdict(better: list[float], worse: list[float]) -> str:
    """Of an ordering, from the errors of all seeds on both sides."""
    if not better or not worse:
        return "not finished"
    few = ", one seed only" if min(len(better), len(worse)) == 1 else ""
    return f"{('undecided: the seeds overlap', 'holds', 'reversed')[apart(better, worse)]}{few}"


def apart(one: list[float], other: list[float]) -> int:
    """1 where every error of the one is below all of the other, -1 the other way round, 0 where they overlap."""
    return int(max(one) < min(other)) - int(min(one) > max(other))


def describe_orderings(results: Results, orderings: list[Ordering]) -> str:
    """A Markdown table of the orderings, and the noise below it."""
    lines = [["the paper: better, worse", "the paper's figures", "ours: better, worse", "difference", "in our runs"]]
    for better, worse, paper in orderings:
        sides = [[row["error"] for row in results.figures(name).values()] for name in (better, worse)]
        gap = float(np.mean(sides[1]) - np.mean(sides[0])) if all(sides) else None
        shown = [_shown(results, name) for name in (better, worse)]
        lines.append([f"{better}, {worse}", paper, ", ".join(shown), number(gap, "+.2f"), verdict(*sides)])
    return f"{markdown_table(lines)}\n\n{describe_noise(results)}{_hardly(results, orderings)}"


def describe_noise(results: Results) -> str:
    """How far seeds of one network lie apart, over all finished networks of the protocol."""
    gaps = seed_gaps(results)
    rule = "An ordering holds, or is reversed, when every seed of the one is better than every seed of the other."
    if not gaps:
        return f"Noise: not known, no network has two finished seeds. {rule}"
    return (
        f"Noise: two seeds of one network differ by {np.median(gaps):.2f} (median of {len(gaps)} pairs), "
        f"at most by {max(gaps):.2f}. A positive difference speaks for the paper. {rule}"
    )


def seed_gaps(results: Results) -> list[float]:
    """Differences of the error between neighbouring seeds of every network."""
    gaps = []
    for name in dict.fromkeys(map(results.protocol.run_name, results.protocol.variants)):
        errors = [row["error"] for row in results.figures(name).values()]
        gaps += [abs(one - other) for one, other in pairwise(errors)]
    return gaps


def _hardly(results: Results, orderings: list[Ordering]) -> str:
    """Names the networks that have hardly begun to learn."""
    names = dict.fromkeys(name for ordering in orderings for name in ordering[:2])
    rates = {name: results.columns(name)["failure_rate"] for name in names}
    poor = [f"{name} ({rate:.0f} %)" for name, rate in rates.items() if rate is not None and rate > MANY]
    return (
        f"\n\nMore than half of the pictures still fail (NME above 8 %) with {', '.join(poor)}: where such networks "
        "are compared, the order says how fast they learn, not how good they become."
        if poor
        else ""
    )


def _shown(results: Results, name: str) -> str:
    return number(results.columns(name)["mean"])
