"""Several devices: the same training as on one, and clear words where it cannot be."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from cunet_tf.cli import main
from cunet_tf.data.sharing import Share
from cunet_tf.errors import CUNetError
from cunet_tf.models.saved import load_keras
from cunet_tf.trainers import devices
from cunet_tf.trainers.cluster import VARIABLE, Cluster
from cunet_tf.trainers.devices import Devices, Mirrored, Parallel, Team, Workers, device_name, tensorflow_devices
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
    have = len(tf.config.list_logical_devices("CPU"))  # starts TensorFlow
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


def test_several_gpus_are_noticed_where_one_trains(monkeypatch, capsys):
    for name, words in (("tensorflow: A100, A100", "notice: one GPU trains"), ("tensorflow: A100", "")):
        monkeypatch.setattr(devices, "device_name", lambda name=name: name)
        assert Devices().team().prepare() == name
        said = capsys.readouterr().err
        assert words in said and bool(words) == bool(said)


def test_processes_that_make_pictures_are_for_jax(monkeypatch):
    with pytest.raises(CUNetError, match="--workers=-1: give a number of processes, or 0"):
        Devices(workers=-1)
    with pytest.raises(CUNetError, match="--workers=2 is for Keras' JAX backend"):
        Devices(workers=2).team()
    monkeypatch.setattr(devices, "on_tensorflow", lambda: False)
    assert type(Devices(workers=2).team()) is Team


def test_under_jax_one_machine_trains(monkeypatch):
    monkeypatch.setattr(devices, "on_tensorflow", lambda: False)
    with pytest.raises(CUNetError, match="--strategy=multiworker works with the TensorFlow backend only"):
        Devices("multiworker").team()
    team = Devices("mirrored", 3).team()
    assert isinstance(team, Parallel) and team.count == 3


def strategy(replicas):
    return SimpleNamespace(num_replicas_in_sync=replicas, distribute_datasets_from_function=lambda make: make(None))


def asked_of(refinement=0, pictures=9):
    """Examples that answer with what they are asked."""
    asks = lambda *arguments, **options: (arguments, options)  # noqa: E731
    config = SimpleNamespace(refinement=refinement)
    steps = lambda size, training: -(-pictures // size)  # noqa: E731
    return SimpleNamespace(spec=SimpleNamespace(config=config), dataset=asks, batches=asks, steps=steps,
                           source=[None] * pictures)  # fmt: skip


@pytest.mark.parametrize("refinement, passes", [(0, 1), (4, 2)])
def test_a_worker_feeds_its_own_replicas(refinement, passes):
    team = Workers(Cluster(("a:1", "b:1"), 1))
    team.strategy = strategy(4)
    assert team.share(asked_of(refinement)) == Share(4, 2, 2, passes) and not team.chief
    arguments, options = team.feed(asked_of(refinement), 8, training=True, epoch=3)
    assert arguments == (8,) and options == {"training": True, "epoch": 3, "share": Share(4, 2, 2, passes)}


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(1, 40), st.integers(1, 16))
def test_replicas_validate_on_every_picture_in_the_steps_they_say(replicas, more, batch):
    team, examples = Mirrored(), asked_of(pictures=replicas + more)
    team.strategy = strategy(replicas)
    parts = team.share(examples).validation(replicas + more, batch)
    assert sorted(np.concatenate(parts)) == list(range(replicas + more))
    assert team.steps(examples, batch) * replicas == len(parts)


def test_replicas_are_counted_and_given_their_devices(monkeypatch):
    monkeypatch.setattr(devices, "device_name", lambda: "tensorflow: some")
    monkeypatch.setattr(devices, "tensorflow_devices", lambda count: ["GPU:0", "GPU:1", "GPU:2"])
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda names: SimpleNamespace(names=names))
    team = Devices("mirrored").team()
    assert team.prepare() == "tensorflow: some, 3 replicas"
    team.start({})
    assert team.strategy.names == ["GPU:0", "GPU:1", "GPU:2"]


def test_workers_meet_before_tensorflow_waits_for_them(monkeypatch):
    order = []
    monkeypatch.setattr(Cluster, "meet", lambda self, plan: order.append(plan))
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", lambda: order.append("strategy"))
    monkeypatch.setattr(devices, "device_name", lambda: "tensorflow: CPU")
    team = Workers(Cluster(("a:1", "b:1"), 1))
    assert team.prepare() == "tensorflow: CPU, worker 1 of 2"
    team.start({"flags": "same"})
    assert order == [{"flags": "same"}, "strategy"]


@pytest.fixture
def jax(monkeypatch):
    """A JAX of three devices that has started already; what it is asked for."""
    asked = []

    def update(name, count):
        asked.append((name, count))
        raise RuntimeError("too late")

    kinds = [SimpleNamespace(device_kind="some") for _ in range(3)]
    module = SimpleNamespace(devices=lambda: kinds, config=SimpleNamespace(update=update))
    monkeypatch.setitem(sys.modules, "jax", module)
    monkeypatch.setattr(devices, "on_tensorflow", lambda: False)
    return SimpleNamespace(asked=asked, devices=kinds)


def test_jax_shares_what_it_has(jax):
    team = Parallel(2)
    assert team.prepare() == "jax: some, 2 devices" and team.devices == jax.devices[:2]
    assert jax.asked == [("jax_num_cpu_devices", 2)]
    assert Parallel(0).prepare() == "jax: some, 3 devices" and len(jax.asked) == 1
    with pytest.raises(CUNetError, match="--devices=4: JAX has 3 of them here"):
        Parallel(4).prepare()
    del jax.devices[1:]
    with pytest.raises(CUNetError, match="--devices=0: JAX has 1 of them here"):
        Parallel(0).prepare()


def test_under_jax_batches_are_multiples_of_the_devices(jax):
    team, examples = Parallel(0), asked_of()
    team.prepare()
    assert team.feed(examples, 6, training=True, skip=1) == ((6,), {"training": True, "multiple": 3, "skip": 1})
    assert team.feed(examples, 7) == ((9,), {"training": False, "multiple": 3})
    assert (team.steps(examples, 7), team.steps(examples, 6)) == (1, 2)
    with pytest.raises(CUNetError, match="--batch_size=7 cannot be shared among 3 devices: .* such as 9"):
        team.feed(examples, 7, training=True)


def test_a_training_leaves_the_distribution_as_it_was(jax, monkeypatch):
    told = []
    monkeypatch.setattr(keras.distribution, "distribution", lambda: "before")
    monkeypatch.setattr(keras.distribution, "DataParallel", lambda devices: len(devices))
    monkeypatch.setattr(keras.distribution, "set_distribution", told.append)
    team = Parallel(2)
    team.prepare()
    with pytest.raises(KeyboardInterrupt), team.training():
        raise KeyboardInterrupt
    assert told == [2, "before"]


def test_gpus_are_taken_before_the_processor(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a", "b", "c"] if kind == "GPU" else ["cpu"])
    assert tensorflow_devices(0) == ["GPU:0", "GPU:1", "GPU:2"] and tensorflow_devices(2) == ["GPU:0", "GPU:1"]
    with pytest.raises(CUNetError, match="--devices=4: this machine has 3 GPUs"):
        tensorflow_devices(4)


def test_parts_of_the_processor_may_have_been_made_before(monkeypatch):
    def too_late(processor, parts):
        assert len(parts) == 2
        raise RuntimeError("started")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [] if kind == "GPU" else ["cpu"])
    monkeypatch.setattr(tf.config, "set_logical_device_configuration", too_late)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["one", "two", "three"])
    assert tensorflow_devices(2) == ["CPU:0", "CPU:1"]


def test_gpus_are_named_and_grow_on_demand(monkeypatch):
    grown = []

    def grow(gpu, on):
        grown.append(gpu.name)
        raise RuntimeError("started")

    gpus = [SimpleNamespace(name="/GPU:0"), SimpleNamespace(name="/GPU:1")]
    details = {"/GPU:0": {"device_name": "A100"}, "/GPU:1": {}}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grow)
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details[gpu.name])
    assert device_name() == "tensorflow: A100, /GPU:1" and grown == ["/GPU:0", "/GPU:1"]
