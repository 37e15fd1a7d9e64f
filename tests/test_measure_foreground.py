import csv

import numpy as np
import pytest

from cunet_tf.codec import DiskCodec, GaussianCodec
from cunet_tf.losses import DetectionLoss, HeatmapLoss
from cunet_tf.trainers.study.measure_foreground import COLUMNS, errors, main
from tests.networks import spec_of, uneven

FLAGS = ["measure_foreground", "--data=synthetic", "--split=5:6"]


@pytest.mark.parametrize("weight", [0.0, 4.0, 20.0])
def test_pixels_add_up_to_the_losses_of_training(rng, weight):
    points = np.float32([[[7.0, 9.0, 1.0], [3.2, 4.6, 1.0]]])
    maps = rng.normal(size=(1, 16, 16, 2)).astype(np.float32)
    for codec, loss in ((GaussianCodec(1.2), HeatmapLoss(1.2, scale=1.0, foreground=weight)),
                        (DiskCodec(2.0), DetectionLoss(2.0, 1.0 + weight, scale=1.0))):  # fmt: skip
        target = np.asarray(codec.encode(points, 16))
        ours = (errors(codec, maps, target) * (1.0 + weight * target)).mean()
        assert ours == pytest.approx(float(loss(points, maps)), rel=1e-5)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    file = tmp_path_factory.mktemp("foreground") / "small.keras"
    uneven(spec_of(shape="small")).save(file)
    return file


def test_a_weight_moves_the_loss_to_what_is_drawn(small, tmp_path):
    table = tmp_path / "foreground.csv"
    for extra in ([], ["--fresh", "--targets=disk"]):
        assert main([*FLAGS, f"--model={small}", f"--csv={table}", *extra]) == 0
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert list(rows[0]) == list(COLUMNS) and [row["state"] for row in rows] == ["trained"] * 3 + ["fresh"] * 3
    for part in (rows[:3], rows[3:]):
        shares = [float(row["loss_percent"]) for row in part]
        assert shares == sorted(shares) and shares[0] < shares[-1] <= 100.0
        assert 0.0 < float(part[0]["pixels_percent"]) < 15.0
    disk = [float(row["loss_percent"]) for row in rows[3:]]  # a share s of the plain loss becomes (1 + w) s / (1 + w s)
    share = disk[0] / 100.0
    assert disk[2] == pytest.approx(100.0 * 21.0 * share / (1.0 + 20.0 * share), rel=1e-3)


@pytest.mark.parametrize(
    ("flags", "words"),
    [(["--targets=disk"], "add --fresh"), (["--weights=a"], "'a' is no weight"), (["--weights=-1"], "is no weight")],
)
def test_bad_flags(flags, words, capsys):
    assert main([*FLAGS, *flags]) == 2
    assert words in capsys.readouterr().err
