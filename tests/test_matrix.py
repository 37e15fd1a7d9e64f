"""The table of networks and formats."""

import pytest

from cunet_tf.export import matrix
from cunet_tf.rows import read_csv


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
