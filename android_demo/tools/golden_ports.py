"""The vectors of ``docs/ports.md``: few, small and readable, for whoever writes a port.

    python android_demo/tools/golden_ports.py

writes ``docs/ports/vectors.json``. Pictures are a formula, heat maps whole numbers.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from golden_points import StoredMaps, gaussians

from cunet_tf.border import corrected, fit_weights, pull
from cunet_tf.boxes import BoxMap, Detection
from cunet_tf.confidence import FEATURES, Confidence, ShapeModel
from cunet_tf.crops import TURN, mean_of_crops
from cunet_tf.data.decoder import decode as read_picture
from cunet_tf.data.geometry import apply, crop_matrix, from_heatmap, invert, warp, whole_picture
from cunet_tf.files.shipped import find_model
from cunet_tf.heatmaps import blur, decode
from cunet_tf.localizer import Localizer, View
from cunet_tf.presets import preset
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec import ModelSpec
from tests.picture_files import tiff

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs/ports/vectors.json"
SCALE, ZERO_POINT = 0.0078125, -3  # of the stored heat maps: 1/128
POINTS = ("eye_right", "eye_left", "nose", "mouth_right", "mouth_left")
PLACES = np.array([[-3.2, -2.7], [3.1, -2.9], [0.2, 0.4], [-2.1, 3.3], [2.3, 3.1]])  # heat-map pixels about a middle
SIDE = 16


def vectors() -> dict[str, Any]:
    """All topics, each a list of cases."""
    return {
        "upright": uprights(), "crop": crops(), "output": [output()], "smoothing": smoothings(), "border": borders(),
        "decode": decodings(), "to_picture": to_picture(), "flip": [flip()], "closer": closer(),
        "confidence": confidences(), "locate": locations(), "detector": detector(), "network": [network()],
        "crops": [crops_mean()],
    }  # fmt: skip


def picture(width: int, height: int) -> np.ndarray:
    """RGB ``uint8 [height, width, 3]``: ``(7 x + 11 y + 3 x y + 85 c) mod 256``."""
    y, x, c = np.mgrid[:height, :width, :3]
    return ((7 * x + 11 * y + 3 * x * y + 85 * c) % 256).astype(np.uint8)


def uprights() -> list[dict[str, Any]]:
    """The eight tags of EXIF: the red values of a stored picture of 3x2 pixels, and of the upright one."""
    stored = np.arange(10, 70, 10, dtype=np.uint8).reshape(2, 3)
    cases = []
    for tag in range(1, 9):
        seen = read_picture(tiff(np.repeat(stored[..., None], 3, axis=2).tobytes(), 3, 2, tag))
        assert seen is not None
        cases.append({"orientation": tag, "stored": stored, "upright": seen[..., 0]})
    return cases


def crops() -> list[dict[str, Any]]:
    """Enlarged, beyond the border, turned, a whole picture, and reduced by 2 and by 3 first."""
    settings = (
        (24, 20, [6.1, 4.2, 13.57, 12.03], 1.25, 0), (24, 20, [-4.3, 2, 9.1, 11.2], 1.15, 0),
        (24, 20, [3, 5, 20, 16], 1.0, 30), (24, 20, None, 1.0, 0),
        (61, 47, [8.2, 3.1, 40.3, 36.4], 1.25, 0), (61, 80, [1.1, 2, 50, 55.3], 1.15, -20),
    )  # fmt: skip
    cases = []
    for width, height, box, factor, roll in settings:
        place = whole_picture(width, height) if box is None else np.array(box, float)
        matrix = crop_matrix(place, factor, SIDE, rotation=roll)
        cases.append({
            "width": width, "height": height, "box": place, "factor": factor, "roll": roll, "size": SIDE,
            "matrix": matrix, "crop": by_channel(warp(picture(width, height), matrix, SIDE)),
        })  # fmt: skip
    return cases


def by_channel(values: np.ndarray) -> np.ndarray:
    """``[h, w, C] -> [C, h, w]``: easier to read in a file."""
    return np.moveaxis(values, -1, 0)


def real(integers: np.ndarray) -> np.ndarray:
    """What int8 heat maps stand for."""
    return (integers.astype(np.float32) - ZERO_POINT) * np.float32(SCALE)


def output() -> dict[str, Any]:
    """int8 values and what they stand for."""
    integers = np.array([-128, -4, -3, -2, 0, 60, 127], np.int8)
    return {"scale": SCALE, "zero_point": ZERO_POINT, "integers": integers, "values": real(integers)}


def stored_maps(points: np.ndarray, side: int, sigma: float, seed: int) -> np.ndarray:
    """int8 heat maps ``[side, side, C]``: Gaussians of different heights with a little noise, so that nothing ties."""
    rng = np.random.default_rng(seed)
    maps = gaussians(points, side, sigma) * rng.uniform(0.5, 0.95, len(points))
    maps += 0.02 * rng.standard_normal(maps.shape)
    return np.clip(np.rint(maps / SCALE) + ZERO_POINT, -128, 127).astype(np.int8)


def smoothings() -> list[dict[str, Any]]:
    """The kernel along one axis: its middle and what follows; a single cell of 1 shows it."""
    cases = []
    for sigma in (1.0, 1.2, 2.1213203435596424):
        cell = np.zeros((33, 33, 1), np.float32)
        cell[16, 16] = 1.0
        row = blur(cell, sigma)[16, 16:, 0]
        half = np.trim_zeros(row / np.sqrt(row[0]), "b")
        cases.append({"sigma": sigma, "kernel_from_middle": half})
    return cases


def borders() -> list[dict[str, Any]]:
    """Factors along one axis, and corrected steps, of two sigmas; of one below 0.7 nothing is set right."""
    cases = []
    for sigma, side in ((1.2, 16), (2.1213203435596424, 12), (0.6, 12)):
        factors = fit_weights(sigma, side, side)
        steps = [(0, -0.9), (0, -0.2), (0, 0.31), (1, 0.4), (2, -0.77), (side // 2, 0.25), (side - 1, 0.2)]
        cases.append({
            "sigma": sigma, "side": side, "pull": pull(sigma), "weights": np.sqrt(np.diag(factors)),
            "corrected": [
                {"cell": cell, "step": step,
                 "corrected": corrected(np.array([[step]]), np.array([[cell]]), sigma, side)[0, 0]}
                for cell, step in steps
            ],
        })  # fmt: skip
    return cases


def decodings() -> list[dict[str, Any]]:
    """Each decoder on peaks inside, on edges, in a corner and half a pixel outside, and on a map without a peak."""
    cases = []
    for index, sigma in enumerate((1.2, 2.1213203435596424, 0.6)):
        side = 12
        places = [[5.3, 6.2], [0.1, 4.3], [-0.4, -0.3], [side - 0.7, 7.4], [1.3, side - 1.8], [2.45, 2.7]]
        maps = stored_maps(np.array(places), side, sigma, index)
        maps[..., 5] = ZERO_POINT  # flat
        maps[4, 7, 5] = maps[6, 2, 5] = ZERO_POINT - 2  # and lower in two places
        found = {name: decode(real(maps)[None], name, sigma) for name in ("argmax", "quarter", "dark")}
        cases.append({
            "sigma": sigma, "scale": SCALE, "zero_point": ZERO_POINT, "maps": by_channel(maps),
            "scores": found["dark"][1][0], **{name: points[0] for name, (points, _) in found.items()},
        })  # fmt: skip
    return cases


def to_picture() -> list[dict[str, Any]]:
    """Heat-map pixels to picture pixels."""
    points = np.array([[0.0, 0.0], [7.5, 7.5], [15.49, -0.5], [3.25, 11.75]])
    cases = []
    for box, roll in (([10.0, 20.0, 110.0, 140.5], 0.0), ([10.0, 20.0, 110.0, 140.5], 24.5)):
        matrix = crop_matrix(box, 1.15, 4 * SIDE, rotation=roll)
        cases.append({
            "box": box, "factor": 1.15, "roll": roll, "input_size": 4 * SIDE, "heatmap_points": points,
            "picture_points": apply(invert(matrix), from_heatmap(points)),
        })  # fmt: skip
    return cases


def confidence() -> Confidence:
    """A measure for five points, as a description holds it."""
    rng = np.random.default_rng(3)
    shapes = PLACES + rng.normal(0, 0.4, (40, 5, 2))
    shape = ShapeModel.fit(shapes, np.ones((40, 5)), 2)
    one = np.array([-6.0, 2.0, 1.0, 3.0, 0.5, -0.7, -0.2, 0.4, -0.3, -2.0, -0.5])
    found = Confidence(shape, one, np.append(one, -0.8), 0.75, 0.56)
    return Confidence.from_dict(found.to_dict())  # rounded


def description() -> ModelSpec:
    """Of a small network for five points."""
    known = preset("face-mobile")
    skeleton = Skeleton("five", POINTS, ((0, 1), (3, 4)), ((0, 1), (2, 3), (2, 4)))
    config = known.config.replace(landmarks=5, input_size=4 * SIDE)
    return known.replace(name="five", skeleton=skeleton, config=config, confidence=confidence())


def flip() -> dict[str, Any]:
    """The mean of a picture's maps and of its mirror image's, turned back."""
    spec = description()
    rng = np.random.default_rng(7)
    maps, mirrored = (rng.integers(-20, 127, (3, 4, 5)).astype(np.int8) for _ in range(2))
    engine = StoredMaps(spec, [real(maps), real(mirrored)])
    mean = Localizer(engine, flip_test=True).heatmaps(np.zeros((1, 1, 1, 3), np.float32))[0]
    return {"flip_pairs": spec.skeleton.flip_pairs, "scale": SCALE, "zero_point": ZERO_POINT,
            "maps": by_channel(maps), "mirrored": by_channel(mirrored), "mean": by_channel(mean)}  # fmt: skip


def turned(degrees: float, zoom: float, x: float, y: float) -> np.ndarray:
    """The five places turned clockwise, enlarged and moved."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return zoom * PLACES @ turn + [x, y]


def closer() -> list[dict[str, Any]]:
    """Where the next look goes: the tight box of the points found, upright for them."""
    cases = []
    for points in (turned(0, 9, 80, 70), turned(35, 6.5, 40, 91), turned(-160, 12, 200, 150)):
        spec = description()
        view = View(np.zeros(4), 1.0, "detector")
        known = Localizer(StoredMaps(spec, [])).closer(points, view)
        plain = Localizer(StoredMaps(spec.replace(confidence=None), [])).closer(points, view)
        cases.append({"mean": spec.to_dict()["confidence"]["shape"]["mean"], "points": points, "box": known.box,
                      "roll": known.roll, "box_without_a_mean": plain.box})  # fmt: skip
    return cases


def confidences() -> list[dict[str, Any]]:
    """Features and confidence of one look and of two."""
    known, cases = confidence(), []
    for index, degrees in enumerate((4.0, 40.0)):
        maps = stored_maps(turned(degrees, 1.1, 7.3, 7.9), SIDE, 1.2, 20 + index)
        points, scores = (part[0] for part in decode(real(maps)[None], "dark", 1.2))
        before = None if index == 0 else turned(degrees, 1.05, 7.5, 7.6)
        features = known.features(real(maps), points, scores, before)
        cases.append({
            "confidence": known.to_dict(), "sigma": 1.2, "scale": SCALE, "zero_point": ZERO_POINT,
            "maps": by_channel(maps), "points": points, "scores": scores, "before": before,
            "features": dict(zip(FEATURES, features, strict=False)), "answer": known(features),
        })  # fmt: skip
    return cases


def locations() -> list[dict[str, Any]]:
    """From a picture to an object, with stored maps in the network's place: one look, with a mirrored one, four,
    and two crops."""
    image, box = picture(120, 90), np.array([30.0, 20.0, 84.0, 70.5])
    views = (
        (box, False, (3.0,)), (box, True, (3.0, -2.0)), (None, False, (10.0, -3.0, 2.0, 0.5)),
        (box, False, (3.0, -4.5)),
    )  # fmt: skip
    cases = []
    for number, (box, flip_test, rolls) in enumerate(views):
        more = {"crops": 2} if number == 3 else {}
        maps = [stored_maps(turned(roll, 1.1 + 0.1 * index, 7.4, 7.7), SIDE, 1.2, 30 + index)
                for index, roll in enumerate(rolls)]  # fmt: skip
        spec = description()
        engine = StoredMaps(spec, [real(each) for each in maps])
        found = Localizer(engine, flip_test=flip_test, **more).locate(image, box)
        cases.append({
            "description": spec.to_dict(), "width": 120, "height": 90, "box": box, "flip_test": flip_test, **more,
            "scale": SCALE, "zero_point": ZERO_POINT, "maps": [by_channel(each) for each in maps],
            "first_crop_row_32": by_channel(np.rint(engine.seen[0][32:33] * 255).astype(np.uint8))[:, 0],
            "object": {"box": found.box, "box_from": found.box_from, "landmarks": found.points,
                       "scores": found.scores, "visible": found.visible, "confidence": found.confidence,
                       "found": found.found},
        })  # fmt: skip
    return cases


def detector() -> list[dict[str, Any]]:
    """A detector's box to the tight box that the model was trained with."""
    cases = []
    for roll in (0.0, 30.0):
        known = BoxMap("blazeface", (0.0019, 0.0581), 0.9605)
        found = known(Detection(np.array([40.0, 30.0, 120.0, 110.0]), 0.9, roll))
        cases.append(
            {"detector": known.to_dict(), "box": [40.0, 30.0, 120.0, 110.0], "roll": roll, "mapped": found.box}
        )
    return cases


def network() -> dict[str, Any]:
    """A shipped model on a drawn picture, whose own pixels make the crop, so that nothing is rounded on the way in."""
    model, image = find_model("face-mobile"), ROOT / "docs/pictures/drawn/face_0.png"
    localizer = Localizer.load(str(model))
    half = localizer.spec.input_size / localizer.spec.crop_factor / 2
    box = [79.5 - half, 79.5 - half, 79.5 + half, 79.5 + half]
    found = localizer.locate(image, box)
    return {
        "model": str(model.relative_to(ROOT)), "picture": str(image.relative_to(ROOT)), "box": box,
        "landmarks": found.points, "scores": found.scores, "confidence": found.confidence, "found": found.found,
    }  # fmt: skip


def crops_mean() -> dict[str, Any]:
    """Heat maps of a crop and of the turned one, of two landmarks, one of them in a corner that the second misses."""
    side, places = 8, np.array([[3.2, 4.4], [0.3, 6.8]])
    maps = stored_maps(places, side, 1.2, 40)
    turned = stored_maps(apply(crop_matrix(whole_picture(side, side), 1.0, side, rotation=TURN), places), side, 1.2, 41)
    mean = mean_of_crops(real(maps)[None], real(turned)[None])[0]
    return {"degrees": TURN, "side": side, "scale": SCALE, "zero_point": ZERO_POINT, "maps": by_channel(maps),
            "turned": by_channel(turned), "mean": by_channel(mean)}  # fmt: skip


def readable(value: Any) -> Any:
    """Plain JSON values, floats with nine digits."""
    if isinstance(value, np.ndarray):
        return readable(value.tolist())
    if isinstance(value, dict):
        return {name: readable(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.9g}") if isinstance(value, float) else value


def text(topics: dict[str, Any]) -> str:
    """JSON with each list of numbers on a line of its own."""
    spread = json.dumps(readable(topics), indent=1)
    return re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda row: "[" + re.sub(r"\s+", " ", row[1]) + "]", spread) + "\n"


def main() -> None:
    """Write all vectors."""
    FILE.parent.mkdir(exist_ok=True)
    topics = vectors()
    FILE.write_text(text(topics))
    print(f"{sum(map(len, topics.values()))} cases, {FILE.stat().st_size:,} bytes in {FILE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
