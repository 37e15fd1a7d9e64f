import csv

import numpy as np

from cunet_tf.trainers.study.measure_margin import COLUMNS, MARGINS, SHIFTS, SIZES, inside, main, views

FLAGS = ["measure_margin", "--data=synthetic", "--split=5:4"]


def peaks(*places):
    rows, columns = np.mgrid[:16, :16]
    parts = [height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2.88) for x, y, height in places]
    return sum(parts)[None, ..., None].astype(np.float32)


def test_a_peak_in_the_margin_gives_way_to_the_best_one_inside():
    maps = peaks((1.0, 7.0, 1.0), (9.3, 8.6, 0.5))
    np.testing.assert_allclose(inside(maps, 0, "dark", 1.2)[0, 0], [1.0, 7.0], atol=0.02)
    np.testing.assert_allclose(inside(maps, 1, "dark", 1.2)[0, 0], [1.0, 7.0], atol=0.02)  # one cell is left out
    np.testing.assert_allclose(inside(maps, 3, "dark", 1.2)[0, 0], [9.3, 8.6], atol=0.02)


def test_kinds_of_boxes():
    kinds = views(8, 1.15)
    assert len(kinds) == len(SIZES) + len(SHIFTS) + 1 and all(len(each) == 8 for each in kinds.values())
    assert kinds["x0.8"][0].scale == 1.25
    matrix = kinds["shifted by 0.2"][0].matrix([10.0, 10.0, 110.0, 60.0], 1.15, 128)
    np.testing.assert_allclose(matrix @ [60.0, 35.0, 1.0], [63.5 + 128 * 0.2 / 1.15, 63.5])


def test_table(tmp_path):
    file = tmp_path / "margin.csv"
    assert main([*FLAGS, f"--csv={file}"]) == 0 and main([*FLAGS, f"--csv={file}"]) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS) and len(rows) == len(MARGINS) * (len(SIZES) + len(SHIFTS) + 1)
    share = {(row["boxes"], row["margin"]): float(row["truth_percent"]) for row in rows}
    assert (
        share["tight", "2"] == 0.0 < share["tight", "3"]
    )  # the crop is 1.15 times the tight box: 2.09 cells around it
    assert share["x0.8", "0"] > 0.0 and share["x1.4", "3"] == 0.0


def test_bad_input(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("precious")
    assert main([*FLAGS, f"--csv={tmp_path / 'mine.csv'}"]) == 2
    assert "mine.csv exists" in capsys.readouterr().err
