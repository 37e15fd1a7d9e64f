"""Several devices: the same training as on one, and clear words where it cannot be."""

import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.models.saved import load_keras
from cunet_tf.trainers.cluster import VARIABLE
from cunet_tf.trainers.devices import Devices, device_name, tensorflow_devices
from cunet_tf.trainers.history import read_history
from cunet_tf.trainers.study.measure_devices import free_addresses
from tests.conftest import TINY_FLAGS

# 9 pictures to validate on: one device sees batches of 8 and 1, two see 4, 4 and 1.
TRAIN = ["train", "--data=synthetic", "--split=3:28", *TINY_FLAGS, "--stacks=1", "--batch_size=8", "--epochs=2",
         "--val_share=0.36", "--watch=3"]  # fmt: skip


def started(workdir, *flags, **environment):
    command = [sys.executable, "-m", "cunet_tf", *TRAIN, f"--workdir={workdir}", *flags]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})


@pytest.mark.slow  # two processes that train
def test_two_processors_train_as_one_does(tmp_path):
    """RMSprop makes a step of a last bit in a small gradient, so both have as many threads."""
    flags = {"one": [], "two": ["--strategy=mirrored", "--devices=2"]}
    calls = [
        started(tmp_path / name, "--clipnorm=1", *more, TF_NUM_INTRAOP_THREADS="2", OMP_NUM_THREADS="2")
        for name, more in flags.items()
    ]
    said = [call.communicate()[1] for call in calls]
    assert [call.returncode for call in calls] == [0, 0], said
    config = json.loads((tmp_path / "two" / "config.json").read_text())
    assert config["device"] == "tensorflow: CPU, 2 replicas"
    histories = [read_history(tmp_path / name / "history.csv") for name in ("one", "two")]
    for one, two in zip(*histories, strict=True):
        assert list(one) == list(two)
        for name, value in one.items():
            near = 1e-2 if name.endswith("nme") else 2e-4  # the maximum of a flat map moves with a last bit
            assert float(two[name]) == pytest.approx(float(value), rel=near), name
    one, two = (load_keras(tmp_path / name / "last.keras") for name in ("one", "two"))
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs, ours, atol=1e-3 * float(np.abs(ours).max()), err_msg=ours.path)


@pytest.mark.slow  # two processes, each with a TensorFlow of its own, that meet and train
def test_a_killed_worker_stops_the_others_and_the_run_goes_on(tmp_path):
    cluster = {"worker": free_addresses(2)}
    flags = ["--strategy=multiworker", "--epochs=40"]
    workers = [
        started(tmp_path / "run", *flags,
                **{VARIABLE: json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})})
        for index in range(2)
    ]  # fmt: skip
    while not (tmp_path / "run" / "last.keras").exists():
        assert all(worker.poll() is None for worker in workers), workers[0].communicate()[1]
        time.sleep(0.1)
    workers[1].send_signal(signal.SIGKILL)
    said = [worker.communicate()[1] for worker in workers][0]
    assert workers[0].returncode == 2
    assert "another worker is gone or has stopped" in said and "--resume; finished epochs are kept" in said
    done = len(read_history(tmp_path / "run" / "history.csv"))
    assert 1 <= done < 40
    assert not list((tmp_path / "run").glob(".lock"))
    keras.utils.set_random_seed(0)
    before = keras.ops.convert_to_numpy(load_keras(tmp_path / "run" / "last.keras", compile=True).optimizer.iterations)
    assert before >= 2


def test_one_device_cannot_mirror():
    with pytest.raises(CUNetError, match="one device: leave it out, or share the processor by --devices=2"):
        Devices("mirrored").team().prepare()


def test_devices_that_are_not_there_are_refused(monkeypatch):
    have = len(tensorflow_devices(0))
    with pytest.raises(CUNetError, match=f"--devices=99: TensorFlow has started with {have}"):
        tensorflow_devices(99)
    with pytest.raises(CUNetError, match="--devices=2 needs --strategy=mirrored"):
        Devices(count=2)
    with pytest.raises(CUNetError, match="--strategy=tpu: give one of one, mirrored, multiworker"):
        Devices("tpu")
    monkeypatch.setenv(
        VARIABLE, json.dumps({"cluster": {"worker": ["127.0.0.1:5"]}, "task": {"type": "worker", "index": 0}})
    )
    with pytest.raises(CUNetError, match="--devices=2 is for --strategy=mirrored"):
        Devices("multiworker", 2).team().prepare()
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(CUNetError, match="needs TF_CONFIG"):
        Devices("multiworker").team()


def test_a_wrong_cluster_leaves_no_folder(tmp_path, capsys):
    assert main([*TRAIN, f"--workdir={tmp_path / 'run'}", "--strategy=multiworker"]) == 2
    assert "--strategy=multiworker needs TF_CONFIG" in capsys.readouterr().err and not (tmp_path / "run").exists()


def test_device_is_named():
    name = device_name()
    assert name.startswith("tensorflow: ") and len(name) > len("tensorflow: ")
