"""Golden vectors of pictures: camera frames to RGB, crops."""

from typing import Any

import numpy as np

from cunet_tf.data.geometry import apply, crop_matrix, warp, whole_picture
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.skeletons import FACE68

SHAPES = ((1, 1), (5, 7), (64, 48), (120, 161))


def drawn_face(index: int) -> np.ndarray:
    """A drawn face, RGB ``uint8``."""
    return load_synthetic(FACE68, f"8:{index + 1}").samples[index].load()


def vectors() -> dict[str, Any]:
    """All topics of this file."""
    return {"yuv": yuv(), "crop": crops(), "turned": turned()}


def yuv_to_rgb(y: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """BT.601, full range, in 16-bit fixed point; planes of full size."""
    y, u, v = (plane.astype(np.int64) for plane in (y, u - 128.0, v - 128.0))
    chroma = np.stack([91881 * v, -22554 * u - 46802 * v, 116130 * u], axis=-1)
    rgb = np.clip((65536 * y[..., None] + chroma + 32768) >> 16, 0, 255)
    real = np.stack([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], axis=-1)
    assert np.abs(rgb - np.clip(real, 0, 255)).max() < 0.51
    return rgb.astype(np.uint8)


def yuv() -> list[dict[str, Any]]:
    """Planes with paddings and both pixel strides, and NV21."""
    cases = []
    for index, (height, width) in enumerate(SHAPES):
        rng = np.random.default_rng(index)
        half = ((height + 1) // 2, (width + 1) // 2)
        y = rng.integers(0, 256, (height, width), dtype=np.uint8)
        u, v = (rng.integers(0, 256, half, dtype=np.uint8) for _ in range(2))
        full = [plane.repeat(2, 0).repeat(2, 1)[:height, :width] for plane in (u, v)]
        nv21 = np.concatenate([y.ravel(), np.stack([v, u], axis=-1).ravel()])
        pad, step = 3 * index, 1 + index % 2
        planes = [_strided(y, pad, 1), _strided(u, pad, step), _strided(v, pad, step)]
        cases.append({
            "width": width, "height": height, "planes": planes, "strides": [width + pad, half[1] * step + pad],
            "step": step, "nv21": nv21, "rgb": yuv_to_rgb(y, *full),
        })  # fmt: skip
    return cases


def _strided(plane: np.ndarray, pad: int, step: int) -> np.ndarray:
    """Rows with ``pad`` bytes behind them, values ``step`` bytes apart; the last row ends with its last value."""
    height, width = plane.shape
    out = np.full((height, width * step + pad), 7, np.uint8)
    out[:, : width * step : step] = plane
    return out.ravel()[: (height - 1) * (width * step + pad) + (width - 1) * step + 1]


def crops() -> list[dict[str, Any]]:
    """Crops with every kind of matrix; the last ones are reduced by area averaging first."""
    cases = []
    for index in range(24):
        rng = np.random.default_rng(index)
        image = drawn_face(index % 4)
        if index % 3 == 1:
            image = rng.integers(0, 256, image.shape, dtype=np.uint8)
        if index >= 16:
            repeat = 2 + index % 5
            image = image.repeat(repeat, 0).repeat(repeat, 1)[: -1 - index % 3, : -1 - index % 2]
        height, width = image.shape[:2]
        centre, side = rng.uniform(0.2, 0.8, 2) * (width, height), rng.uniform(0.2, 0.8) * min(width, height)
        box = np.concatenate([centre - side / 2, centre + side / 2]) if index != 20 else whole_picture(width, height)
        factor, size = (1.0 if index == 20 else 1.35), (64, 96, 128, 256)[index % 4]
        rotation, flip = (0.0 if index % 2 else float(rng.uniform(-60, 60))), bool(index % 3 == 2)
        matrix = crop_matrix(box, factor, size, rotation=rotation, flip=flip)
        cases.append({
            "image": image, "box": box.tolist(), "factor": factor, "size": size, "rotation": rotation, "flip": flip,
            "matrix": matrix.ravel().tolist(), "crop": warp(image, matrix, size),
        })  # fmt: skip
    return cases


def turned() -> list[dict[str, Any]]:
    """Frames that must be turned clockwise by 0, 90, 180, 270 degrees, the mirror image on the screen."""
    cases = []
    upright = drawn_face(1)[:, :-10]
    height, width = upright.shape[:2]
    corners = np.array([[0.0, 0.0], [width - 1, 0], [0, height - 1], [12.25, 40.5]])
    for clockwise in (0, 90, 180, 270):
        frame = np.rot90(upright, clockwise // 90)  # counter-clockwise, so that turning it clockwise undoes it
        index = np.arange(height * width).reshape(height, width)
        places = np.rot90(index, clockwise // 90)
        first = [np.argwhere(places == index[y, x])[0][::-1].tolist() for y, x in ((0, 0), (height - 1, width - 1))]
        for mirror in (False, True):
            view = (300, 500)
            scale = min(view[0] / width, view[1] / height)
            screen = (corners - [(width - 1) / 2, (height - 1) / 2]) * scale
            screen[:, 0] *= -1 if mirror else 1
            cases.append({
                "frame": np.ascontiguousarray(frame), "clockwise": clockwise, "mirror": mirror,
                "seen": upright[:, ::-1] if mirror else upright,
                "view": view, "upright": [width, height], "first_last": first, "points": corners.tolist(),
                "screen": (screen + [(view[0] - 1) / 2, (view[1] - 1) / 2]).tolist(),
                **_upright_crop(upright),
            })  # fmt: skip
    return cases


def _upright_crop(upright: np.ndarray) -> dict[str, Any]:
    box = np.array([20.0, 15.0, 90.0, 95.0])
    matrix = crop_matrix(box, 1.3, 64)
    in_crop = apply(matrix, box.reshape(2, 2)).tolist()
    return {"box": box.tolist(), "crop": warp(upright, matrix, 64), "in_crop": in_crop}
