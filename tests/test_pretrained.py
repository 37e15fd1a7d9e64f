"""Trained weights as a beginning: shipped names, files, runs; other landmarks; half precision."""

import keras
import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.errors import CUNetError
from cunet_tf.files.shipped import find_weights
from cunet_tf.models.pretrained import save_half, start_from
from cunet_tf.skeletons import Skeleton
from tests.networks import network, spec_of

FIVE = Skeleton("five", ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth"))
IMAGES = np.random.default_rng(0).random((1, 128, 128, 3), dtype=np.float32)


@pytest.fixture(scope="module")
def face():
    return cu.pretrained("face-mobile")


def test_a_shipped_network_is_described_and_finds_faces(face):
    assert (face.spec.name, face.spec.quant, face.spec.skeleton.size) == ("face-mobile", "float", 68)
    assert face.spec.confidence and face.spec.detector and "research use only" in face.spec.license
    sample = cu.load_synthetic(face.spec.skeleton, "5:1").samples[0]
    found = cu.Localizer.load(find_weights("face-mobile")).locate(sample.load(), sample.box)
    eyes = np.linalg.norm(sample.points[36] - sample.points[45])
    assert found.found and np.linalg.norm(found.points - sample.points, axis=1).mean() < 0.1 * eyes


def test_other_landmarks_get_a_new_head_and_keep_the_rest(face):
    keras.utils.set_random_seed(0)
    model = cu.build_network(cu.preset("face-mobile").with_skeleton(FIVE), weights="face-mobile")
    theirs = {variable.path: variable for variable in face.variables}
    kept = [variable for variable in model.variables if variable.path in theirs and "head" not in variable.path]
    assert len(kept) > 100
    for variable in kept:
        np.testing.assert_array_equal(variable, theirs[variable.path])
    assert [tuple(output.shape[1:]) for output in model.outputs] == [(32, 32, 5)] * 2


def test_what_is_new_is_named(face):
    model = cu.build_network(cu.preset("face-mobile").with_skeleton(FIVE))
    assert start_from(model, "face-mobile") == "started from face-mobile; new: unet0_head, unet1_head"
    same = cu.build_network(face.spec)
    assert start_from(same, "face-mobile").endswith("all weights were taken")
    np.testing.assert_array_equal(same(IMAGES)[-1], face(IMAGES)[-1])


def test_the_best_of_a_run_and_a_file(tmp_path):
    model = network()
    (tmp_path / "run").mkdir()
    model.save(tmp_path / "run" / "best.keras")
    for name in (tmp_path / "run", str(tmp_path / "run"), tmp_path / "run" / "best.keras"):
        assert find_weights(name) == tmp_path / "run" / "best.keras"
    assert cu.pretrained(tmp_path / "run").spec == model.spec


@pytest.mark.parametrize(
    "name, words",
    [
        ("face-mobil", "Did you mean 'face-mobile'"),
        ("nowhere.keras", "nowhere.keras: no such model file"),
        ("{t}", "neither a .keras file"),
        ("{t}/x.cunet", "can be run, not trained on: start from a .keras"),
    ],
)
def test_what_is_no_beginning_is_told_apart(tmp_path, name, words):
    (tmp_path / "x.cunet").write_bytes(b"x")
    with pytest.raises(CUNetError, match=words):
        cu.pretrained(name.format(t=tmp_path))


def test_half_precision_takes_half_and_computes_nearly_the_same(tmp_path):
    model = network()
    save_half(model, tmp_path / "half.keras")
    model.save(tmp_path / "whole.keras")
    half = cu.load_keras(tmp_path / "half.keras")
    assert half.spec == model.spec == spec_of()
    for new, old in zip(half.variables, model.variables, strict=True):
        assert new.dtype == "float32" and new.path == old.path
        np.testing.assert_allclose(new, old, rtol=1e-3 if old.path.endswith("kernel") else 0, atol=1e-6)
    assert (tmp_path / "half.keras").stat().st_size < (tmp_path / "whole.keras").stat().st_size
