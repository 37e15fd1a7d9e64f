"""The small network that every package builds, and the pictures it is trained on. NumPy only.

Convolutions without bias, each followed by batch normalisation, ReLU and a grid of 8 bits; a last one makes a heat map.
"""

import numpy as np

SIDE, MAP_SIDE = 32, 16
CONVOLUTIONS = ((16, 3, 1), (32, 3, 2), (32, 3, 1))  # filters, kernel size, stride
FEATURE_RANGE = 4.0  # of what follows a ReLU, where a package wants a range
SIGMA = 1.5  # of the heat map's bell, in its pixels
BATCH, EPOCHS = 32, 8
TRAINING, TEST, CALIBRATION = 1024, 64, 64  # pictures
SEED = 0


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of a disc on noise, and where it is.

    Returns:
        Pictures float32 ``[B, 32, 32, 3]`` in 0..1; heat maps float32 ``[B, 16, 16, 1]``, a bell of height 1 on the
        disc's centre.
    """
    rng = np.random.default_rng(seed)
    centre = rng.uniform(6.0, SIDE - 7.0, (count, 1, 1, 2))
    radius, colour = rng.uniform(3.0, 6.0, (count, 1, 1)), rng.uniform(0.6, 1.0, (count, 1, 1, 3))
    grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1)[None]
    inside = np.linalg.norm(grid - centre, axis=-1) <= radius
    pictures = np.where(inside[..., None], colour, rng.uniform(0.0, 0.6, (count, SIDE, SIDE, 3)))
    places = (np.stack(np.meshgrid(np.arange(MAP_SIDE), np.arange(MAP_SIDE)), axis=-1)[None] + 0.25) * 2.0
    maps = np.exp(-((places - centre) ** 2).sum(-1, keepdims=True) / (2.0 * (2.0 * SIGMA) ** 2))
    return pictures.astype(np.float32), maps.astype(np.float32)


def training() -> tuple[np.ndarray, np.ndarray]:
    """Pictures and heat maps to train on, and to calibrate with the first of."""
    return drawn(TRAINING, SEED)


def test_pictures() -> np.ndarray:
    """Pictures that trained and exported functions are compared on."""
    return drawn(TEST, SEED + 1)[0]
