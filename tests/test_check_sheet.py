import numpy as np
import pytest

from cunet_tf.check_sheet import COLUMNS, LINE, SIDE, STRIP, numbered, sheet
from cunet_tf.data.check import Finding
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.skeletons import FACE68, Skeleton
from cunet_tf.style import LEFT, MIDDLE, RIGHT

THREE = Skeleton("three", ("right_eye", "left_eye", "nose"), flip_pairs=((0, 1),))


def one_sample(points: np.ndarray, skeleton: Skeleton = THREE, mask: np.ndarray | None = None) -> Source:
    """A dark picture of 150 px with a box of 100 px, so that a tile shows all of it."""
    dark, box = np.full((150, 150, 3), 60, np.uint8), np.array([25.0, 25.0, 125.0, 125.0])
    mask = np.ones(len(points)) if mask is None else mask
    sample = Sample("dark", "all", np.asarray(points, float), mask, box, dark.copy)
    return Source("test", "all", skeleton, [sample])


def test_rows_of_tiles_and_a_second_block_for_findings():
    source = load_synthetic(FACE68, "3:8")
    plain = sheet(source, [])
    assert plain.shape == (2 * STRIP + 2 * (SIDE + LINE), COLUMNS * SIDE, 3)
    empty = plain[2 * STRIP + SIDE + LINE :, 2 * SIDE :]  # eight tiles: two in the second row
    assert np.ptp(empty.reshape(-1, 3), axis=0).max() == 0
    faulty = sheet(source, [Finding("odd", "error", source.samples[4].name, "", "it is odd")])
    assert faulty.shape[0] == plain.shape[0] + STRIP + SIDE + 2 * LINE
    np.testing.assert_array_equal(faulty[: plain.shape[0]], plain)


def disc_at(picture: np.ndarray, x: float, y: float) -> tuple[tuple[int, ...], int]:
    """Colour in the middle, and pixels in a row around it that are of that colour."""
    x, y = round(x), round(y)
    line = picture[y, x - 12 : x + 13].astype(int)
    return tuple(line[12]), int((np.abs(line - line[12]).max(axis=1) < 40).sum())


def test_points_are_discs_of_three_pixels_or_more_in_the_colour_of_their_side():
    points = np.array([[45.0, 50.0], [105.0, 50.0], [75.0, 100.0]])
    picture = sheet(one_sample(points), [])[2 * STRIP :]
    for point, colour in zip(points, (RIGHT, LEFT, MIDDLE), strict=True):
        seen, wide = disc_at(picture, *(point * SIDE / 150))
        assert np.abs(np.subtract(seen, colour)).max() < 10 and wide >= 3
    swapped = sheet(one_sample(points[[1, 0, 2]]), [])[2 * STRIP :]
    assert np.abs(np.subtract(disc_at(swapped, *(points[0] * SIDE / 150))[0], LEFT)).max() < 10


@pytest.mark.parametrize("count", [14, 68])
def test_many_points_are_discs_of_three_pixels_too(count):
    places = np.stack(np.meshgrid(np.linspace(30, 120, 10), np.linspace(30, 120, 7)), axis=-1).reshape(-1, 2)[:count]
    picture = sheet(one_sample(places, Skeleton("many", tuple(map(str, range(count))))), [])[2 * STRIP :]
    assert all(disc_at(picture, *(place * SIDE / 150))[1] >= 3 for place in places)


def test_points_that_are_not_annotated_are_neither_drawn_nor_numbered():
    points, mask = np.array([[45.0, 50.0], [105.0, 50.0], [75.0, 100.0]]), np.array([1.0, 0.0, 1.0])
    tile = sheet(one_sample(points, mask=mask), [])[2 * STRIP :]
    x, y = np.round(points[1] * SIDE / 150).astype(int)
    assert (tile[y - 20 : y + 21, x - 20 : x + 21] == 60).all()


def test_text_is_below_the_picture():
    picture = sheet(one_sample(np.zeros((0, 2)), Skeleton("none", ())), [])[2 * STRIP :, : SIDE - 1]
    box = picture[round(SIDE / 6) + 3 : round(5 * SIDE / 6) - 3, round(SIDE / 6) + 3 : round(5 * SIDE / 6) - 3]
    assert (box == 60).all() and (picture[:SIDE] > 200).all(axis=2).mean() < 0.02  # the white frame alone
    assert (picture[SIDE:] > 200).any()  # the name


def test_few_points_are_all_numbered_many_only_where_a_line_begins():
    assert list(numbered(THREE)) == [0, 1, 2]
    assert list(numbered(FACE68)) == [0, 17, 22, 27, 31, 36, 42, 48, 60]
    assert len(numbered(Skeleton("dots", tuple(map(str, range(30)))))) == 0


def test_the_legend_names_the_sides_there_are():
    few, all_three = (sheet(one_sample(np.full((size, 2), 75.0), skeleton), [])[:STRIP]
                      for size, skeleton in ((1, Skeleton("one", ("tip",))), (3, THREE)))  # fmt: skip
    for colour, inside in ((RIGHT, False), (LEFT, False), (MIDDLE, True)):
        assert (all_three == colour).all(axis=2).any() and (few == colour).all(axis=2).any() == inside
