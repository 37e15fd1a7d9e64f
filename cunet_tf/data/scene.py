"""Backgrounds, light and occluders of the drawn pictures."""

import cv2
import numpy as np


def background(rng: np.random.Generator, side: int) -> np.ndarray:
    """A colour gradient with random shapes: RGB ``uint8 [side, side, 3]``."""
    corners = rng.integers(20, 235, (2, 2, 3)).astype(np.uint8)
    canvas = cv2.resize(corners, (side, side), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(rng.integers(3, 12))):
        clutter(rng, canvas, largest=0.3)
    return canvas


def clutter(rng: np.random.Generator, canvas: np.ndarray, largest: float) -> None:
    """Draw one ellipse, bar or polygon of random colour, in place."""
    side = canvas.shape[0]
    centre = rng.uniform(0, side, 2)
    reach = rng.uniform(0.05, largest) * side
    colour = random_colour(rng)
    kind = rng.integers(3)
    if kind == 0:
        axes = (int(reach), int(reach * rng.uniform(0.3, 1.0)))
        cv2.ellipse(canvas, _pixel(centre), axes, rng.uniform(0, 180), 0, 360, colour, -1, cv2.LINE_AA)
    elif kind == 1:
        end = centre + rng.uniform(-2, 2, 2) * reach
        cv2.line(canvas, _pixel(centre), _pixel(end), colour, max(1, int(reach * 0.2)), cv2.LINE_AA)
    else:
        corners = centre + rng.uniform(-1, 1, (int(rng.integers(3, 6)), 2)) * reach
        fill(canvas, corners, colour)


def occlude(rng: np.random.Generator, canvas: np.ndarray, chance: float = 0.3) -> None:
    """Sometimes draw one small shape in front of everything."""
    if rng.random() < chance:
        clutter(rng, canvas, largest=0.12)


def light(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """A lamp from one side, a little blur and sensor noise: ``uint8`` like the input."""
    side = canvas.shape[0]
    ramp = np.linspace(-1.0, 1.0, side, dtype=np.float32)
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.4)
    shade = 1.0 + strength * (np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None])
    lit = canvas * (shade * rng.uniform(0.7, 1.15))[..., None].astype(np.float32)
    if rng.random() < 0.5:
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.4, 1.2))
    lit += rng.normal(0.0, rng.uniform(1.0, 8.0), lit.shape).astype(np.float32)
    return np.clip(lit, 0, 255).astype(np.uint8)


def fill(canvas: np.ndarray, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Fill a polygon given in pixels, with sub-pixel corners."""
    fixed = np.round(np.asarray(points) * 16).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], colour, cv2.LINE_AA, shift=4)


def stroke(canvas: np.ndarray, points: np.ndarray, colour: tuple[int, int, int], width: float) -> None:
    """Draw an open line through points in pixels."""
    fixed = np.round(np.asarray(points) * 16).astype(np.int32)
    cv2.polylines(canvas, [fixed], False, colour, max(1, round(width)), cv2.LINE_AA, shift=4)


def disk(canvas: np.ndarray, centre: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
    """Fill a circle with a sub-pixel centre."""
    x, y = np.round(np.asarray(centre) * 16).astype(int)
    cv2.circle(canvas, (int(x), int(y)), max(1, int(radius * 16)), colour, -1, cv2.LINE_AA, shift=4)


def random_colour(rng: np.random.Generator, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    """A random RGB colour."""
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


def tint(colour: tuple[int, int, int], factor: float) -> tuple[int, int, int]:
    """A lighter (factor > 1) or darker colour."""
    red, green, blue = (int(np.clip(value * factor, 0, 255)) for value in colour)
    return red, green, blue


def _pixel(point: np.ndarray) -> tuple[int, int]:
    return int(round(point[0])), int(round(point[1]))
