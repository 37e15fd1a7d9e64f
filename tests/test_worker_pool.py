"""Processes that make pictures: the same ones, errors as sentences, and nothing left behind."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data import worker_pool
from cunet_tf.data.own_views import load_vary
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.worker_pool import WorkerPool, cached, workers_for
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.devices import Devices
from cunet_tf.trainers.recipes import FACE_MOBILE
from tests.conftest import TINY_FLAGS
from tests.networks import spec_of

DARKER = """
import numpy as np


def darker(image, points, rng):
    return image * np.float32(rng.uniform(0.2, 0.9)), points
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> list[Examples]:
    """Training views that also pass through a file's own function, plain ones, and one whose first picture is lost."""
    file = tmp_path_factory.mktemp("views") / "darkness.py"
    file.write_text(DARKER)
    source, spec = load_synthetic(spec_of().skeleton, "3:11"), spec_of()
    training = Examples(source, spec, FACE_MOBILE.augmentation, seed=1, augment=load_vary(f"{file}:darker"))
    lost = replace(source.samples[0], picture=Path("lost.jpg"))
    return [training, Examples(source, spec), Examples(replace(source, samples=[lost]), spec)]


@pytest.fixture(scope="module")
def pool(made):
    with WorkerPool(2, made) as found:
        yield found


def batches_of(data, count: int) -> list:
    """Batches epoch after epoch, as ``fit`` takes them."""
    found = []
    while len(found) < count:
        found += [data[item] for item in range(data.num_batches)]
        data.on_epoch_end()
    return list(islice(found, count))


@pytest.mark.parametrize("which, training", [(0, True), (1, False)])
def test_batches_are_those_of_this_process(pool, made, which, training):
    ours, theirs = (
        batches_of(made[which].batches(4, training=training, epoch=2, multiple=3, pool=each), 5)
        for each in (None, pool)
    )
    for (image, targets), (other, others) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(image, other)
        np.testing.assert_array_equal(targets[0], others[0])
        assert len(targets) == len(others) and image.dtype == other.dtype == np.float32


def test_bytes_are_rounded_colours(pool, made):
    (image, target), (exact, expected) = (
        pool.result(pool.submit(made[0], 0, np.arange(3), as_bytes=each)) for each in (True, False)
    )
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, np.rint(255.0 * exact))
    np.testing.assert_array_equal(target, expected)


def test_a_picture_that_cannot_be_read_is_named(pool, made):
    with pytest.raises(CUNetError, match=r"lost\.jpg") as caught:
        made[2].batches(1, pool=pool)[0]
    assert type(caught.value) is CUNetError and made[2].failures == [caught.value]


def test_workers_hold_no_framework(pool):
    code = "sorted({'tensorflow', 'jax', 'keras'} & set(__import__('sys').modules))"
    assert pool.result(pool._pool.submit(eval, code)) == []


def test_what_cannot_be_sent_is_refused_in_a_sentence(made):
    drawn = replace(made[1].source.samples[0], picture=lambda: np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(CUNetError, match="cannot be handed to other processes .* or leave out --workers"):
        WorkerPool(1, [replace(made[1], source=replace(made[1].source, samples=[drawn]))])


def test_a_process_that_dies_is_said_and_nothing_is_left(made):
    with WorkerPool(1, made[1:2]) as pool:
        number = pool.result(pool._pool.submit(os.getpid))
        waiting = pool._pool.submit(time.sleep, 60)
        os.kill(number, signal.SIGKILL)
        with pytest.raises(CUNetError, match="a process that makes pictures has died"):
            pool.result(waiting)
    with workers_for(0, made) as none:
        assert none is None


PARENT = """
import os, signal, sys, time
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.worker_pool import WorkerPool
from cunet_tf.presets import preset
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # of a job in the background it is ignored
    spec = preset("face-mobile")
    with WorkerPool(1, [Examples(load_synthetic(spec.skeleton, "0:2"), spec)]) as pool:
        print(pool.result(pool._pool.submit(os.getpid)), flush=True)
        pool.result(pool._pool.submit(time.sleep, 600 if sys.argv[1] == "KILL" else 0.5))
"""


def alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("how", ["KILL", "INT"])
def test_a_stopped_parent_leaves_no_process(tmp_path, how):
    """Of SIGINT the whole group is told, as by Ctrl-C in a terminal."""
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, script, how], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    worker = int(parent.stdout.readline())
    if how == "KILL":
        parent.kill()
    else:
        os.killpg(parent.pid, signal.SIGINT)
    said = parent.communicate()[1]
    end = time.monotonic() + 20
    while alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(worker)
    assert said.count("Traceback") == (how == "INT")  # of the parent alone


def test_the_flag_is_for_jax_and_never_negative(tmp_path, capsys):
    words = ["train", "--data=synthetic", "--split=3:20", *TINY_FLAGS, f"--workdir={tmp_path / 'run'}"]
    assert main([*words, "--workers=2"]) == 2
    assert "--workers=2 is for Keras' JAX backend" in capsys.readouterr().err and not (tmp_path / "run").exists()
    with pytest.raises(CUNetError, match="--workers=-1: give a number of processes, or 0"):
        Devices(workers=-1)


def test_pictures_are_kept_while_there_is_room(made, tmp_path):
    files = [tmp_path / f"{number}.png" for number in range(2)]
    for file in files:
        cv2.imwrite(str(file), np.full((10, 10, 3), 7, np.uint8))
    samples = [replace(made[1].source.samples[0], picture=file) for file in files]
    source = cached(replace(made[1].source, samples=samples), most=450)
    first = [sample.load() for sample in source]
    for file in files:
        cv2.imwrite(str(file), np.full((10, 10, 3), 9, np.uint8))
    assert [int(sample.load().max()) for sample in source] == [7, 9] and first[1].max() == 7
    drawn = cached(made[1].source, most=450)
    np.testing.assert_array_equal(drawn.samples[3].load(), made[1].source.samples[3].load())


# What a process does, in this one -----------------------------------------------------------


def test_a_process_hands_on_the_sentence_of_an_error_and_not_its_kind(made, monkeypatch):
    monkeypatch.setattr(worker_pool, "_examples", made, raising=False)
    with pytest.raises(CUNetError, match=r"lost\.jpg") as caught:
        worker_pool._make(2, 0, np.arange(1), as_bytes=True)
    assert type(caught.value) is CUNetError and isinstance(pickle.loads(pickle.dumps(caught.value)), CUNetError)
    made[2].failures.clear()


def test_the_environment_of_the_processes_is_there_in_the_block_alone(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), worker_pool._environment(worker_pool.ENVIRONMENT):
        assert os.environ["KERAS_BACKEND"] == "numpy" and os.environ["JAX_PLATFORMS"] == "cpu"
        raise ZeroDivisionError
    assert dict(os.environ) == before


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no masks of signals")
def test_an_interrupt_waits_until_the_processes_are_started(monkeypatch):
    def told(*_):
        raise InterruptedError

    before = signal.signal(signal.SIGINT, told)
    try:
        with pytest.raises(InterruptedError), worker_pool._interrupts_held():
            assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, set())  # which processes inherit
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # other threads of this process do not wait
            reached = True
    finally:
        signal.signal(signal.SIGINT, before)
    assert reached and signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def test_a_process_ends_with_the_one_that_asks(monkeypatch):
    steps = []
    monkeypatch.setattr(os, "_exit", lambda code: steps.append(code))
    monkeypatch.setattr(
        worker_pool.multiprocessing, "parent_process", lambda: SimpleNamespace(join=lambda: steps.append("gone"))
    )
    worker_pool._end_with_parent()
    assert steps == ["gone", 1]
    monkeypatch.setattr(worker_pool.multiprocessing, "parent_process", lambda: None)  # it has none
    worker_pool._end_with_parent()
    assert len(steps) == 2
