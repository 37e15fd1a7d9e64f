"""Bytes kept by bits of the features and mode, from what ``cunet memory`` wrote."""

import pytest

from cunet_tf.trainers.study.tables.kept_memory import kept_ratios

HEAD = "stacks,main_channels,growth,input_size,order,quant,memory,batch_size,kept_bytes"


def test_ratios_are_to_the_float_network_of_the_same_size(tmp_path):
    (tmp_path / "memory.csv").write_text(f"{HEAD}\n2,8,4,64,1,float,none,2,100\n4,8,4,64,1,float,none,2,200\n"
                                         "4,8,4,64,1,float,both,2,30\n4,8,4,64,1,float,recompute,2,50\n")  # fmt: skip
    (tmp_path / "memory_few.csv").write_text(f"{HEAD}\n4,8,4,64,1,BW-QIG(616),both,2,20\n")
    (tmp_path / "memory_other.csv").write_text("memory,seed\nnone,0\n")
    found = kept_ratios(tmp_path)
    assert found == pytest.approx({(None, "none"): 1.0, (None, "both"): 0.15, (6, "both"): 0.1})


def test_without_measurements_there_are_none(tmp_path):
    assert kept_ratios(tmp_path) == {}
    (tmp_path / "memory.csv").write_text(f"{HEAD}\n4,8,4,64,1,BW-QIG(616),both,2,20\n")
    assert kept_ratios(tmp_path) == {}
