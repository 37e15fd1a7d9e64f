"""Drawn faces with the 68 points of the iBUG mark-up.

A face is built from our own parametric shape in face units (eyes about 0.85 apart, y down,
z toward the viewer), turned in space and projected; then it is painted over its points.
"""

from collections.abc import Callable

import numpy as np

from cunet_tf.data.scene import disk, fill, random_colour, stroke, tint

SKIN = ((255, 224, 196), (241, 194, 152), (224, 172, 125), (198, 134, 86), (141, 85, 50), (92, 56, 36))


def face_points(rng: np.random.Generator, side: int) -> np.ndarray:
    """68 points ``[68, 2]`` of a random face in a square picture of ``side`` pixels."""
    shape = _shape(rng)
    yaw, pitch, roll = np.deg2rad(rng.normal(0.0, (18.0, 9.0, 10.0)).clip(-38.0, 38.0))
    turned = shape @ _rotation(yaw, pitch, roll).T
    depth = 1.0 / (1.0 - 0.12 * turned[:, 2:])
    flat = turned[:, :2] * depth
    low, high = flat.min(axis=0), flat.max(axis=0)
    size = side * rng.uniform(0.5, 0.62) / (high - low).max()
    centre = side / 2 + rng.uniform(-0.05, 0.05, 2) * side
    return (flat - (low + high) / 2) * size + centre


def _shape(rng: np.random.Generator) -> np.ndarray:
    """Points ``[68, 3]`` of a face that looks straight at the viewer."""
    vary = rng.normal(0.0, 1.0, 16).clip(-2.0, 2.0)
    width, length = 1.0 + 0.06 * vary[0], 1.15 + 0.08 * vary[1]
    t = np.linspace(0.0, np.pi, 17)
    square = 0.85 + 0.12 * np.clip(vary[2], -1, 1)
    jaw_x = -width * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** square
    jaw = np.stack([jaw_x, -0.12 + (length + 0.12) * np.sin(t) ** 1.1, -0.75 + 0.75 * np.sin(t)], axis=1)

    spacing, lift = 0.42 + 0.03 * vary[3], -0.38 + 0.06 * vary[4]
    u = np.linspace(-1.0, 1.0, 5)
    tilt = 0.05 * vary[5]
    brow = np.stack([0.31 * u, -0.10 * (1 - u**2) + tilt * u, 0.12 - 0.10 * np.abs(u)], axis=1)
    right_brow = brow * [1, 1, 1] + [-spacing - 0.06, lift, 0.0]
    left_brow = brow[::-1] * [-1, 1, 1] + [spacing + 0.06, lift, 0.0]

    tip = 0.36 + 0.06 * vary[6]
    bridge_y = np.linspace(-0.10, tip, 4)
    bridge = np.stack([np.zeros(4), bridge_y, np.linspace(0.16, 0.52, 4)], axis=1)
    wing = 0.20 + 0.03 * vary[7]
    base = np.stack([wing * u, tip + 0.13 - 0.04 * np.abs(u), 0.34 - 0.14 * np.abs(u)], axis=1)

    open_eye = np.clip(0.065 + 0.03 * vary[8], 0.012, 0.13)
    reach = 0.17 + 0.012 * vary[9]
    angles = np.deg2rad([180, 120, 60, 0, -60, -120])
    eye = np.stack([reach * np.cos(angles), -open_eye * np.sin(angles), 0.08 + 0.02 * np.cos(angles * 2)], axis=1)
    slant = 0.03 * vary[10]
    right_eye = eye + [-spacing, -0.06, 0.0] + np.outer(-np.cos(angles) * slant, [0, 1, 0])
    left_eye = eye + [spacing, -0.06, 0.0] + np.outer(np.cos(angles) * slant, [0, 1, 0])

    mouth = _mouth(vary[11:], tip)
    return np.concatenate([jaw, right_brow, left_brow, bridge, base, right_eye, left_eye, mouth])


def _mouth(vary: np.ndarray, tip: float) -> np.ndarray:
    """Points ``[20, 3]``: outer lip clockwise from the picture's left corner, then inner."""
    half = 0.34 + 0.05 * vary[0]
    gap = max(0.0, 0.10 * vary[1])
    smile = 0.06 * vary[2]
    full = 0.09 + 0.02 * vary[3]
    y = tip + 0.36 + 0.03 * vary[4]

    def lip(x: np.ndarray, height: np.ndarray) -> np.ndarray:
        bend = -smile * (x / half) ** 2
        return np.stack([x, y + height + bend, 0.28 - 0.25 * (x / half) ** 2], axis=1)

    upper = np.array([-1.0, -0.62, -0.25, 0.0, 0.25, 0.62, 1.0]) * half
    upper_height = -np.array([0.0, 0.75, 1.0, 0.85, 1.0, 0.75, 0.0]) * full - gap / 2 * _arch(upper / half)
    lower = upper[-2:0:-1]
    lower_height = np.array([0.7, 1.05, 1.15, 1.05, 0.7]) * full + gap / 2 * _arch(lower / half)
    inner = np.array([-0.86, -0.4, 0.0, 0.4, 0.86]) * half
    inner_upper = -gap / 2 * _arch(inner / half)
    under = inner[3:0:-1]
    return np.concatenate(
        [lip(upper, upper_height), lip(lower, lower_height),
         lip(inner, inner_upper), lip(under, gap / 2 * _arch(under / half))]
    )  # fmt: skip


def _arch(x: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(1.0 - x**2, 0.0, None))


def _rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    lean = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return lean @ nod @ turn


def paint_face(rng: np.random.Generator, canvas: np.ndarray, points: np.ndarray) -> None:
    """Paint the face of ``points`` into the picture, in place."""
    p = points
    skin = tint(SKIN[rng.integers(len(SKIN))], rng.uniform(0.85, 1.1))
    hair = tint(random_colour(rng, 10, 140), rng.uniform(0.5, 1.0))
    unit = float(np.linalg.norm(p[36] - p[45]))
    _hair_and_head(rng, canvas, p, skin, hair)
    for brow in (p[17:22], p[22:27]):
        stroke(canvas, brow, tint(hair, 0.8), unit * rng.uniform(0.04, 0.09))
    iris = random_colour(rng, 20, 150)
    gaze = rng.uniform(-0.12, 0.12, 2)
    for eye in (p[36:42], p[42:48]):
        _eye(canvas, eye, iris, gaze, skin, unit)
    _nose(canvas, p, skin, unit)
    lips = tint((190, 90, 90), rng.uniform(0.6, 1.1)) if rng.random() < 0.6 else tint(skin, 0.75)
    fill(canvas, p[48:60], lips)
    fill(canvas, p[60:68], (60, 20, 20))
    if rng.random() < 0.5:  # teeth
        middle = p[60:68].mean(axis=0)
        fill(canvas, middle + 0.8 * (p[[60, 61, 62, 63, 64]] - middle), (235, 235, 225))
    stroke(canvas, p[[60, 67, 66, 65, 64]], tint(lips, 0.6), unit * 0.015)
    if rng.random() < 0.25:
        _glasses(rng, canvas, p, unit)


def _hair_and_head(rng: np.random.Generator, canvas: np.ndarray, p: np.ndarray, skin: tuple, hair: tuple) -> None:
    """Neck, hair, ears, then the face outline with a forehead above the brows."""
    up = (p[17:27].mean(axis=0) - p[8]) * 0.42
    height = float(np.linalg.norm(up))
    crown = [p[16] + 0.75 * up, p[26] + 1.0 * up, p[24] + 1.25 * up, p[19] + 1.25 * up, p[17] + 1.0 * up,
             p[0] + 0.75 * up]  # fmt: skip
    outline = np.concatenate([p[:17], crown])
    middle = outline.mean(axis=0)
    neck = np.stack([p[4], p[12], p[12] - 1.2 * up, p[4] - 1.2 * up])
    fill(canvas, neck, tint(skin, 0.8))
    fill(canvas, middle + 0.3 * up + rng.uniform(1.05, 1.3) * (outline - middle), hair)
    for ear in (p[0], p[16]):
        disk(canvas, ear, height * 0.22, tint(skin, 0.9))
    fill(canvas, outline, skin)
    stroke(canvas, p[:17], tint(skin, 0.7), height * 0.04)


def _eye(canvas: np.ndarray, eye: np.ndarray, iris: tuple, gaze: np.ndarray, skin: tuple, unit: float) -> None:
    width = float(np.linalg.norm(eye[0] - eye[3]))
    height = float(np.linalg.norm(eye[1:3].mean(axis=0) - eye[4:6].mean(axis=0)))
    fill(canvas, eye, (240, 240, 238))
    centre = eye.mean(axis=0) + gaze * width
    radius = min(0.24 * width, 0.55 * height)
    disk(canvas, centre, radius, iris)
    disk(canvas, centre, radius * 0.5, (10, 10, 10))
    stroke(canvas, eye[[0, 1, 2, 3]], tint(skin, 0.35), unit * 0.02)
    stroke(canvas, eye[[3, 4, 5, 0]], tint(skin, 0.6), unit * 0.01)


def _nose(canvas: np.ndarray, p: np.ndarray, skin: tuple, unit: float) -> None:
    side = p[31] if np.linalg.norm(p[30] - p[31]) < np.linalg.norm(p[30] - p[35]) else p[35]
    fill(canvas, np.stack([p[27], p[30], side]), tint(skin, 0.9))
    stroke(canvas, p[27:31], tint(skin, 1.12), unit * 0.03)
    stroke(canvas, p[31:36], tint(skin, 0.6), unit * 0.025)
    for nostril in (p[32], p[34]):
        disk(canvas, nostril, unit * 0.02, tint(skin, 0.35))


def _glasses(rng: np.random.Generator, canvas: np.ndarray, p: np.ndarray, unit: float) -> None:
    import cv2

    colour = random_colour(rng, 0, 120)
    thick = max(1, round(unit * 0.03))
    centres = [p[36:42].mean(axis=0), p[42:48].mean(axis=0)]
    pixel: Callable = lambda q: (int(round(q[0])), int(round(q[1])))  # noqa: E731
    for centre in centres:
        cv2.circle(canvas, pixel(centre), int(unit * 0.24), colour, thick, cv2.LINE_AA)
    cv2.line(canvas, pixel(p[39]), pixel(p[42]), colour, thick, cv2.LINE_AA)
