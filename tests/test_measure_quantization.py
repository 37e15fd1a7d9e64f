import csv

import keras
import pytest

from cunet_tf.models.counts import list_convs
from cunet_tf.models.cunet import build_cunet
from cunet_tf.trainers.study import measure_quantization
from tests.networks import TINY

pytestmark = pytest.mark.slow  # trains for a table of the docs

CONFIG = TINY.replace(stacks=1, order=0, levels=1)
INNER = [conv for conv in list_convs(CONFIG) if conv.part not in ("stem", "heads")]


@pytest.fixture(scope="module")
def tables(tmp_path_factory, tiny_spec):
    folder = tmp_path_factory.mktemp("measured")
    spec = tiny_spec.replace(config=CONFIG)
    keras.utils.set_random_seed(0)
    build_cunet(spec, quant="BW-a-QIG(818)").save(folder / "q.keras")
    argv = ["", f"--model={folder / 'q.keras'}", "--data=synthetic", "--split=0:32", "--steps=2", f"--out={folder}"]
    assert measure_quantization.main(argv) == 0
    return {name: list(csv.DictReader((folder / f"quantization_{name}.csv").read_text().splitlines()))
            for name in ("gradients", "clipping")}  # fmt: skip


def test_gradients_of_both_states_widths_and_roundings(tables):
    rows = [row for row in tables["gradients"] if row["measure"] == "gradient"]
    groups = {(row["state"], row["bits"], row["rounding"]) for row in rows}
    assert len(groups) == 8 and len(rows) == 8 * len(INNER)
    assert all(-1.0 <= float(row["cosine"]) <= 1.00001 and 0 <= float(row["nonzero"]) <= 1 for row in rows)


def test_masters_have_moved(tables):
    rows = [row for row in tables["gradients"] if row["measure"] == "masters after 2 steps"]
    assert len(rows) == len(INNER) and all(float(row["changed"]) > 0.2 for row in rows)


def test_every_grid_has_a_clipping_rate(tables):
    grids = len(INNER) + sum(not conv.layer.endswith("bottleneck") for conv in INNER) + 1  # before, behind, the stem's
    assert len({row["tensor"] for row in tables["clipping"]}) == len(tables["clipping"]) == grids
