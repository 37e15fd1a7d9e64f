import pytest
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError


@pytest.mark.parametrize(
    "stacks, supervisions, one_based",
    [(4, 1, [4]), (4, 2, [2, 4]), (4, 3, [1, 3, 4]), (8, 2, [4, 8]), (8, 4, [2, 4, 6, 8]), (3, None, [1, 2, 3])],
)
def test_supervised_unets_follow_the_specification(stacks, supervisions, one_based):
    config = CUNetConfig(stacks=stacks, supervisions=supervisions)
    assert [index + 1 for index in config.supervised] == one_based


@given(st.integers(1, 20), st.data())
def test_supervised_indices_increase_and_end_with_the_last(stacks, data):
    count = data.draw(st.integers(1, stacks))
    chosen = CUNetConfig(stacks=stacks, supervisions=count).supervised
    assert len(chosen) == count and chosen[-1] == stacks - 1
    assert list(chosen) == sorted(set(chosen))


def test_order_is_clamped_to_all_previous_unets():
    config = CUNetConfig(stacks=4, order=9)
    assert config.effective_order == 3
    assert [config.coupled(index) for index in range(4)] == [0, 1, 2, 3]
    assert [CUNetConfig(stacks=4, order=2).coupled(index) for index in range(4)] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"order": -1}, ["order=-1", "0 or more"]),
        ({"stacks": 0}, ["stacks=0", "1 or more"]),
        ({"stacks": 10**9}, ["stacks is more than 256"]),
        ({"levels": 10**9}, ["levels is more than 12"]),
        ({"main_channels": 10**30}, ["main_channels is more than 65,536"]),
        ({"growth": 2.5}, ["growth=2.5", "integer"]),
        ({"input_size": 100}, ["input_size=100", "64", "128"]),
        ({"stacks": 2, "supervisions": 3}, ["supervisions=3", "stacks=2"]),
        ({"gamma_init": "zeros"}, ["gamma_init", "uniform"]),
        ({"norm_order": "last"}, ["norm_order='last'", "norm_first, conv_first"]),
    ],
)
def test_bad_values_say_what_to_change(fields, words):
    with pytest.raises(CUNetError) as error:
        CUNetConfig(**fields)
    assert all(word in str(error.value) for word in words)


def test_unknown_field_gets_a_hint():
    with pytest.raises(CUNetError, match="main_channels"):
        CUNetConfig().replace(main_chanels=3)
