from pathlib import Path

from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.published import table_12, table_13, table_14

CONTEXT = Context(Path("out"), Path(__file__).parents[1] / "docs" / "results")


def test_faces_of_another_split_stand_in_a_column_of_their_own():
    table = table_12(CONTEXT)
    paper = next(row for row in table.rows if row["system"] == "CU-Net-8")
    ours = next(row for row in table.rows if row["system"] == "face-mobile")
    assert (paper["full"], paper["helen/testset"]) == (3.26, None)
    assert ours["easy"] is None and 2.5 < ours["helen/testset"] < 3.6 and ours["images"] == 330
    assert any("not comparable" in text for text in table.about)
    assert not any("/" in row["system"] for row in table.rows)


def test_official_splits_fall_into_the_papers_columns(tmp_path):
    (tmp_path / "face_mobile.csv").write_text(
        "model,data,split,images,flip_test,crops,nme_interocular,nme_interpupil\nface-mobile,300w,common,554,True,2,3.0,4.0\n"
    )
    ours = table_12(Context(tmp_path, tmp_path)).rows[-1]
    assert (ours["system"], ours["easy"]) == ("face-mobile, flip test, 2 crops", 3.0)


def test_mpii_and_lsp():
    assert {row["source"] for row in table_13(CONTEXT).rows} == {"paper"}
    rows = table_14(CONTEXT).rows
    assert rows[0]["pck_mean"] == 93.0 and rows[-1]["source"] == "ours" and 60 < rows[-1]["pck_mean"] < 75
    assert {row["data"] for row in rows if row["source"] == "ours"} == {"lspet 7055-8054"}
