import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from cunet_tf.data.drawn_clip import draw_clip
from cunet_tf.smoothing import BETA, MIN_CUTOFF
from cunet_tf.trainers.study.measure_smoothing import (
    COLUMNS,
    SPEEDS,
    delayed,
    figures,
    interocular,
    lag,
    main,
    second_difference,
    smooth,
)  # fmt: skip

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs/results/smoothing.csv"


@pytest.fixture(scope="module")
def true() -> np.ndarray:
    return draw_clip(0, 60, 64)[1]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_second_difference_is_blind_to_steady_motion_and_sees_noise(rng):
    steady = np.arange(50.0)[:, None, None] * np.ones((1, 68, 2))
    np.testing.assert_allclose(second_difference(steady), 0.0)
    assert second_difference(rng.normal(0, 2.0, (400, 68, 2))).std() == pytest.approx(2.0 * 6.0**0.5, rel=0.02)


def test_jitter_of_known_noise_is_found_in_pixels_and_in_percent(true):
    found = true + default_rng(1).normal(0.0, 0.5, true.shape)
    measured = figures([(found, true)], moves=True)
    assert measured["jitter_px"] == pytest.approx(0.5 * 12.0**0.5, rel=0.03)
    size = interocular(true).mean()
    assert measured["jitter_percent_iod"] == pytest.approx(100.0 * 0.5 * 12.0**0.5 / size, rel=0.05)
    assert measured["mean_error_percent"] == pytest.approx(100.0 * 0.5 * (np.pi / 2) ** 0.5 / size, rel=0.05)


@pytest.mark.parametrize("frames", [0.0, 0.5, 1.0, 2.35])
def test_a_known_delay_is_found_under_offsets_and_noise(true, frames):
    offset = default_rng(2).normal(0.0, 1.0, (1, 68, 2))
    found = delayed(true, frames) + offset + default_rng(3).normal(0.0, 0.3, true.shape)
    assert lag(found, true) == pytest.approx(frames, abs=0.051)


def test_delay_by_whole_frames_is_a_shift(true):
    np.testing.assert_allclose(delayed(true, 3)[3:], true[:-3])
    np.testing.assert_allclose(delayed(true, -2)[:-2], true[2:])


def test_smoothing_trades_jitter_for_lag(true):
    found = true + default_rng(1).normal(0.0, 0.2, true.shape)
    before, after = (figures([(path, true)], moves=True) for path in (found, smooth(found, 2.0, 0.0)))
    assert after["jitter_px"] < 0.5 * before["jitter_px"]
    assert after["lag_frames"] > before["lag_frames"] + 0.5
    assert figures([(found, true)], moves=False)["lag_frames"] is None


def test_the_script_writes_the_table(tmp_path, capsys):
    file = tmp_path / "new" / "smoothing.csv"
    flags = ["--clips=1", "--frames=30", "--side=64", "--min_cutoff=2.0", "--beta=0,1"]
    assert main(["measure_smoothing", f"--csv={file}", *flags]) == 0
    rows = read(file)
    assert tuple(rows[0]) == COLUMNS and len(rows) == 9 == len(capsys.readouterr().out.splitlines())
    assert [row["condition"] for row in rows[:3]] == ["still raw", "still smoothed", "still smoothed"]
    assert rows[0]["min_cutoff"] == rows[0]["lag_frames"] == "" and rows[2]["beta"] == "1.0"
    for raw, smoothed, _ in (rows[index : index + 3] for index in (0, 3, 6)):
        assert float(smoothed["jitter_px"]) < float(raw["jitter_px"])


def test_the_committed_table_backs_the_defaults_and_the_page():
    page = (ROOT / "docs/video.md").read_text()
    rows = read(TABLE)
    for name in SPEEDS:
        (raw,) = [row for row in rows if row["condition"] == f"{name} raw"]
        (chosen,) = [
            row for row in rows
            if row["condition"] == f"{name} smoothed"
            and (float(row["min_cutoff"]), float(row["beta"])) == (MIN_CUTOFF, BETA)
        ]  # fmt: skip
        share = float(chosen["jitter_percent_iod"]) / float(raw["jitter_percent_iod"])
        assert share <= (0.55 if name == "fast" else 0.5)
        assert name == "still" or float(chosen["lag_frames"]) <= 1.5
        for row in (raw, chosen):
            line = " | ".join(row[column] for column in COLUMNS[1:5] if row[column])
            assert line in page, f"docs/video.md does not quote {row}"
