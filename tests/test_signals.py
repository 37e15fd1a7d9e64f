"""SIGTERM and SIGHUP end a block as Ctrl-C does; a reader that goes away ends a verb quietly."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cunet_tf.signals import STOPS, signals_interrupt


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_is_an_interrupt_in_the_block_alone(number):
    before = signal.signal(number, signal.SIG_DFL)  # under nohup it is ignored
    try:
        with pytest.raises(KeyboardInterrupt), signals_interrupt():
            os.kill(os.getpid(), number)
            time.sleep(5)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with signals_interrupt():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.mark.parametrize("arguments", [["--help"], ["help", "predict"], ["info", "--preset=face-8"]])
def test_a_reader_that_goes_away_is_no_error(arguments):
    command = [sys.executable, "-m", "cunet_tf", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as call:
        call.stdout.close()
        assert call.stderr.read() == b"" and call.wait() == 0
