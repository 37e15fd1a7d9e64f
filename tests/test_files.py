from trainers.files import csv_text, read_csv, write_csv

ROWS = [{"name": "a,b", "value": 1 / 3, "count": 7}, {"name": "c", "value": None, "more": 2.0}]


def test_rows_become_csv_with_every_key_and_empty_cells():
    assert csv_text(ROWS) == 'name,value,count,more\n"a,b",0.33333,7,\nc,,,2\n'
    assert csv_text(ROWS, ["count", "value"], digits=None) == f"count,value\n7,{1 / 3}\n,\n"


def test_csv_is_read_back_as_text(tmp_path):
    write_csv(tmp_path / "t.csv", ROWS, digits=2)
    assert read_csv(tmp_path / "t.csv")[0] == {"name": "a,b", "value": "0.33", "count": "7", "more": ""}
    assert read_csv(tmp_path / "none.csv") == []
