import pytest

from cunet_tf.export.delegation import delegation
from cunet_tf.models.counts import list_convs
from tests.networks import BINARY, TINY, integer_file


@pytest.mark.parametrize("float_io", [False, True])
def test_every_convolution_is_delegated_and_nothing_is_converted_amid(float_io):
    found = delegation(integer_file(BINARY, float_io=float_io))
    assert found["convolutions"] == found["delegated"] >= len(list_convs(TINY)) - 1  # and one before each concatenation
    assert found["islands"] == 0
    assert found["convolutions"] < found["operations_delegated"] <= found["operations"]
