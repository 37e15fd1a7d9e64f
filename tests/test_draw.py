import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.data.sample import read_image
from cunet_tf.draw import contact_sheet, draw_landmarks, draw_numbers, draw_on, fitted, save_png, zoomed
from cunet_tf.skeletons import Skeleton
from cunet_tf.style import GREY, LEFT, MIDDLE, RIGHT, SMALLEST_DISC

PAIR = Skeleton(name="pair", names=("a", "b"), edges=((0, 1),))
LOOSE = Skeleton(name="loose", names=("a", "b"))
SIDED = Skeleton(name="sided", names=("right_a", "left_a", "nose"), flip_pairs=((0, 1),), edges=((0, 1),))
BLACK = np.zeros((64, 80, 3), np.uint8)
ZOOM = 7  # the smallest whole factor that makes 80 pixels 512 or more
POINTS = np.array([[10.0, 20.0], [60.0, 40.0]])


def shown_at(canvas: np.ndarray, point, zoom: int = ZOOM) -> np.ndarray:
    """The drawn pixel over a point of the picture."""
    x, y = np.round((np.asarray(point) + 0.5) * zoom - 0.5).astype(int)
    return canvas[y, x]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 700), st.integers(1, 700))
def test_drawing_is_enlarged_by_the_smallest_whole_factor_to_512_pixels(width, height):
    canvas = draw_landmarks(np.zeros((height, width, 3), np.uint8), np.zeros((0, 2)), Skeleton("none", ()))
    factor = next(factor for factor in range(1, 513) if factor * max(width, height) >= 512)
    assert canvas.shape == (height * factor, width * factor, 3)


def test_large_pictures_keep_their_size():
    assert draw_landmarks(np.zeros((900, 700, 3), np.uint8), POINTS, PAIR).shape == (900, 700, 3)


def test_points_and_edges_are_drawn_where_they_are():
    canvas = draw_landmarks(BLACK, POINTS, PAIR)
    for place in (*POINTS, POINTS.mean(axis=0)):
        assert shown_at(canvas, place).max() > 200
    assert not shown_at(canvas, [60.0, 20.0]).any()


def test_without_edges_only_points_are_drawn():
    canvas = draw_landmarks(BLACK, POINTS, LOOSE)
    assert shown_at(canvas, POINTS[0]).max() > 200
    assert not shown_at(canvas, POINTS.mean(axis=0)).any()


def test_a_point_is_centred_on_its_pixel():
    found = cv2.moments(draw_landmarks(BLACK, POINTS[:1], Skeleton("one", ("a",))).max(axis=2))
    centre = np.array([found["m10"], found["m01"]]) / found["m00"]
    np.testing.assert_allclose((centre + 0.5) / ZOOM - 0.5, POINTS[0], atol=1.0 / ZOOM)


def test_masked_points_and_their_edges_are_left_out():
    canvas = draw_landmarks(BLACK, POINTS, PAIR, mask=np.array([1.0, 0.0]))
    assert shown_at(canvas, POINTS[0]).max() > 200
    assert not shown_at(canvas, POINTS[1]).any()
    assert not shown_at(canvas, POINTS.mean(axis=0)).any()


def test_sides_differ_in_colour_and_the_edge_between_them_has_neither():
    points = np.array([[10.0, 20.0], [60.0, 20.0], [35.0, 50.0]])
    canvas = draw_landmarks(BLACK, points, SIDED)
    assert [tuple(shown_at(canvas, place)) for place in (*points, points[:2].mean(axis=0))] == [
        RIGHT, LEFT, MIDDLE, MIDDLE]  # fmt: skip
    swapped = draw_landmarks(BLACK, points[[1, 0, 2]], SIDED)
    assert tuple(shown_at(swapped, points[0])) == LEFT


def test_what_was_not_found_is_grey():
    canvas = draw_landmarks(BLACK, POINTS, PAIR, box=np.array([5.0, 10.0, 70.0, 50.0]), found=False)
    assert np.ptp(canvas.astype(int), axis=2).max() == 0
    assert tuple(shown_at(canvas, POINTS[0])) == GREY


def test_the_smallest_discs_are_three_pixels_across():
    canvas = np.zeros((64, 64, 3), np.uint8)
    draw_on(canvas, 1, np.array([[20.0, 30.0], [23.0, 40.0]]), LOOSE)  # so near that the least radius counts
    assert SMALLEST_DISC >= 3
    assert (canvas[30, 19:22] > 150)[:, 0].all() and (canvas[29:32, 20] > 150)[:, 0].all()


def test_a_dark_rim_parts_points_from_a_bright_picture():
    canvas = np.full((64, 300, 3), 255, np.uint8)
    draw_on(canvas, 1, np.array([[32.0, 32.0], [272.0, 32.0]]), LOOSE)
    assert canvas[32, 24:32].max(axis=1).min() < 100 and canvas[32, 33:41].max(axis=1).min() < 100


def test_numbers_are_near_their_points_and_hide_none():
    canvas = np.zeros((100, 200, 3), np.uint8)
    points = np.array([[50.0, 50.0], [150.0, 50.0]])
    draw_numbers(canvas, points, np.ones(2, bool), np.array([1]), LOOSE)
    rows, columns = np.nonzero(canvas.max(axis=2) > 100)
    assert len(rows) > 5 and np.hypot(columns - 150, rows - 50).max() < 40
    assert not canvas[46:55, 146:155].any()


def test_the_box_is_drawn_white():
    canvas = draw_landmarks(BLACK, POINTS, LOOSE, box=np.array([5.0, 10.0, 70.0, 50.0]))
    for corner in ([5, 10], [70, 10], [5, 50], [70, 50], [30, 10]):
        assert shown_at(canvas, corner).min() > 200
    assert not shown_at(canvas, [30, 30]).any()


def test_the_picture_itself_is_not_changed():
    for side in (64, 1000):
        picture = np.full((side, side, 3), 7, np.uint8)
        draw_landmarks(picture, POINTS, PAIR)
        assert (picture == 7).all()


def test_points_outside_the_picture_are_no_error():
    canvas = draw_landmarks(BLACK, np.array([[-500.0, 3.0], [5000.0, 1e4]]), LOOSE)
    assert not canvas.any()


def test_contact_sheet_places_tiles_row_by_row():
    tiles = [np.full((20, 30, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = contact_sheet(tiles, columns=2, empty=(7, 7, 7))
    assert sheet.shape == (40, 60, 3)
    assert [sheet[10, 10, 0], sheet[10, 40, 0], sheet[30, 10, 0], sheet[30, 40, 0]] == [10, 20, 30, 7]


def test_fitted_keeps_the_shape_of_a_picture():
    square, scale = fitted(np.full((40, 80, 3), 255, np.uint8), 64)
    assert square.shape == (64, 64, 3) and scale == 0.8
    assert (square[:32] == 255).all() and not square[32:].any()


def test_zoomed_points_stay_on_what_they_show():
    image = np.zeros((16, 16, 3), np.uint8)
    image[5, 9] = 255
    large = fitted(image, 48)[0]
    found = cv2.moments(large[..., 0])
    np.testing.assert_allclose(zoomed(np.array([9.0, 5.0]), 3), np.array([found["m10"], found["m01"]]) / found["m00"])


def test_png_round_trip_keeps_rgb_and_makes_the_folder(tmp_path, rng):
    picture = rng.integers(0, 256, (7, 9, 3), np.uint8)
    save_png(tmp_path / "new" / "folder" / "a.png", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "folder" / "a.png"), picture)
