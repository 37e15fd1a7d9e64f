import cv2
import numpy as np
import pytest

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.localizer import Landmarks
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study.tables.context import Context, Gallery
from cunet_tf.trainers.study.tables.pictures import COLUMNS, SIDE, error, fig_11


def test_grid_of_drawn_faces(tmp_path):
    table = fig_11(Context(tmp_path, tmp_path, gallery=Gallery(split="3:7", count=7)))
    assert len(table.rows) == 7 and 0 < table.rows[0]["error_percent_of_box"] < 20
    assert cv2.imread(str(tmp_path / "fig_11.png")).shape == (2 * SIDE, COLUMNS * SIDE, 3)
    assert "`face-mobile` on synthetic 3:7" in table.about[0]


def test_error_is_a_share_of_the_box():
    sample = load_synthetic(FACE68, "3:1").samples[0]
    side = np.sqrt(np.prod(sample.box[2:] - sample.box[:2]))
    found = Landmarks(sample.points + [0.1 * side, 0.0], np.ones(68), sample.box)
    assert error(sample, found) == pytest.approx(10.0)
