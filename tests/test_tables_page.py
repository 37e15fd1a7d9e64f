from cunet_tf.trainers.study.tables.page import Table, label_of, stem_of, to_markdown, write_index, write_table

ROWS = [{"network": "a", "conv_parameters": 1234, "paper_pckh": 86.0, "secret": 1},
        {"network": "b", "conv_parameters": None, "ratio": 1 / 3}]  # fmt: skip
TABLE = Table("3", "some networks", ROWS, hidden=("secret",), about=["Conditions.", ""], below=["Findings."])


def test_page_has_command_conditions_rows_and_findings(tmp_path):
    files = write_table(TABLE, tmp_path, "cunet tables --table=3")
    assert [file.rsplit("/")[-1] for file in files] == ["table_03.csv", "table_03.md"]
    text = (tmp_path / "table_03.md").read_text()
    assert text.startswith(
        "# Table 3: some networks\n\nMade by `cunet tables --table=3`; all rows and columns are in ["
    )
    assert "\n\nConditions.\n\n| network | conv parameters, exact | paper: PCKh | ratio |" in text
    assert "| a | 1,234 | 86.0 | - |" in text and "| b | - | - | 0.3333 |\n\nA dash: " in text
    assert "not trained.\n\nFindings.\n" in text
    head = "network,conv_parameters,paper_pckh,secret,ratio"
    assert (tmp_path / "table_03.csv").read_text().splitlines() == [head, "a,1234,86,1,", "b,,,,0.33333"]


def test_page_can_show_fewer_rows_and_a_picture():
    text = to_markdown(Table("fig9", "orders", ROWS, ROWS[1:], picture=True), "cunet tables")
    assert "![orders](fig_09.png)" in text and "| a |" not in text
    assert "| --- |" not in to_markdown(Table("fig7", "none", []), "cunet tables")


def test_dashes_are_explained_where_there_are_any():
    assert "A dash" not in to_markdown(Table("3", "full", [{"network": "a", "ratio": 0.5}]), "cunet tables")


def test_names_of_files_and_titles():
    assert [stem_of(key) for key in ("3", "14", "fig9", "fig11")] == ["table_03", "table_14", "fig_09", "fig_11"]
    assert label_of("3") == "Table 3" and label_of("fig9") == "Fig. 9"


def test_index_lists_what_is_there(tmp_path):
    write_table(TABLE, tmp_path, "cunet tables")
    write_index(tmp_path, {"1": "absent", "3": "present"})
    text = (tmp_path / "tables.md").read_text()
    assert "- [Table 3](table_03.md): present" in text and "absent" not in text
