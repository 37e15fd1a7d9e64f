"""YAML without what makes it large or ambiguous."""

import pytest

from cunet_tf.data.plain_yaml import YAML_BYTES, read_yaml
from cunet_tf.errors import CUNetError

LAUGHS = "a: &a [x, x]\n" + "\n".join(f"{n}: &{n} [*{o}, *{o}]" for o, n in zip("abcd", "bcde", strict=True))


@pytest.mark.parametrize(
    "text, words",
    [
        (LAUGHS, r"alias \*'a': write the value out"),
        ("a: 1\nb: {c: 1, c: 2}\n", "a key stands twice in an object in line 2"),
        ("[" * 5000, "nested too deeply"),
        ("a: 2020-13-45\n", "month must be in 1..12"),
        ("a: " + "1" * 5000, "Exceeds the limit"),
        ("a: !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        ("{a: b", "not readable as YAML"),
        ("? [a, b]\n: 1\n", "unhashable"),
        ("a: !!binary x\n", "not readable as YAML"),
    ],
)
def test_what_is_refused(tmp_path, text, words):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(CUNetError, match=f"data.yaml: not readable as YAML .*{words}|{words}"):
        read_yaml(tmp_path / "data.yaml")


def test_a_large_file_is_not_read(tmp_path):
    (tmp_path / "data.yaml").write_text("a: " + "x" * YAML_BYTES)
    with pytest.raises(CUNetError, match="bytes are more than"):
        read_yaml(tmp_path / "data.yaml")
    (tmp_path / "data.yaml").write_text("a: [1, {b: null}]")
    assert read_yaml(tmp_path / "data.yaml") == {"a": [1, {"b": None}]}
