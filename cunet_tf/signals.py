"""Other ways of being told to stop than Ctrl-C, made the same; none of them gets lost."""

import contextlib
import signal
import threading
from collections.abc import Iterator

STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
OURS = {**dict.fromkeys(STOPS, signal.SIG_DFL), signal.SIGINT: signal.default_int_handler}

_told: list[int] = []  # signals that have come in a block


@contextlib.contextmanager
def signals_interrupt() -> Iterator[None]:
    """SIGTERM and a closed terminal raise KeyboardInterrupt in the block, as Ctrl-C does, so that files are closed.

    Handlers of the caller's own stay; an outer block of this kind serves the inner ones.
    """

    def interrupt(number: int, _: object) -> None:
        _told.append(number)
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()  # no other thread may set handlers
    before = {number: usual for number, usual in OURS.items() if main and signal.getsignal(number) == usual}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)
        if before:
            _told.clear()


def stop_if_told() -> None:
    """Raise KeyboardInterrupt again where a signal's own was swallowed by what it was raised in.

    Keras' ``fit`` takes any error for "no number" where it waits for the numbers of a step; under JAX it waits there
    for nearly all of its time.
    """
    if _told:
        raise KeyboardInterrupt
