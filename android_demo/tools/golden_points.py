"""Golden vectors of points: heat maps to points, mapping back, flip test, smoothing, tracking."""

from typing import Any

import numpy as np
from golden_pixels import drawn_face

from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.heatmaps import decode
from cunet_tf.localizer import Landmarks, Localizer
from cunet_tf.presets import preset
from cunet_tf.smoothing import OneEuroFilter
from cunet_tf.spec import ModelSpec
from cunet_tf.tracking import track


def vectors() -> dict[str, Any]:
    """All topics of this file."""
    return {"decode": decodings(), "locate": locations(), "smooth": smoothings(), "track": [tracking()]}


def gaussians(points: np.ndarray, side: int, sigma: float) -> np.ndarray:
    """``[side, side, C]``: one of height 1 around each of the points ``[C, 2]``."""
    grid, (x, y) = np.arange(side), points.T
    return np.exp(-((grid[:, None, None] - y) ** 2 + (grid[None, :, None] - x) ** 2) / (2 * sigma**2))


def heatmaps(rng: np.random.Generator, side: int, channels: int, sigma: float, noise: float) -> np.ndarray:
    """Gaussians at random places, some on or beyond the border, with noise."""
    maps = gaussians(rng.uniform(-1.0, side, (2, channels)).T, side, sigma)
    return (rng.uniform(0.2, 1.1) * maps + noise * rng.standard_normal(maps.shape)).astype(np.float32)


def decodings() -> list[dict[str, Any]]:
    """Every decoder on clean, noisy, flat and negative maps."""
    cases = []
    for index, (side, channels, sigma) in enumerate(((32, 68, 1.0), (32, 14, 1.5), (64, 16, 2.0), (16, 5, 0.7))):
        rng = np.random.default_rng(index)
        maps = heatmaps(rng, side, channels, sigma, 0.02 * index)
        maps[..., 0] = 0.0 if index % 2 else -0.1  # no peak at all
        for name in ("argmax", "quarter", "dark"):
            points, scores = decode(maps[None], name, sigma)
            cases.append({
                "maps": maps, "decoder": name, "sigma": sigma, "points": points[0], "scores": scores[0],
            })  # fmt: skip
    return cases + [on_the_border(side, sigma) for side, sigma in ((32, 1.2), (16, 2.12), (16, 0.5))]


def on_the_border(side: int, sigma: float) -> dict[str, Any]:
    """DARK where its smoothing meets the border: corners, edges, half a pixel outside, and far inside."""
    places = np.array([-0.4, 0.0, 0.3, 0.5, 1.4, 2.0, side / 2 + 0.1, side - 1.6, side - 1.0, side - 0.6])
    points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    maps, grid = gaussians(points, side, sigma), np.arange(side)
    # Of different heights, with a slope, so that no two cells are equally high but for rounding.
    slope = 1 + 1e-4 * (grid[:, None, None] + 2 * grid[None, :, None])
    maps = (maps * np.linspace(0.4, 1.0, len(points)) * slope).astype(np.float32)
    points, scores = decode(maps[None], "dark", sigma)
    return {"maps": maps, "decoder": "dark", "sigma": sigma, "points": points[0], "scores": scores[0]}


class StoredMaps:
    """An engine that returns stored maps, one after the other."""

    def __init__(self, spec: ModelSpec, maps: list[np.ndarray]):
        self.spec, self.maps, self.seen = spec, maps, []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Remembers the crop, returns the next maps."""
        self.seen.append(images[0])
        return self.maps[len(self.seen) - 1][None]


def locations() -> list[dict[str, Any]]:
    """The whole way from picture to points: with and without a box, the flip test, and a measure of confidence."""
    plain, shipped = preset("face-mobile").replace(crop_factor=1.3), shipped_spec("face-mobile")[1]
    body = preset("pose-mobile").replace(crop_factor=1.3)
    settings = (
        (plain, False, True), (plain, True, True), (body, True, False), (shipped, False, True), (shipped, True, False),
        (plain, False, True, 2), (shipped, True, False, 2),
    )  # fmt: skip
    return [location(index, *setting) for index, setting in enumerate(settings)]


def location(index: int, spec: ModelSpec, flip_test: bool, boxed: bool, crops: int = 1) -> dict[str, Any]:
    """One of them; without a box four looks, each at maps of its own."""
    side, channels = spec.input_size // 4, spec.skeleton.size
    rng = np.random.default_rng(index)
    runs = (1 if boxed else 4) * (1 + flip_test) * crops
    maps = [heatmaps(rng, side, channels, spec.sigma, 0.01) for _ in range(runs)]
    engine, image = StoredMaps(spec, maps), drawn_face(index)
    box = np.array([30.0, 25.0, 110.0, 120.5]) if boxed else None
    found = Localizer(engine, flip_test=flip_test, crops=crops).locate(image, box)
    return {
        "spec": spec.to_json(), "image": image, "box": None if box is None else box.tolist(),
        "flip_test": flip_test, "crops": crops,
        "maps": maps, "inputs": [crop.astype(np.float32) for crop in engine.seen],
        "points": found.points, "scores": found.scores, "place": found.box.tolist(), "box_from": found.box_from,
        "confidence": found.confidence, "found": found.found,
        "visible": None if found.visible is None else found.visible.tolist(),
    }  # fmt: skip


def smoothings() -> list[dict[str, Any]]:
    """Random walks at irregular times, a repeated time among them."""
    cases = []
    for index, (cutoff, beta) in enumerate(((2.5, 1.0), (1.0, 0.0), (0.3, 4.0))):
        rng = np.random.default_rng(index)
        times = np.cumsum(rng.uniform(0.01, 0.08, 30))
        times[7] = times[6]
        points = np.cumsum(rng.normal(0, 2, (30, 9, 2)), axis=0) + rng.uniform(0, 200, (9, 2))
        smooth = OneEuroFilter(cutoff, beta)
        answers = np.stack([smooth(frame, float(time)) for frame, time in zip(points, times, strict=True)])
        cases.append({
            "min_cutoff": cutoff, "beta": beta, "times": times.tolist(), "points": points, "answers": answers,
        })  # fmt: skip
    return cases


class StoredPoints:
    """A localizer that returns stored points and notes where it was asked to search."""

    def __init__(self, points: np.ndarray, scores: np.ndarray):
        self.points, self.scores, self.boxes = points, scores, []

    def locate(self, image: np.ndarray, box: np.ndarray | None) -> Landmarks:
        """The next frame's points."""
        index = len(self.boxes)
        self.boxes.append(None if box is None else np.asarray(box, float).tolist())
        return Landmarks(self.points[index], self.scores[index], np.zeros(4))


def tracking() -> dict[str, Any]:
    """Frames that are found, lost for long, found again, and shrink to a point."""
    rng = np.random.default_rng(5)
    count = 60
    points = np.cumsum(rng.normal(0, 1.5, (count, 6, 2)), axis=0) + rng.uniform(0, 90, (6, 2))
    points[50] = points[50][:1] + 0.5
    scores = np.full((count, 6), 0.7, np.float32)
    scores[10:40] = 0.2
    scores[45] = 0.39
    stored = StoredPoints(points, scores)
    frames = [(index / 30.0, np.zeros((4, 4, 3), np.uint8)) for index in range(count)]
    box = [1.0, 2.0, 80.0, 90.0]
    found = [frame.objects[0] for frame in track(stored, frames, np.array(box), OneEuroFilter())]
    return {
        "start": box, "points": points, "scores": scores, "boxes": stored.boxes, "lost": [one.lost for one in found],
        "smoothed": np.stack([one.smoothed.points for one in found]),
    }  # fmt: skip


def shipped_spec(name: str) -> tuple[bytes, ModelSpec]:
    """Bytes and description of a shipped model as ``.tflite``."""
    data = read_model(find_model(name))
    return data, spec_of(data)
