import cv2
import numpy as np
import pytest

from cunet_tf import figures
from cunet_tf.figures import nme_label, plain_ticks, plot_curves, plot_lines, plot_panels, plot_points, plot_shares
from cunet_tf.outputs import is_ours
from cunet_tf.style import CYCLE, DPI, PANEL
from tests.test_labels import overlaps

SIDE = (round(PANEL[1] * DPI), round(PANEL[0] * DPI))


@pytest.fixture
def drawn(monkeypatch):
    """Collects the axes of every figure, which stay readable after it is saved."""
    found = []
    original = figures._figure

    @figures.contextmanager
    def watched(*arguments):
        with original(*arguments) as axes:
            found.extend(axes)
            yield axes

    monkeypatch.setattr(figures, "_figure", watched)
    return found


def history(epochs: int, **columns) -> list[dict[str, str]]:
    columns = {"loss": "2", "val_loss": "3", "head0_heatmap_mse_loss": "1", **columns}
    return [
        {"epoch": str(epoch + 1), **{name: str(value) for name, value in columns.items()}} for epoch in range(epochs)
    ]


def words(axis) -> list[str]:
    return axis.get_legend_handles_labels()[1]


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_training_curves_have_whole_epochs_and_plain_names(tmp_path, drawn, epochs):
    plot_curves(history(epochs, val_nme="7.5", watched_nme="7"), tmp_path / "curves.png")
    assert cv2.imread(str(tmp_path / "curves.png")).shape == (SIDE[0], 2 * SIDE[1], 3)
    loss, nme = drawn
    for axis in drawn:
        low, high = axis.get_xlim()
        inside = [tick for tick in axis.get_xticks() if low <= tick <= high]
        assert inside and all(tick == int(tick) for tick in inside) and high - low >= 1
    assert loss.get_ylabel() == "loss, lower is better" and nme.get_ylabel() == "NME [%], lower is better"
    assert words(loss) == ["training", "validation"]
    assert words(nme) == ["validation", "training, not augmented", "best on validation: 7.5, epoch 1"]


def test_one_part_has_one_colour_in_all_panels(tmp_path, drawn):
    plot_curves(history(3, val_nme="7.5"), tmp_path / "curves.png")
    loss, nme = ({line.get_label(): line.get_color() for line in axis.lines} for axis in drawn)
    assert loss["validation"] == nme["validation"] == "C1"


@pytest.mark.parametrize(("metric", "best"), [("nme", 2), ("pck", 3)])
def test_the_best_epoch_is_marked(tmp_path, drawn, metric, best):
    rows = [row | {f"val_{metric}": value} for row, value in zip(history(3), ("5", "4", "6"), strict=True)]
    plot_curves(rows, tmp_path / "curves.png")
    assert f"epoch {best}" in words(drawn[-1])[-1]
    for axis in drawn:
        assert [line.get_xdata()[0] for line in axis.lines if line.get_linestyle() == ":"] == [best]


def test_without_a_metric_the_loss_is_marked_and_no_frame_is_empty(tmp_path, drawn):
    for index, rows in enumerate((history(3), history(3, val_nme="nan"), history(3, val_nme=""))):
        plot_curves(rows, tmp_path / "curves.png")
        assert len(drawn) == index + 1 and "best on validation: 3, epoch 1" in words(drawn[-1])
    assert cv2.imread(str(tmp_path / "curves.png")).shape == (*SIDE, 3)


def test_without_any_finite_value_the_picture_says_so(tmp_path, drawn):
    plot_curves([{"epoch": "1", "loss": "nan"}], tmp_path / "curves.png")
    assert [text.get_text() for text in drawn[0].texts] == ["no finite value"]


def test_error_curves_name_their_limit(tmp_path, drawn):
    limits = np.linspace(0, 0.1, 11)
    curves = {"easy": limits * 10, "hard": limits * 5}
    plot_shares(limits, curves, 0.08, nme_label("interocular"), "pictures [%]", tmp_path / "ced.png")
    (axis,) = drawn
    assert words(axis) == ["easy", "hard", "limit: 8 %"] and axis.get_xlabel() == "NME [% of interocular distance]"
    np.testing.assert_allclose(axis.lines[1].get_ydata(), 500 * limits)
    assert is_ours(tmp_path / "ced.png")


def test_the_yardstick_of_a_box_is_no_distance():
    assert nme_label("box") == "NME [% of the box's size]"


def test_lines_without_a_curve_are_no_file(tmp_path):
    assert not plot_lines({"a": ([], "-")}, "x", "y", tmp_path / "none.png")
    assert plot_lines({"a": ([1.0, 2.0], "C0-"), "b": ([], "-")}, "x", "y", tmp_path / "new" / "a.png", ratios=True)
    assert (tmp_path / "new" / "a.png").exists() and not (tmp_path / "none.png").exists()


def test_the_style_holds_inside_a_figure_only(tmp_path, drawn):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plot_panels({"kept [MB]": {"none": [(2, 4.0), (1, 2.0)]}}, "U-Nets", tmp_path / "a.png", log="x")
    assert dict(matplotlib.rcParams) == before
    (line,) = drawn[0].lines
    assert line.get_color() == CYCLE[0] and list(line.get_xdata()) == [1, 2]
    assert not drawn[0].spines["top"].get_visible()
    assert cv2.imread(str(tmp_path / "a.png")).shape == (*SIDE, 3)


def test_names_of_crowded_points_do_not_collide_and_are_drawn_where_it_says(tmp_path, drawn):
    points = {f"model number {index}": (1e4 + 10 * index, 2.0) for index in range(6)}
    (boxes,) = plot_points({("bytes", "y"): points}, ("x",), tmp_path / "a.png")
    assert is_ours(tmp_path / "a.png") and len(boxes) == 6 and overlaps(boxes) == 0
    for text, box in zip(drawn[0].texts, boxes, strict=True):
        np.testing.assert_allclose(text.get_window_extent().extents, box, atol=1.5)


@pytest.mark.parametrize("panels", [1, 2])
def test_points_of_every_panel_are_drawn(tmp_path, drawn, panels):
    labels = {("bytes", f"y{index}"): {"a": (1e4, 2.0), "b": (1e6, 9.0)} for index in range(panels)}
    assert len(plot_points(labels, ("x",), tmp_path / "a.png")) == panels
    assert [axis.get_ylabel() for axis in drawn] == [label for _, label in labels]
    assert all([text.get_text() for text in axis.texts] == ["a", "b"] for axis in drawn)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.5, 2000, [1, 10, 100, 1000]), (0.09, 2.1, [0.1, 0.2, 0.5, 1, 2]), (41, 44, [41, 42, 43, 44])],
)
def test_ticks_are_a_few_round_numbers(low, high, ticks):
    np.testing.assert_allclose(plain_ticks(low, high), ticks)
