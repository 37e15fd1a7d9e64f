import numpy as np

from cunet_tf.commands.check_sheet import COLUMNS, SIDE, STRIP, sheet
from cunet_tf.data.check import Finding
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.skeletons import FACE68


def test_rows_of_tiles_and_a_second_block_for_findings():
    source = load_synthetic(FACE68, "3:10")
    plain = sheet(source, [])
    assert plain.shape == (STRIP + 2 * SIDE, COLUMNS * SIDE, 3)
    assert plain[STRIP + SIDE :, 3 * SIDE :].max() == 0  # ten tiles: two in the second row
    faulty = sheet(source, [Finding("odd", "error", source.samples[4].name, "", "it is odd")])
    assert faulty.shape[0] == plain.shape[0] + STRIP + SIDE
    np.testing.assert_array_equal(faulty[: plain.shape[0]], plain)
