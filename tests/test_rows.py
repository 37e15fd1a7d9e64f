from cunet_tf.rows import csv_text, markdown_table, number, read_csv, renew_rows, table, write_csv

ROWS = [{"name": "a,b", "value": 1 / 3, "count": 7}, {"name": "c", "value": None, "more": 2.0}]


def test_rows_become_csv_with_every_key_and_empty_cells():
    assert csv_text(ROWS) == 'name,value,count,more\n"a,b",0.33333,7,\nc,,,2\n'
    assert csv_text(ROWS, ["count", "value"], digits=None) == f"count,value\n7,{1 / 3}\n,\n"


def test_csv_is_read_back_as_text(tmp_path):
    write_csv(tmp_path / "t.csv", ROWS, digits=2)
    assert read_csv(tmp_path / "t.csv")[0] == {"name": "a,b", "value": "0.33", "count": "7", "more": ""}
    assert read_csv(tmp_path / "none.csv") == []


def test_rows_of_one_run_replace_their_like_and_leave_others(tmp_path):
    file, columns = tmp_path / "t.csv", ("model", "flip", "value")
    renew_rows(file, [{"model": "a", "flip": False, "value": 1}, {"model": "a", "flip": True, "value": 2}], columns,
               ("model", "flip"))  # fmt: skip
    renew_rows(file, [{"model": "a", "flip": False, "value": 3}], columns, ("model", "flip"))
    assert [(row["flip"], row["value"]) for row in read_csv(file)] == [("True", "2"), ("False", "3")]


def test_table_has_a_rule_below_its_head():
    assert markdown_table([["a", "b"], ["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_numbers_by_kind():
    assert [number(value) for value in (None, "", 1234567, 3.14159, "text")] == ["-", "-", "1,234,567", "3.142", "text"]
    assert number(2.0, ".2f") == "2.00"


def test_columns_line_up():
    lines = table([("name", "count"), ("a", 1234567), ("longer", 5)]).split("\n")
    assert lines == ["name        count", "a       1,234,567", "longer          5"]
