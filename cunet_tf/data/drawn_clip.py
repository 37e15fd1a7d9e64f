"""A clip of one drawn face that moves on a known path, to measure tracking."""

import numpy as np

from cunet_tf.data.drawn_face import face_points, paint_face
from cunet_tf.data.geometry import apply, crop_matrix, whole_picture
from cunet_tf.data.scene import background

FPS = 30.0
NOISE = 6.0  # standard deviation of the sensor's noise, in grey levels of 255


def draw_clip(seed: int, frames: int, side: int, speed: float = 1.0) -> tuple[list[np.ndarray], np.ndarray, float]:
    """One face before one background; it translates, turns and scales smoothly.

    Args:
        seed: decides the face, the background, the path and the noise.
        frames: T, number of frames.
        side: of the square frames, in pixels.
        speed: 1 moves the face by about half its size per second on average; 0 keeps it still.

    Returns:
        Frames, T times RGB ``uint8 [side, side, 3]``; true points float64 ``[T, 68, 2]`` in
        pixels; frames per second. A longer clip begins with the shorter one.
    """
    still = face_points(np.random.default_rng((seed, 0)), side)
    phases = np.random.default_rng((seed, 1)).uniform(0.0, 2.0 * np.pi, 4)
    scene = background(np.random.default_rng((seed, 2)), side)
    points = np.stack([apply(pose(speed * t / FPS, phases, side), still) for t in range(frames)])
    pictures = []
    for index in range(frames):
        canvas = scene.copy()
        paint_face(np.random.default_rng((seed, 3)), canvas, points[index])
        noise = np.random.default_rng((seed, 4, index)).normal(0.0, NOISE, canvas.shape)
        pictures.append(np.clip(np.round(canvas + noise), 0, 255).astype(np.uint8))
    return pictures, points, FPS


def pose(time: float, phases: np.ndarray, side: int) -> np.ndarray:
    """Matrix 2x3 that moves the still face at ``time`` in seconds.

    Sines of four periods: 10 % of the side across (2 s) and 8 % down (1.6 s), 15 degrees of
    turning (2.5 s), 15 % of scaling (4 s).
    """
    across, down, turn, size = np.sin(2.0 * np.pi * time / np.array([2.0, 1.6, 2.5, 4.0]) + phases)
    return crop_matrix(
        whole_picture(side, side), 1.0, side,
        scale=1.15**size, rotation=15.0 * turn, shift=(0.10 * across, 0.08 * down),
    )  # fmt: skip
