from cunet_tf.commands.common import table


def test_columns_line_up():
    lines = table([("name", "count"), ("a", 1234567), ("longer", 5)]).split("\n")
    assert lines == ["name        count", "a       1,234,567", "longer          5"]
