import numpy as np
import pytest

from cunet_tf.engines import LiteRTEngine
from cunet_tf.errors import CUNetError
from cunet_tf.export.integer_stem import with_blocks
from cunet_tf.export.packed.writer import pack
from cunet_tf.export.tflite import operator_names
from cunet_tf.processor import processor
from cunet_tf.rows import read_csv
from cunet_tf.trainers.study import measure_stem
from cunet_tf.trainers.study.measure_stem import main, with_pixels
from tests.networks import BINARY, crops, float_file, integer_file
from tests.stems import pixel_file


def test_the_stem_is_that_of_files_of_before():
    back = with_pixels(integer_file(BINARY))
    assert operator_names(back) == operator_names(pixel_file(BINARY))
    np.testing.assert_array_equal(LiteRTEngine(back)(crops()), LiteRTEngine(pixel_file(BINARY))(crops()))
    assert operator_names(with_blocks(back)) == operator_names(integer_file(BINARY))


@pytest.mark.parametrize("data", [float_file, lambda: pixel_file(BINARY)])
def test_other_stems_are_refused(data):
    with pytest.raises(CUNetError, match="its stem is not on blocks"):
        with_pixels(data())


@pytest.mark.slow  # exports for a table of the docs
def test_table(tmp_path, monkeypatch):
    file, table = tmp_path / "low.cunet", tmp_path / "stem.csv"
    file.write_bytes(pack(integer_file(BINARY)))
    flags = ["measure_stem", str(file), "--pictures=2", "--runs=2", f"--csv={table}"]
    assert main(flags) == 0
    (row,) = read_csv(table)
    assert (row["model"], row["values"], row["differing"]) == ("low", str(2 * 16 * 16 * 68), "0")
    assert float(row["ratio"]) > 0 and row["cpu"] == processor()
    monkeypatch.setattr(measure_stem, "with_pixels", lambda _: pixel_file("float"))  # another network
    assert main(flags) == 1 and int(read_csv(table)[0]["differing"]) > 0
