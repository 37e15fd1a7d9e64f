import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.data.sample import read_image
from cunet_tf.draw import contact_sheet, draw_landmarks, plot_curves, plot_lines, plot_points, plot_shares, save_png
from cunet_tf.outputs import is_ours
from cunet_tf.skeletons import Skeleton

PAIR = Skeleton(name="pair", names=("a", "b"), edges=((0, 1),))
LOOSE = Skeleton(name="loose", names=("a", "b"))
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


def test_landmarks_differ_in_colour():
    canvas = draw_landmarks(BLACK, POINTS, PAIR)
    assert np.abs(shown_at(canvas, POINTS[0]).astype(int) - shown_at(canvas, POINTS[1])).max() > 100


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
    tiles = [np.full((30, 30, 3), value, np.uint8) for value in (10, 20, 30)]
    sheet = contact_sheet(tiles, columns=2, side=20)
    assert sheet.shape == (40, 40, 3)
    assert [sheet[10, 10, 0], sheet[10, 30, 0], sheet[30, 10, 0], sheet[30, 30, 0]] == [10, 20, 30, 0]


def test_contact_sheet_keeps_the_shape_of_a_tile():
    sheet = contact_sheet([np.full((40, 80, 3), 255, np.uint8)], columns=1, side=64)
    assert sheet.shape == (64, 64, 3)
    assert (sheet[:32] == 255).all() and not sheet[32:].any()


def test_png_round_trip_keeps_rgb_and_makes_the_folder(tmp_path, rng):
    picture = rng.integers(0, 256, (7, 9, 3), np.uint8)
    save_png(tmp_path / "new" / "folder" / "a.png", picture)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "folder" / "a.png"), picture)


def colourful(file) -> int:
    """Pixels of a plot that are neither white, black nor grey."""
    image = cv2.imread(str(file)).astype(int)
    return int((np.ptp(image, axis=2) > 60).sum())


def history(epochs: int) -> list[dict[str, str]]:
    return [
        {"epoch": str(epoch), "loss": f"{2.0 / (epoch + 1)}", "val_loss": "3.0", "head0_heatmap_mse_loss": "1",
         "val_nme": "" if epoch < 0 else "7.5"}
        for epoch in range(epochs)
    ]  # fmt: skip


@pytest.mark.parametrize("epochs", [1, 5])
def test_training_curves_are_a_picture(tmp_path, epochs):
    plot_curves(history(epochs), tmp_path / "curves.png")
    assert colourful(tmp_path / "curves.png") > 100


def test_training_curves_without_any_nme(tmp_path):
    plot_curves([{"epoch": "0", "loss": "1.0"}], tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")).shape == (400, 500, 3)  # no empty frame


def test_error_curves_are_a_picture(tmp_path):
    limits = np.linspace(0, 0.1, 11)
    easy, hard = limits * 10, limits * 5
    plot_shares(limits, {"easy": easy, "hard": hard}, 0.08, "NME [%]", "pictures [%]", tmp_path / "ced.png")
    both = colourful(tmp_path / "ced.png")
    plot_shares(limits, {"easy": easy}, 0.08, "NME [%]", "pictures [%]", tmp_path / "ced.png")
    assert both > colourful(tmp_path / "ced.png") > 100


def test_lines_without_a_curve_are_no_file(tmp_path):
    assert not plot_lines({"a": ([], "-")}, "x", "y", tmp_path / "none.png")
    assert plot_lines({"a": ([1.0, 2.0], "C0-"), "b": ([], "-")}, "x", "y", tmp_path / "new" / "a.png")
    assert (tmp_path / "new" / "a.png").exists() and not (tmp_path / "none.png").exists()


def test_points_of_every_panel_are_drawn_and_marked_as_ours(tmp_path):
    points = {"a": (1e4, 2.0), "b": (1e6, 9.0)}
    sizes = {}
    for panels in (1, 2):
        file = tmp_path / f"{panels}.png"
        plot_points({("bytes", f"y{index}"): points for index in range(panels)}, ("x",), file)
        assert is_ours(file)
        sizes[panels] = colourful(file)
    assert sizes[2] > 1.5 * sizes[1] > 0
