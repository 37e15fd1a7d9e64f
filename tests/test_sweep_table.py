import csv
import io

import pytest

from cunet_tf.presets import preset
from cunet_tf.trainers.study.paper import JOINTS
from cunet_tf.trainers.study.sweep_markdown import to_markdown
from cunet_tf.trainers.study.sweep_table import make_row, to_csv

DATA = {"name": "300w", "split": "train", "missing": ["ibug"], "train_images": 1845}
FACE = {"split": "full", "images": 554, "box": "tight", "normalizer": "interocular", "nme_interocular": 4.0,
        "pck": None, "missing": []}  # fmt: skip
BODY = {"split": "test", "images": 100, "box": "tight", "normalizer": "torso", "pck": 60.0, "pckh": None,
        "pck_means": {"limbs": 55.5}, "per_group": dict.fromkeys(JOINTS, 61.25), "missing": []}  # fmt: skip


def row(quant, name="face-mobile", init=None, **evaluation):
    spec = preset(name).replace(quant=quant)
    config = {"spec": spec.to_dict(), "data": DATA, "epochs": 30, "seed": 0, "init": init}
    base = FACE if name == "face-mobile" else BODY
    return make_row(config, {**base, **evaluation})


def test_face_row_has_conditions_costs_and_index():
    found = row("BW-a-QIG(818)", init="/somewhere/runs/float.keras")
    assert found["init"] == "float.keras" and found["metric"] == "NME" and found["error"] == found["nme"] == 4.0
    assert (found["weight_bits"], found["feature_bits"], found["gradient_bits"]) == (1, 8, 8)
    assert found["balance_index"] == pytest.approx(16 * 8 / 32 * 1 / 32)
    assert found["honest_balance_index"] == pytest.approx(16 * 8 / 32 * found["honest_size_ratio"])
    assert found["balance_index"] < found["honest_balance_index"] and found["packed_bytes"] < found["ideal_bytes"]


def test_a_changed_preset_is_named_with_its_changes():
    spec = preset("face-mobile")
    config = {"spec": spec.replace(config=spec.config.replace(growth=8)).to_dict(), "data": DATA, "epochs": 30,
              "seed": 0, "init": None}  # fmt: skip
    assert make_row(config, FACE)["preset"] == "face-mobile (growth=8)" and row("float")["preset"] == "face-mobile"


def test_body_row_has_pck_and_joints():
    found = row("float", "pose-mobile")
    assert (found["pck"], found["pckh"], found["pck_limbs"], found["error"]) == (60.0, None, 55.5, 40.0)
    assert found["metric"] == "PCK@0.2" and found["Ank"] == 61.25 and found["balance_index"] == 1600.0
    with_heads = row("float", "pose-mobile", pckh=70.0)
    assert with_heads["metric"] == "PCKh@0.5" and with_heads["error"] == 30.0


def test_csv_has_the_columns_of_faces_or_of_bodies():
    face, body = ([*csv.DictReader(io.StringIO(to_csv([one])))][0] for one in (row("BW"), row("BW", "pose-mobile")))
    assert face["nme"] == "4" and face["init"] == "" and "pck" not in face and "Head" not in face
    assert body["pck"] == "60" and body["pckh"] == "" and body["Head"] == "61.25" and "nme" not in body
    assert list(face)[0] == "quant" and "missing" not in face


def test_undefined_metric_stays_empty():
    found = row("BW", nme_interocular=None)
    assert found["balance_index"] is None
    text = to_markdown([row("float"), found], "cunet sweep", "quantization")
    assert "| BW | - | - | 3.75 | 1.11 |" in text


def test_markdown_of_faces_stands_beside_table_8():
    nmes = {"float": 4.0, "BW": 5.0, "BW-a": 4.5, "BW-QIG(818)": 6.0, "TW-a": 4.2}
    rows = [row(name, init="f.keras", nme_interocular=nme) for name, nme in nmes.items()]
    text = to_markdown(rows, "cunet sweep --seed=0", "quantization")
    assert "`cunet sweep --seed=0`" in text and "[quantization.csv](quantization.csv)" in text
    assert "1,845 pictures" in text and "(554 pictures), tight boxes" in text and "interocular" in text
    assert (
        "left out: ibug" in text
        and "started from the weights of f.keras" in text
        and "ordering, not the levels" in text
    )
    assert "| BW | 5 | 1.25 | 3.75 | 1.11 | 1 / 32 / 32 |" in text
    assert "| TW-a | 4.2 | 1.05 | - | - | 2 / 32 / 32 |" in text
    assert "4 configurations: 1.00." in text and "Table 10" not in text


def test_order_needs_four_configurations_in_common():
    text = to_markdown([row("float"), row("TW-a"), row("BW"), row("BW-a")], "cunet sweep", "quantization")
    assert "not given" in text


def test_markdown_of_bodies_has_the_joints_beside_table_10():
    rows = [row("float", "pose-mobile"), row("BW", "pose-mobile", pck=50.0), row("BW-a-QIG(818)", "pose-mobile")]
    text = to_markdown(rows, "cunet sweep", "quantization")
    assert "| BW | 50 | 1.25 | 84.7 | 1.10 |" in text and "Table 9" in text
    assert "| BW | 61.2 / 96.3 |" in text and "| 50.0 / 84.7 |" in text
    assert "| BW-a-QIG(818) | 61.2 / - |" in text
