import csv

import numpy as np
import pytest

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.evaluation import evaluate
from cunet_tf.localizer import Localizer
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study.measure_crops import COLUMNS, CROPS, KEYS, main

FLAGS = ["measure_crops", "--data=synthetic", "--split=5:6"]


@pytest.mark.slow  # evaluates for a table of the docs
def test_every_second_crop_and_the_one_that_ships(tmp_path):
    file = tmp_path / "crops.csv"
    for more in ([], ["--flip_test"], []):  # the last replaces the first
        assert main([*FLAGS, *more, f"--csv={file}"]) == 0
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS) and set(KEYS) < set(COLUMNS)
    assert len(rows) == 2 * (2 * len(CROPS) - 1)
    percent = {(row["flip_test"], row["second_crop"], row["average"]): float(row["percent"]) for row in rows}
    source = load_synthetic(FACE68, "5:6")
    for flip_test in (False, True):
        for crops, key in ((1, ("none", "-")), (2, ("turned by 8", "heat maps"))):
            figure = evaluate(Localizer.load("face-mobile", flip_test=flip_test, crops=crops), source)
            assert percent[str(flip_test), *key] == pytest.approx(figure["nme_interocular"], rel=1e-3)
    assert np.ptp(list(percent.values())) > 0


def test_bad_input(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("precious")
    assert main([*FLAGS, f"--csv={tmp_path / 'mine.csv'}"]) == 2
    assert "mine.csv exists" in capsys.readouterr().err
