"""SIGTERM and SIGHUP end a block as Ctrl-C does; a reader that goes away ends a verb quietly."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest

from cunet_tf.signals import OURS, STOPS, signals_interrupt, stop_if_told
from cunet_tf.trainers.guard import StopWhenTold


@contextlib.contextmanager
def handled(number, handler):
    """A signal's handler in a block: under nohup, or in the background, it may be ignored."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def send(number):
    os.kill(os.getpid(), number)
    time.sleep(5)  # which it ends


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_is_an_interrupt_in_the_block_alone(number):
    with handled(number, signal.SIG_DFL):
        with pytest.raises(KeyboardInterrupt), signals_interrupt():
            send(number)
        assert signal.getsignal(number) == signal.SIG_DFL


@pytest.mark.parametrize("number", OURS)
def test_what_swallows_a_signal_does_not_lose_it(number):
    with handled(number, OURS[number]):
        with pytest.raises(KeyboardInterrupt), signals_interrupt():
            with contextlib.suppress(BaseException), signals_interrupt():
                send(number)
            stop_if_told()
        stop_if_told()  # the block has ended: nothing is left of it
        assert signal.getsignal(number) == OURS[number]


def test_fit_ends_though_keras_swallows_what_a_step_raises():
    """As under JAX, where a step's numbers are waited for inside of a bare ``except``."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    seen = []

    def told(batch, logs):
        seen.append(batch)
        with contextlib.suppress(BaseException):
            send(signal.SIGTERM)

    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_begin=told), StopWhenTold()]
    with handled(signal.SIGTERM, signal.SIG_DFL), pytest.raises(KeyboardInterrupt), signals_interrupt():
        model.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=1, verbose=0, callbacks=callbacks)
    assert seen == [0]


def test_other_threads_set_no_handlers():
    found = []

    def work():
        with signals_interrupt():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL]


def test_a_handler_of_the_callers_stays():
    with handled(signal.SIGTERM, signal.SIG_IGN), signals_interrupt():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


@pytest.mark.parametrize("arguments", [["--help"], ["help", "predict"], ["info", "--preset=face-8"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    command = [sys.executable, "-m", "cunet_tf", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as call:
        call.stdout.close()
        assert call.stderr.read() == b"" and call.wait() == 0
