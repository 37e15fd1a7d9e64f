import csv

import cv2
import numpy as np
import pytest

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.metrics import limb_joints
from cunet_tf.skeletons import LSP14
from cunet_tf.trainers.study.measure_labels import COLUMNS, VERDICTS, chosen, circles, main, radius, summary

FLAGS = ["measure_labels", "--data=synthetic", "--split=3:6", "--people=4"]


@pytest.fixture(scope="module")
def figures():
    return load_synthetic(LSP14, "3:6")


def test_the_circle_is_that_of_pck(figures):
    sample = figures.samples[0]
    torso = np.linalg.norm(sample.points[9] - sample.points[2])  # left shoulder, right hip
    assert radius(sample, LSP14) == pytest.approx(0.2 * torso)


def test_limbs_are_twelve_and_people_the_same_for_a_seed(figures):
    assert len(limb_joints(LSP14)) == 12 and not {"neck", "head_top"} & {
        LSP14.names[index] for index in limb_joints(LSP14)
    }
    first, again, other = (chosen(figures, 3, seed) for seed in (0, 0, 1))
    assert [one.name for one in first] == [one.name for one in again] == sorted(one.name for one in first)
    assert len(other) == 3 and len({one.name for one in first}) == 3


def test_what_passes_differ_in_is_unsure():
    keys = [("a", f"joint {index}") for index in range(4)]
    first = dict(zip(keys, ("inside", "inside", "side", "outside"), strict=True))
    second = dict(zip(keys, ("inside", "outside", "side", "unsure"), strict=True))
    rows = summary([first, second], 1)
    assert [row["looker"] for row in rows] == ["pass 1", "pass 2", "all passes"]
    assert [rows[2][verdict] for verdict in VERDICTS] == [1, 1, 0, 2]
    assert (rows[2]["at_least_percent"], rows[2]["at_most_percent"]) == (25.0, 75.0)


def test_sheets_then_table(tmp_path, figures):
    sheets = tmp_path / "sheets"
    assert main([*FLAGS, f"--sheets={sheets}"]) == 0
    pictures = sorted(sheets.glob("*.png"))
    assert len(pictures) == 4
    image = cv2.imread(str(pictures[0]))
    plain, drawn = np.hsplit(image[:760], 2)
    assert (plain != drawn).any()
    rows = list(csv.DictReader((sheets / "verdicts.csv").read_text().splitlines()))
    assert len(rows) == len(circles(chosen(figures, 4, 0), LSP14))
    with (tmp_path / "said.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "verdict": "inside"} for row in rows)
    said = tmp_path / "said.csv"
    (sheets / "verdicts.csv").write_text(said.read_text())  # filled in there, and not lost by a second call
    assert main([*FLAGS, f"--sheets={sheets}"]) == 0 and (sheets / "verdicts.csv").read_text() == said.read_text()
    assert main([*FLAGS, f"--passes={said},{said}", f"--csv={tmp_path / 'labels.csv'}"]) == 0
    table = list(csv.DictReader((tmp_path / "labels.csv").read_text().splitlines()))
    assert list(table[0]) == list(COLUMNS) and {row["at_least_percent"] for row in table} == {"100"}


def test_a_missing_verdict_is_named(tmp_path, capsys):
    assert main([*FLAGS, f"--sheets={tmp_path}"]) == 0
    assert main([*FLAGS, f"--passes={tmp_path / 'verdicts.csv'}"]) == 2
    assert "verdict ''; give one of inside, side, outside, unsure." in capsys.readouterr().err


def test_bad_input(tmp_path, capsys, figures):
    assert main(FLAGS) == 2 and "give --sheets=FOLDER" in capsys.readouterr().err
    name = chosen(figures, 4, 0)[0].name
    taken = tmp_path / f"{name.rpartition('/')[2].partition('.')[0]}.png"
    taken.write_text("precious")
    assert main([*FLAGS, f"--sheets={tmp_path}"]) == 2
    assert "was not written by cunet" in capsys.readouterr().err and taken.read_text() == "precious"
