import csv

import numpy as np

from cunet_tf.quantize.quantizers import Linear
from cunet_tf.trainers.study import measure_ranges


def test_a_row_for_each_range(tmp_path, monkeypatch, eagerly):
    monkeypatch.setattr(measure_ranges, "FIXED", (0.5,))
    monkeypatch.setattr(measure_ranges, "LEARNED", (("peak", 1),))
    file = tmp_path / "ranges.csv"
    assert measure_ranges.main(["", "--pictures=16", "--epochs=1", "--seeds=1", f"--csv={file}"]) == 0
    with file.open() as stream:
        fixed, learned = csv.DictReader(stream)
    assert (fixed["range"], fixed["ranges"]) == ("0.5", "0.5 0.5 0.5 0.5") and learned["range"] == "peak"
    assert all(float(each) >= 2 for each in learned["ranges"].split()[:1])  # 16 x 32 x 32 normal values reach beyond 2
    assert 1 <= float(learned["levels"]) <= 16 and float(learned["error_percent"]) > 0


def test_the_peak_is_covered():
    exponent, known = measure_ranges.peak_exponent(np.float32([-9.0, 0.3, 2.1]), Linear(4, signed=False))
    assert float(exponent) == 2.0 and bool(known)
    assert not bool(measure_ranges.peak_exponent(np.zeros(3, np.float32), Linear(4))[1])
