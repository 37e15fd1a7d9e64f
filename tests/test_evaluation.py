import dataclasses

import numpy as np
import pytest

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from cunet_tf.evaluation import evaluate
from cunet_tf.localizer import Landmarks
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68, LSP14, MPII16


class Oracle:
    """Answers with the truth, moved by a given share of the inter-ocular distance."""

    decoder, flip_test, crops = "dark", False, 1

    def __init__(self, source, shares):
        presets = {"face68": "face-mobile", "lsp14": "pose-mobile", "mpii16": "pose-2"}
        self.spec = preset(presets[source.skeleton.name])
        ends = {"face68": (36, 45), "lsp14": (9, 2), "mpii16": (13, 2)}[source.skeleton.name]
        self.answers = iter(
            sample.points + [share * np.linalg.norm(sample.points[ends[0]] - sample.points[ends[1]]), 0]
            for sample, share in zip(source, shares, strict=True)
        )

    def locate_batch(self, images, boxes):
        return [Landmarks(next(self.answers), np.ones(68), box) for box in boxes]


def test_figures_by_hand_over_uneven_batches():
    source = load_synthetic(FACE68, "4:18")
    shares = [0.02] * 10 + [0.04] * 5 + [0.10] * 3
    result = evaluate(Oracle(source, shares), source)
    assert result["nme_interocular"] == pytest.approx(100 * np.mean(shares), rel=1e-6)
    assert result["failure_rate"] == pytest.approx(100 * 3 / 18)
    assert result["auc"] == pytest.approx((10 * 0.06 + 5 * 0.04) / 0.08 / 18)
    assert result["nme_interpupil"] > result["nme_interocular"] > 0 and result["nme_box"] > 0
    assert result["images"] == 18 and result["normalizer"] == "interocular" and result["pckh"] is None
    assert result["per_landmark"]["jaw_0"] == pytest.approx(100 * np.mean(shares), rel=1e-6)
    assert set(result["per_group"]) == {"jaw", "brows", "nose", "eyes", "mouth"}
    assert result["subsets"]["synthetic"]["images"] == 18


def test_pose_has_pck_and_no_face_figures():
    source = load_synthetic(LSP14, "4:4")
    result = evaluate(Oracle(source, [0.1, 0.15, 0.3, 0.4]), source)
    assert result["pck"] == pytest.approx(50.0)
    assert result["pck_means"] == pytest.approx({"joints": 50.0, "groups": 50.0, "limbs": 50.0})
    assert result["per_landmark"]["neck"] == pytest.approx(50.0) and result["pckh"] is None
    assert result["nme_interocular"] is None and result["auc"] is None and result["normalizer"] == "torso"


def test_pckh_needs_head_sizes_and_pelvis_and_thorax_do_not_count():
    source = load_synthetic(MPII16, "4:2")
    torsos = [np.linalg.norm(sample.points[13] - sample.points[2]) for sample in source]
    heads = [2 * 0.3 * torsos[0], None]  # the first error is half a head, the second has no head
    samples = [dataclasses.replace(s, head=h) for s, h in zip(source, heads, strict=True)]
    source = dataclasses.replace(source, samples=samples)
    result = evaluate(Oracle(source, [0.2999, 0.1]), source)
    assert result["pckh"] == pytest.approx(100.0) and result["pck"] == pytest.approx(50.0)
    assert result["pckh_means"]["0.1"]["groups"] == 0.0
    assert result["mean_over"].startswith("14 joints")


def test_mismatched_landmarks_are_refused():
    source = load_synthetic(LSP14, "4:2")
    oracle = Oracle(load_synthetic(FACE68, "4:2"), [0, 0])
    with pytest.raises(CUNetError, match="68 landmarks .* has 14"):
        evaluate(oracle, source)
