import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.memory.names import MemoryConfig
from cunet_tf.trainers.study.memory.budget import fits, largest, needed_bytes


@pytest.mark.parametrize("budget, expected", [(100, 9), (99.9, 8), (20, 1), (19, 0), (5, 0)])
def test_largest_on_a_line(budget, expected):
    assert largest(budget, ((1, 20.0), (2, 30.0))) == expected


def test_a_line_that_does_not_rise_promises_nothing_beyond_its_points():
    assert largest(100, ((1, 30.0), (2, 30.0))) == 2
    assert largest(20, ((1, 30.0), (2, 30.0))) == 0


def test_fits_finds_depth_and_batch_of_a_linear_cost():
    def cost(config, memory, batch_size):
        return {"variable_bytes": 10 * config.stacks, "peak_over_idle": 5 * config.stacks * batch_size}

    found, rows = fits(CUNetConfig(stacks=4), MemoryConfig("recompute"), 2, 205, cost)
    points = {"bytes_of_2_unets": 40, "bytes_of_3_unets": 60, "bytes_of_1_pictures": 60, "bytes_of_2_pictures": 80}
    head = {"memory": "recompute", "batch_size": 2, "deepest": 10, "stacks": 4, "largest_batch": 8}
    assert found == {**head, **points}
    assert [needed_bytes(row) for row in rows] == [40, 60, 60, 80]


def test_batches_of_refinement_are_even():
    def cost(config, memory, batch_size):
        assert batch_size % 2 == 0
        return {"variable_bytes": 0, "peak_over_idle": batch_size}

    found, _ = fits(CUNetConfig(stacks=2, refinement=4), MemoryConfig(), 4, 9, cost)
    assert found["largest_batch"] == 8
