import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.tables.catalogue import ELSEWHERE, KINDS, parse_keys, runs_of
from cunet_tf.trainers.study.tables.networks import Scale, variants


def test_keys_come_in_the_papers_order():
    assert parse_keys(["fig9", "3", "1"]) == ["1", "3", "fig9"]
    assert parse_keys(["all"]) == list(KINDS) and parse_keys(["fig10"]) == list(ELSEWHERE)
    with pytest.raises(CUNetError, match="--table=15: use claims, 1, 2"):
        parse_keys(["15"])


def test_every_run_that_a_table_needs_is_a_network():
    assert set(runs_of(list(KINDS), Scale())) == set(variants(Scale()))
    assert runs_of(["3", "fig8"], Scale())[:5] == ["cunet", "hourglass", "dense-unet", "dense-unet-wide",
                                                   "supervisions-1"]  # fmt: skip
    assert [key for key, kind in KINDS.items() if kind.trains][:3] == ["claims", "1", "2"] and not KINDS["8"].trains
    assert runs_of(["5", "8", "fig10"], Scale()) == []
