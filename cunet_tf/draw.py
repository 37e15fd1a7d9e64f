"""Landmarks over a photograph, coloured by side, and sheets of pictures."""

from pathlib import Path

import cv2
import numpy as np

from cunet_tf.aliases import Box, Mask, Picture, Points
from cunet_tf.labels import place_labels
from cunet_tf.outputs import marked_picture
from cunet_tf.sides import sides_of
from cunet_tf.skeletons import Skeleton
from cunet_tf.style import GREY, INK, MIDDLE, OUTLINE, SIDES, SMALL_TEXT, WHITE, Colour, disc_radius, rim_width
from cunet_tf.writing import replace_file

FINE = 4  # bits of a pixel's fraction that OpenCV takes


def draw_landmarks(
    image: Picture, points: Points, skeleton: Skeleton,
    mask: Mask | None = None, box: Box | None = None, found: bool = True,
) -> np.ndarray:  # fmt: skip
    """A copy of the picture with edges, points and the box.

    Args:
        image: RGB ``uint8 [H, W, 3]``; small pictures are enlarged to be legible.
        points: ``[C, 2]`` in the picture's pixels.
        skeleton: gives the edges and the sides, which are told by colour (:data:`cunet_tf.style.SIDES`).
        mask: ``[C]``, only points with mask > 0 are drawn.
        box: ``[x0, y0, x1, y1]``, drawn thin when given.
        found: all in grey when false.

    Returns:
        RGB ``uint8``, at least 512 pixels on the long side.
    """
    canvas, zoom = enlarged(image)
    draw_on(canvas, zoom, points, skeleton, mask, box, found)
    return canvas


def enlarged(image: Picture) -> tuple[np.ndarray, int]:
    """A copy of a picture with at least 512 pixels on the long side, and the whole factor."""
    zoom = -(-512 // max(image.shape[:2]))
    if zoom == 1:
        return image.copy(), 1
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR), zoom


def draw_on(
    canvas: Picture, zoom: float, points: Points, skeleton: Skeleton,
    mask: Mask | None = None, box: Box | None = None, found: bool = True,
) -> None:  # fmt: skip
    """Draw one object into a picture that was enlarged ``zoom`` times; other arguments as of :func:`draw_landmarks`."""
    shown = np.ones(len(points), bool) if mask is None else np.asarray(mask) > 0
    places = zoomed(points, zoom)
    radius = _radius(places[shown])
    thick, sides = max(1, round(radius / 2)), sides_of(skeleton)
    if box is not None:
        low, high = np.round(zoomed(np.asarray(box).reshape(2, 2), zoom)).astype(int).tolist()
        cv2.rectangle(canvas, low, high, WHITE if found else GREY, max(1, round(thick / 2)), cv2.LINE_AA)
    for start, end in skeleton.edges:
        if shown[start] and shown[end]:
            colour = SIDES[sides[start]] if sides[start] == sides[end] else MIDDLE
            ends = (_fine(places[start]), _fine(places[end]))
            cv2.line(canvas, *ends, colour if found else GREY, thick, cv2.LINE_AA, FINE)
    for index in np.flatnonzero(shown):
        draw_disc(canvas, places[index], radius, SIDES[sides[index]] if found else GREY)


def draw_disc(canvas: Picture, place: np.ndarray, radius: float, colour: Colour) -> None:
    """A disc in a thin dark rim at ``(x, y)`` in the canvas' pixels."""
    for size, tone in ((radius + rim_width(radius), OUTLINE), (radius, colour)):
        cv2.circle(canvas, _fine(place), round(size * 2**FINE), tone, -1, cv2.LINE_AA, FINE)


def draw_numbers(canvas: Picture, points: Points, shown: np.ndarray, indices: np.ndarray,
                 skeleton: Skeleton) -> None:  # fmt: skip
    """Write the indices of some points near them, where they hide neither points, nor lines, nor each other.

    Args:
        canvas: RGB ``uint8 [H, W, 3]``, with the landmarks drawn by :func:`draw_on`.
        points: ``[C, 2]`` in its pixels.
        shown: ``[C]`` bool, the points that are drawn.
        indices: those to number.
        skeleton: gives the lines.
    """
    texts = [str(index) for index in indices]
    sizes = [np.add(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, SMALL_TEXT, 1)[0], 2) for text in texts]
    bounds = (0.0, 0.0, canvas.shape[1] - 1.0, canvas.shape[0] - 1.0)
    lines = [points[list(edge)] for edge in skeleton.edges if shown[list(edge)].all()]
    on_lines = [ends.T @ (1 - share, share) for ends in lines for share in np.linspace(0.15, 0.85, 6)]
    obstacles = np.vstack([points[shown], *on_lines])
    gap = 3 + 1.5 * _radius(points[shown])
    boxes = place_labels(points[indices], np.reshape(sizes, (-1, 2)), bounds, gap, obstacles)
    for text, box in zip(texts, boxes, strict=True):
        write(canvas, text, (round(box[0]) + 1, round(box[3]) - 1), SMALL_TEXT, rim=True)


def write(
    canvas: Picture, text: str, place: tuple[int, int], scale: float, colour: Colour = INK, rim: bool = False
) -> int:
    """Write text from ``(x, y)`` of its base line on, in a dark rim when asked; returns its width in pixels."""
    if rim:
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, OUTLINE, 3, cv2.LINE_AA)
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
    return cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]


def zoomed(points: Points, factor: float) -> Points:
    """Points ``[C, 2]`` of a picture in the pixels of one enlarged that many times; pixel centres on integers."""
    return (np.asarray(points, np.float64) + 0.5) * factor - 0.5


def fitted(image: Picture, side: int) -> tuple[np.ndarray, float]:
    """A picture scaled into the upper left of a black square of that side, and the factor."""
    scale = side / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:side, :side]
    square = np.zeros((side, side, 3), np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    return square, scale


def contact_sheet(tiles: list[np.ndarray], columns: int, empty: Colour = (0, 0, 0)) -> np.ndarray:
    """Tiles of one size in rows, RGB ``uint8``; places without a tile have the colour ``empty``."""
    blank = np.full_like(tiles[0], empty)
    tiles = [*tiles, *[blank] * (-len(tiles) % columns)]
    return np.vstack([np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)])


def save_png(path: Path | str, image: Picture) -> None:
    """Write RGB ``uint8`` as PNG."""
    replace_file(Path(path), lambda target: target.write_bytes(encoded(image, ".png")))


def save_result(path: Path, image: Picture) -> None:
    """Write RGB ``uint8`` in the format of the ending (.png, .jpg), marked as ours."""
    replace_file(path, lambda target: target.write_bytes(marked_picture(encoded(image, path.suffix))))


def encoded(image: Picture, ending: str) -> bytes:
    """RGB ``uint8`` as the bytes of a ``.png`` or ``.jpg`` file."""
    return cv2.imencode(ending, image[..., ::-1])[1].tobytes()


def _radius(points: Points) -> float:
    return disc_radius(float(np.ptp(points, axis=0).max()) if len(points) else 0.0, len(points))


def _fine(place: np.ndarray) -> tuple[int, int]:
    x, y = np.round(np.clip(place, -1e5, 1e5) * 2**FINE).astype(int)
    return int(x), int(y)
