"""The table of networks and formats."""

from types import SimpleNamespace

import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.export import matrix
from cunet_tf.export.own_parity import INTEGERS, TOLERANCE
from cunet_tf.rows import read_csv
from cunet_tf.skeletons import FACE68
from tests.networks import spec_of


@pytest.mark.slow  # exports for a table of the docs
def test_files_that_agree_and_refusals(tmp_path, monkeypatch, capsys):
    small = matrix.BASE.replace(stacks=1, order=0, main_channels=8, growth=4, input_size=48)
    hourglass = matrix.HOURGLASS.replace(stacks=1, channels=8, depth=1, input_size=48)
    monkeypatch.setattr(matrix, "VARIED", {"small": (small, "TW-QIG(828)"), "hourglass": (hourglass, "float")})
    table = tmp_path / "formats.csv"
    assert (
        matrix.main(
            ["matrix", f"--csv={table}", "--networks=small", "--networks=hourglass", "--formats=float32,packed"]
        )
        == 0
    )
    rows = {(row["network"], row["format"]): row for row in read_csv(table)}
    assert [row["result"] for row in rows.values()][:3] == ["parity"] * 3
    assert rows["small", "packed"]["differing"] == "0" and int(rows["small", "packed"]["bytes"]) > 0
    assert "has no deploy twin" in rows["hourglass", "packed"]["result"] and not rows["hourglass", "packed"]["bytes"]
    page = table.with_suffix(".md").read_text()
    assert "| hourglass | " in page and "refused (1)" in page and "(1) a stacked hourglass" in page
    assert "small, packed: parity" in capsys.readouterr().out


def test_what_does_not_agree_is_shown_and_fails(monkeypatch):
    row = {"network": "W4", "format": "int8", "bytes": 9, "share": 0.9, "differing": 0, "result": "no parity"}
    monkeypatch.setattr(matrix, "rows_of", lambda name, formats: [row])
    assert matrix.main(["matrix", "--networks=W4", "--formats=int8"]) == 1
    assert "**no parity**" in matrix.page([row])


def test_every_option_is_varied():
    configs = [config for config, _ in matrix.VARIED.values()]
    assert {getattr(config, "stacks", None) for config in configs} >= {1, 2, 4}
    assert {config.landmarks for config in configs} == {1, 5, 68}
    assert {config.input_size for config in configs} == {96, 192}


@pytest.mark.parametrize("size", [48, 96])
def test_pictures_are_patches(size, rng):
    pictures = matrix.coarse_pictures(rng, size)
    assert pictures.shape == (2, size, size, 3) and (pictures[:, 0, 0] == pictures[:, 1, 1]).all()


def test_points_without_names_are_numbered():
    few = matrix.described(matrix.BASE.replace(landmarks=2), "BW-a")
    assert few.skeleton.names == ("point 0", "point 1") and few.config.landmarks == 2
    assert matrix.described(matrix.BASE, "float").skeleton is FACE68
    assert few.quant == "BW-a"


@pytest.fixture
def row_of(monkeypatch):
    """A row of a file that is off by a share everywhere, whose integers are right or not; Keras answers 0 to 2."""

    def make(share, fmt="float32", quant="float", exact=True):
        ours = np.array([0.0, 1.0, 2.0])
        exported = SimpleNamespace(engine=lambda: lambda crops: ours + 2.0 * share, data=b"data", tflite=b"")
        monkeypatch.setattr(matrix, "to_format", lambda *_: exported)
        monkeypatch.setattr(matrix, "exactness", lambda tflite, crops: {"ok": exact, "differences": 5 * (not exact)})
        return matrix._row(None, spec_of(quant), fmt, None, ours)

    return make


@pytest.mark.parametrize("fmt", ["float32", "float16", "int8-weights", "int8"])
def test_a_format_agrees_up_to_its_own_share(row_of, fmt):
    limit = TOLERANCE.get(fmt, INTEGERS)
    assert row_of(0.99 * limit, fmt)["result"] == "parity" and row_of(1.01 * limit, fmt)["result"] == "no parity"
    assert row_of(0.5 * limit, fmt)["share"] == pytest.approx(0.5 * limit)
    assert row_of(0.0, fmt)["bytes"] == 4


def test_trained_grids_have_a_share_of_their_own(row_of):
    share = 0.9 * matrix.ON_GRIDS
    assert row_of(share, quant="TW-QIG(828)")["result"] == "parity" and row_of(share)["result"] == "no parity"
    assert row_of(share, quant="BW-a")["result"] == "no parity"  # kernels alone are on grids


def test_integers_have_to_be_those_of_the_reference(row_of):
    assert row_of(0.0, "int8")["differing"] == 0 and row_of(0.0, "float32", exact=False)["differing"] is None
    row = row_of(0.0, "int8", exact=False)
    assert (row["result"], row["differing"]) == ("no parity", 5)


def test_a_refusal_stands_in_the_row(monkeypatch):
    def refuse(*_):
        raise CUNetError("an hourglass has no deploy twin.")

    monkeypatch.setattr(matrix, "to_format", refuse)
    row = matrix._row(None, spec_of(), "int8", None, None)
    assert row == {"bytes": None, "share": None, "differing": None, "result": "an hourglass has no deploy twin."}


def test_refusals_are_numbered_once_each():
    def row(network, fmt, size, result):
        return {"network": network, "format": fmt, "bytes": size, "result": result}

    text = matrix.page([
        row("a", "float32", 1234567, "parity"), row("a", "int8", None, "second?"), row("b", "float32", None, "third?"),
        row("b", "int8", None, "second?"), row("c", "float32", 9, "no parity"), row("c", "int8", 8, "parity"),
    ])  # fmt: skip
    table, *notes = text.strip().split("\n\n")
    assert table.splitlines()[0] == "| network | float32 | int8 |"
    assert table.splitlines()[2:] == [
        "| a | 1,234,567 | refused (1) |", "| b | refused (2) | refused (1) |", "| c | 9 **no parity** | 8 |",
    ]  # fmt: skip
    assert notes == ["(1) second?", "(2) third?"]


def test_the_page_names_its_command(tmp_path, monkeypatch):
    row = {"network": "W4", "format": "int8", "bytes": 9, "share": 0.01234, "differing": 0, "result": "parity"}
    monkeypatch.setattr(matrix.keras.backend, "clear_session", lambda: None)
    monkeypatch.setattr(matrix, "gc", SimpleNamespace(collect=lambda: None))
    monkeypatch.setattr(matrix, "rows_of", lambda name, formats: [{**row, "network": name}])
    table = tmp_path / "new" / "formats.csv"
    assert matrix.main(["matrix", f"--csv={table}", "--networks=W4", "--networks=BW-a", "--formats=int8"]) == 0
    page = table.with_suffix(".md").read_text()
    assert f"`python -m cunet_tf.export.matrix --csv={table}`" in page and page.count("| 9 |") == 2
    assert table.read_text().splitlines() == [",".join(matrix.COLUMNS), *(f"{name},int8,9,0.0123,0,parity"
                                                                          for name in ("W4", "BW-a"))]  # fmt: skip
    with pytest.raises(CUNetError, match="was not written by cunet"):
        matrix.main(["matrix", f"--csv={table.with_suffix('.md')}"])
