"""The vectors of ``docs/ports.md``: what Python computes, and what a port does that knows only the page."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "android_demo/tools"))

import golden_ports

from cunet_tf.data.sample import read_image
from cunet_tf.engines import load_engine
from tests import port_by_hand as port

ROOT = golden_ports.ROOT
VECTORS = json.loads(golden_ports.FILE.read_text())
# As the table of the page: what numbers may differ by, in all of a topic or under a key.
TOLERANCES = {
    "upright": 0, "crop": 1e-6, "output": 1e-6, "smoothing": 1e-6, "border": 1e-5, "decode": 1e-4, "scores": 1e-6,
    "to_picture": 1e-5, "flip": 1e-6, "closer": 1e-5, "confidence": 1e-4, "locate": 1e-3, "detector": 1e-5,
    "network": 0.01, "crops": 1e-6,
}  # fmt: skip


def near(found, expected, tolerance):
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=0, atol=tolerance)


def near_bytes(found, expected):
    apart = np.abs(np.array(found, int) - np.array(expected, int))
    assert apart.max() <= 1 and (apart > 0).mean() <= 0.03


def same(found, expected, tolerance):
    """Equal, numbers within the tolerance, bytes of crops as the page says."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            if name in ("crop", "first_crop_row_32"):
                near_bytes(found[name], value)
            else:
                same(
                    found[name],
                    value,
                    0.005 if name == "confidence" and tolerance == TOLERANCES["network"] else tolerance,
                )
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for pair in zip(found, expected, strict=True):
            same(*pair, tolerance)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=0, abs=tolerance)
    else:
        assert found == expected


@pytest.fixture(scope="module")
def made():
    return golden_ports.readable(golden_ports.vectors())


def test_all_topics_are_there(made):
    assert list(made) == list(VECTORS) and set(made) | {"scores"} == set(TOLERANCES)
    assert golden_ports.FILE.stat().st_size < 200_000
    assert golden_ports.FILE.read_text() == golden_ports.text(VECTORS)


@pytest.mark.parametrize("topic", VECTORS)
def test_python_gives_these_vectors(made, topic):
    same(made[topic], VECTORS[topic], TOLERANCES[topic])


def picture(case):
    """As the page gives it, by channel last."""
    return [[[(7 * x + 11 * y + 3 * x * y + 85 * c) % 256 for c in range(3)] for x in range(case["width"])]
            for y in range(case["height"])]  # fmt: skip


def maps_of(case):
    return port.real(case["maps"], case["scale"], case["zero_point"])


def check_upright(case, tolerance):
    assert port.upright(case["stored"], case["orientation"]) == case["upright"]


def check_crop(case, tolerance):
    near(port.crop_map(case["box"], case["factor"], case["roll"], case["size"]), np.ravel(case["matrix"]), tolerance)
    near_bytes(port.crop(picture(case), list(np.ravel(case["matrix"])), case["size"]), np.moveaxis(case["crop"], 0, -1))


def check_output(case, tolerance):
    near(port.real([[case["integers"]]], case["scale"], case["zero_point"])[0][0], case["values"], tolerance)


def check_smoothing(case, tolerance):
    weights = port.kernel(case["sigma"])
    near(weights[len(weights) // 2 :], case["kernel_from_middle"], tolerance)


def check_border(case, tolerance):
    border = port.Border(case["sigma"], case["side"])
    near(border.weights, case["weights"], tolerance)
    for each in case["corrected"]:
        near(border.corrected(each["cell"], each["step"]), each["corrected"], tolerance)


def check_decode(case, tolerance):
    for name in ("argmax", "quarter", "dark"):
        near(port.points_of(maps_of(case), name, case["sigma"]), case[name], tolerance)
    near(port.scores_of(maps_of(case)), case["scores"], TOLERANCES["scores"])


def check_to_picture(case, tolerance):
    matrix = port.crop_map(case["box"], case["factor"], case["roll"], case["input_size"])
    near(port.to_picture(case["heatmap_points"], matrix), case["picture_points"], tolerance)


def check_flip(case, tolerance):
    mirrored = port.real(case["mirrored"], case["scale"], case["zero_point"])
    near(port.mirror_mean(maps_of(case), mirrored, case["flip_pairs"]), case["mean"], tolerance)


def check_crops(case, tolerance):
    turned = port.real(case["turned"], case["scale"], case["zero_point"])
    near(port.crops_mean(maps_of(case), turned), case["mean"], tolerance)


def check_closer(case, tolerance):
    box, roll = port.closer(case["points"], case["mean"])
    near([*box, roll], [*case["box"], case["roll"]], tolerance)
    near(port.closer(case["points"], None)[0], case["box_without_a_mean"], tolerance)


def check_confidence(case, tolerance):
    known, scores = case["confidence"], port.scores_of(maps_of(case))
    features = port.features_of(known, maps_of(case), case["points"], scores, case["before"])
    near(features, list(case["features"].values()), tolerance)
    assert known["features"][: len(features)] == list(case["features"])
    near(port.confidence_of(known, features), case["answer"], tolerance)


def check_locate(case, tolerance):
    left, crops = [port.real(maps, case["scale"], case["zero_point"]) for maps in case["maps"]], []

    def run(crop):
        crops.append(crop)
        return left.pop(0)

    found = port.locate(case["description"], picture(case), case["box"], run, case["flip_test"], case.get("crops", 1))
    same({**found, "box_from": "given" if case["box"] else "whole picture"}, case["object"], tolerance)
    near_bytes(np.transpose(crops[0][32]), case["first_crop_row_32"])
    assert not left


def check_detector(case, tolerance):
    near(port.from_detector(case["detector"], case["box"], case["roll"]), case["mapped"], tolerance)


def check_network(case, tolerance):
    engine = load_engine(str(ROOT / case["model"]))
    image = read_image(ROOT / case["picture"]).tolist()

    def run(crop):
        return np.moveaxis(engine(np.array([crop], np.float32) / 255.0)[0], -1, 0).tolist()

    found = port.locate(engine.spec.to_dict(), image, case["box"], run)
    same({name: found[name] for name in ("landmarks", "scores", "found")},
         {name: case[name] for name in ("landmarks", "scores", "found")}, tolerance)  # fmt: skip
    near(found["confidence"], case["confidence"], tolerance)


@pytest.mark.parametrize("topic", VECTORS)
def test_a_port_that_knows_only_the_page(topic):
    for case in VECTORS[topic]:
        globals()[f"check_{topic}"](case, TOLERANCES[topic])


def test_what_is_wrong_is_seen(made):
    """Half a pixel in the way back, and the peak of the map in place of that of the smoothed one."""
    wrong = json.loads(json.dumps(VECTORS["to_picture"]))
    wrong[0]["picture_points"][0][0] += 0.5
    with pytest.raises(AssertionError):
        same(made["to_picture"], wrong, TOLERANCES["to_picture"])
    case = VECTORS["decode"][0]
    with pytest.raises(AssertionError):
        near(port.points_of(maps_of(case), "quarter", case["sigma"]), case["dark"], TOLERANCES["decode"])


def test_the_example_of_the_page_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/ports.md").read_text(), re.DOTALL)
    exec(code, {})
    median, largest = map(float, capsys.readouterr().out.split())
    assert 0 < median < largest < 10
