"""``cunet benchmark --packed`` without measuring: what its numbers become."""

import json

import pytest

from cunet_tf.cli import main
from cunet_tf.commands import benchmark_records
from cunet_tf.commands.benchmark_records import COLUMNS, DIFFERENCES
from cunet_tf.records_speed import HERE, ONE
from cunet_tf.rows import read_csv
from tests.records_folder import faces, packed

ROUNDS = {
    f"pictures{ONE}": [2.0, 4.0, 9.0], f"records{ONE}": [1.0, 1.0, 9.0],
    "pictures, 2 threads": [100.0, 10.0, 50.0], "records, 2 threads": [300.0, 20.0, 50.0],
    f"pictures, 2 threads{HERE}": [4.0, 4.0, 4.0], f"records, 2 threads{HERE}": [1.0, 2.0, 8.0],
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("packed")
    packed(faces(4), place)
    return place


@pytest.fixture
def call(folder, monkeypatch):
    asked = []

    def speeds(sources, workers, batch_size, seconds, rounds):
        asked.append(([*sources], workers, batch_size, seconds, rounds))
        return ROUNDS

    monkeypatch.setattr("cunet_tf.records_speed.speeds", speeds)
    flags = ["--data=synthetic", "--split=6:4", "--preset=face-mobile", f"--packed={folder}", "--workers=0,3"]
    return ["benchmark", *flags], asked


def test_ratios_are_those_of_rounds_to_what_has_the_same_unit():
    rows = benchmark_records._rows(ROUNDS)
    assert [row["value"] for row in rows.values()] == [4.0, 1.0, 50.0, 50.0, 4.0, 2.0]
    assert [row["ratio"] for row in rows.values()] == [1.0, 0.5, 1.0, 2.0, 1.0, 0.5]
    assert [row["unit"] == "pictures/s" for row in rows.values()] == [False, False, True, True, False, False]


def test_the_same_examples_are_compared_and_timed_as_asked(call, tmp_path, capsys):
    words, asked = call
    file = tmp_path / "new" / "speed.csv"
    assert main([*words, "--batch_size=5", "--seconds=0.5", f"--csv={file}", "--json"]) == 0
    assert asked == [(["pictures", "records"], [0, 3], 5, 0.5, benchmark_records.ROUNDS)]
    result = json.loads(capsys.readouterr().out)
    assert result["difference"]["points_largest"] < 1e-3 and result["difference"]["masks"] == 0
    rows = read_csv(file)
    assert tuple(rows[0]) == COLUMNS and len(rows) == len(DIFFERENCES) + len(ROUNDS)
    assert (
        rows[-1]["what"] == f"records, 2 threads{HERE} [ms of the processor a picture]" and rows[-1]["ratio"] == "0.5"
    )
    assert [row["what"] for row in rows[: len(DIFFERENCES)]] == [*DIFFERENCES.values()] and rows[0]["ratio"] == ""
    assert main([*words, f"--csv={file}"]) == 0  # below its own rows
    assert len(read_csv(file)) == 2 * len(rows)
    text = capsys.readouterr().out
    assert f"medians of {benchmark_records.ROUNDS} rounds" in text and "records, one thread [ms" in text


def test_a_file_of_other_columns_is_left_alone_and_nothing_is_read(call, tmp_path, monkeypatch, capsys):
    words, asked = call
    monkeypatch.setattr(benchmark_records, "request_source", lambda *_: pytest.fail("read"))
    (tmp_path / "speed.csv").write_text("data,input_size\n")
    assert main([*words, f"--csv={tmp_path / 'speed.csv'}"]) == 2
    assert "speed.csv exists and was not written by cunet: move it, or choose another --csv" in capsys.readouterr().err
    assert (tmp_path / "speed.csv").read_text() == "data,input_size\n" and not asked


def test_records_of_other_pictures_are_refused(call, tmp_path, capsys):
    words, asked = call
    source = faces(4)
    packed(source.subset([1, 0, 2, 3]), tmp_path)
    assert main([word.replace(words[-2], f"--packed={tmp_path}") for word in words]) == 2
    assert "does not hold the samples of 6:4" in capsys.readouterr().err and not asked
