from pathlib import Path

import pytest

from cunet_tf.export.benchmark_page import page, plot
from cunet_tf.figures import plot_points
from cunet_tf.rows import read_csv
from tests.test_labels import overlaps

SHIPPED = Path(__file__).parents[1] / "docs/results/benchmark.csv"
SHIPPED_CPU = read_csv(SHIPPED)[0]["cpu"]
ROW = {"model": "small", "format": "packed", "trained": True, "bytes": 2_000_000, "median_ms": 1.5, "min_ms": 1.4,
       "p90_ms": 2.0, "ratio": 1.0, "yardstick": "small packed", "clock": "processor", "threads": 1, "runs": 3,
       "peak_mib": 5.0, "operations": 9, "operations_delegated": 8, "cpu": "EPYC: AVX2", "metric": "nme_interocular",
       "value": 3.5}  # fmt: skip


@pytest.fixture
def panels(monkeypatch):
    """What was asked of the plot, and the boxes of the names in it."""
    found = []

    def watched(panels, log, path, title):
        assert title.endswith("thread(s), " + (ROW["cpu"] if path.name == "a.png" else SHIPPED_CPU))
        found.append((panels, log, plot_points(panels, log, path, title)))

    monkeypatch.setattr("cunet_tf.export.benchmark_page.plot_points", watched)
    return found


def test_names_of_the_shipped_comparison_do_not_collide(tmp_path, panels):
    rows = [{**row, **{name: float(row[name]) if row[name] else None for name in ("bytes", "median_ms", "value")}}
            for row in read_csv(SHIPPED)]  # fmt: skip
    plot(rows, tmp_path / "scored.png", "300w helen/testset")
    plot([{**row, "value": None} for row in rows], tmp_path / "plain.png")
    boxes = [box for _, _, each in panels for box in each]
    scored = sum(row["value"] is not None for row in rows)
    assert [len(each) for each in boxes] == [scored, scored, len(rows)] and scored > 4
    assert [overlaps(each) for each in boxes] == [0, 0, 0]


def test_axes_say_unit_data_and_which_way_is_better(tmp_path, panels):
    plot([ROW], tmp_path / "a.png", "300w test")
    plot([{**ROW, "metric": "pck"}], tmp_path / "a.png")
    ((scored, log, _), (pck, _, _)) = panels
    metric = "NME [% of interocular distance],\n300w test, lower is better"
    size, time = "size on disk [MB], lower is better", "median processor time of a picture [ms], lower is better"
    assert list(scored) == [(size, metric), (time, metric)] and log == ("x",)
    assert scored[size, metric] == {"small packed": (2.0, 3.5)}
    assert list(pck)[0][1] == "PCK [%],\nhigher is better"


def test_without_a_metric_time_stands_over_size(tmp_path, panels):
    plot([{**ROW, "value": None}], tmp_path / "a.png")
    ((plain, log, _),) = panels
    assert list(plain.values()) == [{"small packed": (2.0, 1.5)}] and log == ("x", "y")


def test_the_page_marks_untrained_models():
    text = page([ROW, {**ROW, "trained": False, "value": None}], "300w test")
    assert "processor time, 1 thread, 3 rounds in which every model runs once, on EPYC: AVX2." in text
    assert "nme_interocular on 300w test" in text and "| small (untrained) | packed | 2,000,000 |" in text
