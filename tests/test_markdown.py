from trainers.markdown import markdown_table, number


def test_table_has_a_rule_below_its_head():
    assert markdown_table([["a", "b"], ["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_numbers_by_kind():
    assert [number(value) for value in (None, "", 1234567, 3.14159, "text")] == ["-", "-", "1,234,567", "3.142", "text"]
    assert number(2.0, ".2f") == "2.00"
