"""Figures of a confidence on disturbed test pictures: table, page, plot."""

from pathlib import Path

import numpy as np

from cunet_tf.confidence import Confidence
from cunet_tf.figures import plot_shares
from cunet_tf.outputs import page_text
from cunet_tf.rows import Row, markdown_table, number, write_csv
from cunet_tf.trainers.study.describe.results import Results
from cunet_tf.writing import replace_text

COLUMNS = ("looks", "results", "count", "below_threshold_percent", "mean_score", "mean_confidence")


def write_report(folder: Path, name: str, call: str, confidence: Confidence, looks: dict[str, Results]) -> str:
    """Write FOLDER/NAME.csv, .md and .png; returns the table.

    Args:
        folder, name: of the files.
        call: command that made them.
        confidence: with its threshold.
        looks: results by the number of looks.
    """
    rows = [row for title, results in looks.items() for row in rows_of(title, results, confidence)]
    write_csv(folder / f"{name}.csv", rows, COLUMNS)
    lines = [list(COLUMNS), *([number(row[column]) for column in COLUMNS] for row in rows)]
    table = markdown_table(lines)
    good, lost = next(iter(looks.values())).borders
    text = (
        f"# {name}\n\n`{call}`\n\nGood: mean error below {100 * good:g} % of the normalizer; failed: to "
        f"{100 * lost:g} %; lost: above, and boxes without an object. Threshold {confidence.threshold}.\n\n{table}\n\n"
        f"![Confidence]({name}.png)"
    )
    replace_text(folder / f"{name}.md", page_text(text))
    plot(folder / f"{name}.png", confidence, looks)
    return table


def rows_of(title: str, results: Results, confidence: Confidence) -> list[Row]:
    """Share of each kind of result that falls under the threshold."""
    values = values_of(results, confidence)
    failed = ~results.good & ~results.lost
    groups = {"good": results.good, "failed": failed, "lost": results.lost}
    groups |= {f"lost: {kind}": results.lost & (results.kinds == kind) for kind in dict.fromkeys(results.kinds)}
    return [
        {
            "looks": title, "results": group, "count": int(part.sum()),
            "below_threshold_percent": float(100 * np.mean(values[part] < confidence.threshold)),
            "mean_score": float(results.scores[part].mean()), "mean_confidence": float(values[part].mean()),
        }
        for group, part in groups.items() if part.any()
    ]  # fmt: skip


def values_of(results: Results, confidence: Confidence) -> np.ndarray:
    """Confidence ``[N]`` of results."""
    return np.array([confidence(features) for features in results.features])


def plot(file: Path, confidence: Confidence, looks: dict[str, Results]) -> None:
    """Shares of good, failed and lost results below each confidence."""
    limits = np.linspace(0.0, 1.0, 201)
    curves = {}
    for title, results in looks.items():
        values = values_of(results, confidence)
        for group, part in (("good", results.good), ("failed", ~results.good & ~results.lost), ("lost", results.lost)):
            if part.any():
                curves[f"{group}, {title}"] = (values[part][None] < limits[:, None]).mean(axis=1)
    plot_shares(limits, curves, confidence.threshold, "confidence [%]", "results below it [%]", file)
