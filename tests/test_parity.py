import numpy as np
import pytest

from cunet_tf.data.augment import View
from cunet_tf.data.pipeline import make_example
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.engines import KerasEngine
from cunet_tf.export.integer_reference import Reference
from cunet_tf.export.parity import _of_pictures, compare, crops_of, exactness, metrics, tolerance
from cunet_tf.heatmaps import gaussian_maps
from cunet_tf.presets import preset
from tests.networks import TERNARY, crops, integer_file, network


class Fixed:
    """An engine that answers with given heat maps."""

    def __init__(self, maps):
        self.maps = maps

    def __call__(self, images):
        return self.maps


@pytest.fixture
def points(rng):
    return rng.uniform(4, 11, (3, 68, 2)).astype("float32")


def maps(points):
    return np.asarray(gaussian_maps(points, 1.2, 16))


def test_differences_are_in_input_pixels(points, tiny_spec):
    moved = points + np.array([0.03, 0.04], "float32")  # 0.05 heat-map pixels
    report = compare(Fixed(maps(points)), Fixed(maps(moved)), np.zeros((3, 64, 64, 3)), tiny_spec, "float16")
    assert report["landmark_mean"] == pytest.approx(4 * 0.05, rel=0.05)
    assert report["heatmap_max"] == pytest.approx(np.abs(maps(points) - maps(moved)).max())
    assert (
        report["landmark_median"] == pytest.approx(report["landmark_mean"], rel=0.2) and not report["landmarks_jumped"]
    )
    assert not report["ok"] and report["pictures"] == 3


def test_equal_maps_pass_and_nan_fails(points, tiny_spec):
    same = maps(points)
    crops = np.zeros((3, 64, 64, 3))
    assert compare(Fixed(same), Fixed(same + 1e-5), crops, tiny_spec, "float32")["ok"]
    broken = same.copy()
    broken[0, 0, 0, 0] = np.nan
    assert not compare(Fixed(same), Fixed(broken), crops, tiny_spec, "float16")["ok"]


def test_crops_are_spread_over_the_source(tiny_spec):
    source = load_synthetic(tiny_spec.skeleton, "3:10")
    assert crops_of(source, tiny_spec, 4).shape == (4, 64, 64, 3)
    assert crops_of(source, tiny_spec, 50).shape[0] == 10


def test_tolerances_follow_format_grids_and_size(tiny_spec):
    quantized = tiny_spec.replace(quant="TW-QIG(828)")
    assert tolerance(tiny_spec, "float32")["metric"] == 0.01 and tolerance(quantized, "packed")["metric"] == 0.05
    assert tolerance(tiny_spec, "int8")["metric"] > tolerance(quantized, "int8")["metric"]
    assert tolerance(quantized, "float16")["landmark_median"] > tolerance(tiny_spec, "float16")["landmark_median"]
    small, large = (tolerance(preset(name), "float32")["landmark_median"] for name in ("face-mobile", "face-8"))
    assert large == 2 * small


def test_integer_files_are_exact_and_a_changed_one_is_not(monkeypatch):
    data = integer_file(TERNARY)
    found = exactness(data, crops())
    assert found["ok"] and found["differences"] == 0 and found["values"] == 2 * 16 * 16 * 68
    wrong = Reference(data)
    monkeypatch.setattr("cunet_tf.export.parity.Reference", lambda _: lambda image: wrong(image) + np.int8(1))
    assert not exactness(data, crops())["ok"]


def test_metric_of_two_engines(tiny_spec):
    source = load_synthetic(tiny_spec.skeleton, "3:4")
    engine = KerasEngine(network())
    found = metrics(engine, engine, source, tiny_spec, "float32")
    assert found["name"] == "nme_interocular" and found["difference"] == 0 and found["ok"] and found["images"] == 4


class Moved:
    """Peaks at the truth's places, those of some pictures away from them."""

    def __init__(self, spec, source, offsets):
        self.spec = spec
        perm = spec.skeleton.flip_permutation
        crops = [make_example(sample, View(), spec, perm)[1][:, :2] for sample in source]
        self.maps = iter(gaussian_maps(np.stack(crops) + np.float32(offsets)[:, None, None], spec.sigma, 16))

    def __call__(self, crops):
        return np.stack([next(self.maps) for _ in crops])


@pytest.mark.parametrize("offsets, ok", [([1.0] + [0.0] * 7, True), ([1.0] * 8, False)])
def test_one_picture_of_few_does_not_refuse_a_file(tiny_spec, offsets, ok):
    """A landmark that jumps moves the mean of ten pictures beyond any tolerance; all of them worse is another thing."""
    source = load_synthetic(tiny_spec.skeleton, "3:8")
    engines = [Moved(tiny_spec, source, each) for each in ([0.0] * 8, offsets)]
    found = metrics(*engines, source, tiny_spec, "int8")
    assert found["difference"] > found["tolerance"] and found["ok"] is ok
    assert (found["uncertainty"] > found["difference"]) is ok


def test_the_metric_of_a_picture_of_joints_is_its_pck():
    errors = np.array([[0.1, 0.3, np.nan], [np.nan] * 3, [0.2, 0.0, 0.1]])
    np.testing.assert_allclose(_of_pictures(errors), [50.0, np.nan, 100.0])
