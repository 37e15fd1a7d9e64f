"""From the sweeps that are published in docs/results."""

import shutil
from pathlib import Path

import pytest

from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.quantized import sweep_commands, sweeps, table_8, table_9, table_10

REPORTS = Path(__file__).parents[1] / "docs" / "results"


def context(tmp_path):
    return Context(tmp_path, REPORTS)


def test_sweeps_of_faces_and_bodies_are_told_apart():
    assert "quantization" in sweeps(REPORTS, bodies=False) and "quantization_pose" in sweeps(REPORTS, bodies=True)
    assert not {"quantization_speed", "quantization_clipping"} & set(sweeps(REPORTS, bodies=False))


def test_commands_are_quoted_from_their_pages(tmp_path):
    (line,) = sweep_commands(REPORTS, ["quantization"])
    assert "by `cunet sweep --preset=face-mobile" in line and "tested on helen/testset (330), NME" in line
    shutil.copy(REPORTS / "quantization.csv", tmp_path)
    assert " by " not in sweep_commands(tmp_path, ["quantization"])[0]
    assert sweep_commands(tmp_path, []) == ["No sweep was found: run `cunet sweep` first."]


def test_table_8_has_ours_beside_the_paper(tmp_path):
    table = table_8(context(tmp_path))
    row = next(row for row in table.rows if (row["quant"], row["sweep"]) == ("BW", "quantization"))
    assert row["paper_full"] == 3.75 and 1.0 < row["ours_relative"] < 2.0 and row["ours_nme"] > 3.0
    assert next(row for row in table.rows if row["quant"] == "TW-a")["paper_full"] is None


def test_indices_follow_from_the_columns_shown(tmp_path):
    for row in table_8(context(tmp_path)).rows:
        if row.get("ours_nme"):
            for kind, memory in (("ideal", "ideal"), ("honest", "measured_both")):
                expected = row["ours_nme"] ** 2 * row[f"ours_memory_{memory}"] * row[f"ours_size_{kind}"]
                assert row[f"ours_index_{kind}"] == pytest.approx(expected, rel=1e-4)


def test_measured_memory_stands_beside_the_ideal_one(tmp_path):
    rows = {row["quant"]: row for row in table_8(context(tmp_path)).rows if row.get("sweep") == "quantization"}
    few, whole = rows["BW-QIG(818)"], rows["BW"]
    assert (whole["ours_memory_ideal"], whole["ours_memory_measured_none"]) == (1.0, 1.0)
    assert few["ours_memory_ideal"] == 0.25 and few["ours_memory_measured_none"] > 1.0  # quantizers keep tensors
    assert few["ours_memory_measured_both"] < whole["ours_memory_measured_both"] < 0.1


def test_sweeps_that_differ_in_their_seed_are_one_row(tmp_path):
    text = (REPORTS / "quantization.csv").read_text()
    (tmp_path / "quantization_0.csv").write_text(text)
    lines = [line.split(",") for line in text.splitlines()]
    seed, error = lines[0].index("seed"), lines[0].index("error")
    for line in lines[1:]:
        line[seed], line[error] = "1", str(float(line[error]) + 0.5)
    (tmp_path / "quantization_1.csv").write_text("\n".join(",".join(line) for line in lines))
    rows = [row for row in table_8(Context(tmp_path, tmp_path)).rows if row["quant"] == "BW"]
    assert len(rows) == 1 and rows[0]["sweep"] == "quantization_0, quantization_1"
    assert rows[0]["seed_1"] - rows[0]["seed_0"] == pytest.approx(0.5)
    assert rows[0]["ours_nme"] == pytest.approx((rows[0]["seed_0"] + rows[0]["seed_1"]) / 2)


def test_a_row_names_the_sweeps_that_have_it(tmp_path):
    lines = (REPORTS / "quantization.csv").read_text().splitlines()
    for name, kept in (("quantization_most", lines[:-1]), ("quantization_last", [lines[0], lines[-1]])):
        (tmp_path / f"{name}.csv").write_text("\n".join(kept))
    rows = [row for row in table_8(Context(tmp_path, tmp_path)).rows if row.get("sweep")]
    assert [row["sweep"] for row in rows].count("quantization_last") == 1 and len(rows) == len(lines) - 1
    assert all(row["ours_relative"] for row in rows)  # by the float row of the other sweep


def test_table_9_has_rows_of_the_paper_without_ours(tmp_path):
    rows = {row["quant"]: row for row in table_9(Context(tmp_path, tmp_path)).rows}
    assert rows["BW-QIG(616)"]["paper_pckh"] == 62.7 and rows["BW-QIG(616)"]["paper_memory"] == 0.17


def test_table_10_is_by_joint(tmp_path):
    rows = [row for row in table_10(context(tmp_path)).rows if row["quant"] == "BW-a"]
    assert [row["source"].split(",")[0].split(":")[0] for row in rows][-1] == "paper"
    assert rows[-1]["Ank"] == 75.2 and len(rows) >= 2 and 0 < rows[0]["Wri"] < 100
