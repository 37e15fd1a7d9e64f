"""From the sweeps that are published in docs/results."""

import shutil
from pathlib import Path

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


def test_table_9_has_rows_of_the_paper_without_ours(tmp_path):
    rows = {row["quant"]: row for row in table_9(Context(tmp_path, tmp_path)).rows}
    assert rows["BW-QIG(616)"]["paper_pckh"] == 62.7 and rows["BW-QIG(616)"]["paper_memory"] == 0.17


def test_table_10_is_by_joint(tmp_path):
    rows = [row for row in table_10(context(tmp_path)).rows if row["quant"] == "BW-a"]
    assert [row["source"].split(",")[0].split(":")[0] for row in rows][-1] == "paper"
    assert rows[-1]["Ank"] == 75.2 and len(rows) >= 2 and 0 < rows[0]["Wri"] < 100
