"""The style sheet: what every plot and every drawn landmark of the project looks like.

Colours are those of Okabe and Ito, which colour-blind people can tell apart too.
"""

from typing import Any

PANEL = (5.4, 4.0)  # inches of one panel of a figure
DPI = 120
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D", "#8C564B")
MARK_LINE = {"color": "#4D4D4D", "linestyle": ":", "linewidth": 1.2}  # a limit, or the best epoch

# Parameters of matplotlib ("rcParams"), beside "axes.prop_cycle", which is made of CYCLE.
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.framealpha": 0.9,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#B0B0B0",
    "grid.alpha": 0.35,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
}

# Landmarks on photographs, RGB.
Colour = tuple[int, int, int]
RIGHT, LEFT, MIDDLE = (240, 90, 20), (60, 160, 255), (245, 230, 60)  # vermilion, blue and yellow, lighter for dark skin
SIDES: dict[str, Colour] = {"right": RIGHT, "first": RIGHT, "left": LEFT, "second": LEFT, "middle": MIDDLE}
OUTLINE, WHITE, GREY = (16, 16, 16), (255, 255, 255), (150, 150, 150)  # rim of a point; box; all that was not found
SMALLEST_DISC = 3.0  # pixels across, without the rim
PAPER, INK = (40, 40, 40), (235, 235, 235)  # of a contact sheet's captions
TEXT, SMALL_TEXT = 0.5, 0.42  # scale of OpenCV's letters in captions, and beside points


def disc_radius(extent: float, count: int) -> float:
    """Radius in pixels of a landmark's disc: smaller where many points share little room.

    Args:
        extent: longer side in pixels of the box around the points.
        count: number of landmarks.
    """
    return max(SMALLEST_DISC / 2, min(extent / 60, extent / (12 * max(count, 1) ** 0.5)))


def rim_width(radius: float) -> float:
    """Pixels of the dark rim around a disc of that radius, which parts it from bright and from like-coloured places."""
    return min(1.0, 0.35 * radius)
