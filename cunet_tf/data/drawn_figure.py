"""Drawn standing, walking and waving people with the 16 joints of MPII or the 14 of LSP.

The person faces the viewer, so its right side is on the picture's left.
"""

import numpy as np

from cunet_tf.data.scene import disk, fill, random_colour, stroke, tint

# LSP joints among MPII's; LSP's neck is MPII's upper neck.
LSP_FROM_MPII = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 8, 9)


def figure_points(rng: np.random.Generator, side: int) -> np.ndarray:
    """16 joints ``[16, 2]`` (MPII order) of a random person in a picture of ``side`` pixels."""
    lean = np.deg2rad(rng.normal(0.0, 12.0))
    up = np.array([np.sin(lean), -np.cos(lean)])
    across = np.array([-up[1], up[0]])  # toward the picture's right, the person's left
    pelvis = np.zeros(2)
    thorax = pelvis + up * rng.uniform(0.9, 1.1)
    neck = thorax + up * 0.12
    head = neck + _turn(up, rng.normal(0.0, 14.0)) * rng.uniform(0.42, 0.52)
    hip, shoulder = rng.uniform(0.17, 0.22), rng.uniform(0.32, 0.42)
    joints = np.zeros((16, 2))
    joints[[6, 7, 8, 9]] = pelvis, thorax, neck, head
    for sign, leg, arm in ((-1, (2, 1, 0), (12, 11, 10)), (1, (3, 4, 5), (13, 14, 15))):
        joints[leg[0]] = pelvis + across * sign * hip
        joints[arm[0]] = thorax + across * sign * shoulder - up * 0.05
        thigh, bend = rng.normal(8.0, 18.0), rng.normal(0.0, 22.0)
        joints[leg[1]] = joints[leg[0]] + _turn(-up, -sign * thigh) * rng.uniform(0.75, 0.9)
        joints[leg[2]] = joints[leg[1]] + _turn(-up, -sign * (thigh + bend)) * rng.uniform(0.7, 0.85)
        raise_, fold = rng.uniform(5.0, 120.0), rng.uniform(-20.0, 110.0)
        joints[arm[1]] = joints[arm[0]] + _turn(-up, -sign * raise_) * rng.uniform(0.5, 0.6)
        joints[arm[2]] = joints[arm[1]] + _turn(-up, -sign * (raise_ + fold)) * rng.uniform(0.45, 0.55)
    low, high = joints.min(axis=0), joints.max(axis=0)
    size = side * rng.uniform(0.55, 0.72) / (high - low).max()
    centre = side / 2 + rng.uniform(-0.05, 0.05, 2) * side
    return (joints - (low + high) / 2) * size + centre


def _turn(vector: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate, clockwise as seen on the screen."""
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]])


def paint_figure(rng: np.random.Generator, canvas: np.ndarray, joints: np.ndarray) -> None:
    """Paint the person of ``joints`` (MPII order) into the picture, in place."""
    unit = float(np.linalg.norm(joints[7] - joints[6]))
    skin = tint((224, 172, 125), rng.uniform(0.45, 1.15))
    shirt, trousers = random_colour(rng), random_colour(rng, 0, 180)
    sleeves = shirt if rng.random() < 0.6 else skin
    for chain in ((2, 1, 0), (3, 4, 5)):
        stroke(canvas, joints[list(chain[:2])], trousers, unit * 0.24)
        stroke(canvas, joints[list(chain[1:])], tint(trousers, 0.9), unit * 0.19)
        disk(canvas, joints[chain[2]], unit * 0.11, (40, 30, 30))
    fill(canvas, joints[[12, 13, 3, 2]], shirt)
    stroke(canvas, joints[[12, 13]], shirt, unit * 0.2)
    stroke(canvas, joints[[2, 3]], tint(trousers, 0.95), unit * 0.2)
    stroke(canvas, joints[[7, 8]], skin, unit * 0.16)
    for chain in ((12, 11, 10), (13, 14, 15)):
        stroke(canvas, joints[list(chain[:2])], tint(sleeves, 0.85), unit * 0.17)
        stroke(canvas, joints[list(chain[1:])], tint(skin, 0.95), unit * 0.13)
        disk(canvas, joints[chain[2]], unit * 0.08, skin)
    _head(rng, canvas, joints, skin, unit)


def _head(rng: np.random.Generator, canvas: np.ndarray, joints: np.ndarray, skin: tuple, unit: float) -> None:
    neck, top = joints[8], joints[9]
    length = float(np.linalg.norm(top - neck))
    axis = (top - neck) / max(length, 1e-6)
    centre, radius = (neck + top) / 2, length / 2
    disk(canvas, centre + axis * radius * 0.15, radius, random_colour(rng, 0, 120))
    disk(canvas, centre - axis * radius * 0.05, radius * 0.85, skin)
    sideways = np.array([-axis[1], axis[0]])
    for sign in (-1, 1):
        disk(canvas, centre + sign * sideways * radius * 0.35, unit * 0.03, (20, 20, 20))
    mouth = centre - axis * radius * 0.45
    stroke(canvas, np.stack([mouth - sideways * radius * 0.3, mouth + sideways * radius * 0.3]), (120, 40, 40), 1)
