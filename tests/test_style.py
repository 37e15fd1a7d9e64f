import itertools

import numpy as np
import pytest

from cunet_tf.style import CYCLE, LEFT, MIDDLE, RIGHT, SMALLEST_DISC, STYLE, disc_radius


def test_matplotlib_knows_every_parameter_of_the_style():
    import matplotlib

    assert set(STYLE) <= set(matplotlib.rcParams) and STYLE["savefig.dpi"] == STYLE["figure.dpi"]


def deuteranope(colour: tuple[int, int, int]) -> np.ndarray:
    """How somebody without green cones sees it (Viénot, Brettel and Mollon 1999), linear RGB."""
    red, green, blue = (np.array(colour) / 255) ** 2.2
    same = 0.29275 * red + 0.70725 * green
    return np.array([same, same, blue - 0.02234 * (red - green)])


@pytest.mark.parametrize("sight", [np.array, deuteranope])
def test_sides_are_told_apart_also_by_colour_blind_people(sight):
    for one, other in itertools.combinations((RIGHT, LEFT, MIDDLE), 2):
        seen = [np.asarray(sight(colour), float) for colour in (one, other)]
        scale = 1.0 if sight is deuteranope else 255.0
        assert np.abs(seen[0] - seen[1]).max() / scale > 0.3


def test_colours_of_lines_are_all_different():
    assert len(set(CYCLE)) == len(CYCLE) == 8


def test_discs_shrink_where_points_are_many_but_never_below_three_pixels():
    assert disc_radius(240, 14) > disc_radius(240, 68) > disc_radius(60, 68) == SMALLEST_DISC / 2
    assert disc_radius(0, 0) == SMALLEST_DISC / 2 and disc_radius(600, 1) == 10
