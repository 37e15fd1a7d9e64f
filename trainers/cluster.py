"""The workers of a training on several machines: what ``TF_CONFIG`` says of them, and whether they are there."""

import json
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cunet_tf.errors import CUNetError

VARIABLE = "TF_CONFIG"
EXAMPLE = '{"cluster": {"worker": ["10.0.0.1:3456", "10.0.0.2:3456"]}, "task": {"type": "worker", "index": 0}}'
WAIT, TOLD, PAUSE = 300.0, 15.0, 0.2  # seconds for a worker to appear, between words about it, between tries
LONGEST = 1 << 16  # bytes of what a worker says
ADDRESS = re.compile(r"(?P<host>[^:\s]+|\[[^\]\s]+\]):(?P<port>\d+)")


@dataclass(frozen=True)
class Cluster:
    """Workers that train one network together.

    Attributes:
        workers: ``host:port`` of each; the first is the chief, which writes the run's files.
        index: which of them this process is.
    """

    workers: tuple[str, ...]
    index: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Cluster":
        """The cluster of ``TF_CONFIG``.

        Raises:
            CUNetError: there is none, or it says what cannot be.
        """
        text = environment.get(VARIABLE, "")
        if not text:
            raise CUNetError(f"--strategy=multiworker needs {VARIABLE} in the environment of each worker: {EXAMPLE}")
        try:
            config = json.loads(text)
            cluster, task = dict(config["cluster"]), dict(config["task"])
            kind, index = str(task["type"]), int(task["index"])
            roles = {role: [str(each) for each in names] for role, names in cluster.items()}
        except (ValueError, KeyError, TypeError) as error:
            raise CUNetError(f"{VARIABLE} is not as it must be ({type(error).__name__}: {error}): {EXAMPLE}") from None
        others = sorted(set(roles) - {"chief", "worker"})
        if others:
            raise CUNetError(f"{VARIABLE}: cluster names {', '.join(others)}: give workers (and a chief) only.")
        chief = roles.get("chief", [])
        names = (*chief, *roles.get("worker", []))
        _require_addresses(names)
        place = {"chief": index, "worker": len(chief) + index}.get(kind, -1)
        if index < 0 or kind not in roles or index >= len(roles[kind]):
            raise CUNetError(f"{VARIABLE}: task {kind} {index} is none of the cluster's: {_listed(roles)}.")
        return cls(names, place)

    @property
    def chief(self) -> bool:
        """Whether this process writes the run's files."""
        return self.index == 0

    def meet(self, plan: Mapping[str, Any], wait: float = WAIT) -> None:
        """Wait until every worker is there, and train the same.

        Each listens at its own address and asks the others for theirs, before TensorFlow does, which would wait for an
        hour and says nothing.

        Args:
            plan: JSON values that must be equal for all.
            wait: seconds.

        Raises:
            CUNetError: one's own address is taken or wrong, a worker does not answer, or trains something else.
        """
        own = {"workers": list(self.workers), "index": self.index, "plan": dict(plan)}
        asked: set[int] = set()
        with _answering(self.workers[self.index], own, asked):
            end, told = time.monotonic() + wait, time.monotonic() + TOLD
            missing = set(range(len(self.workers))) - {self.index}
            while missing or len(asked) < len(self.workers) - 1:
                for other in sorted(missing):
                    said = _ask(self.workers[other], self.index)
                    if said is not None:
                        self._require_same(other, said, own)
                        missing.discard(other)
                silent = missing or set(range(len(self.workers))) - asked - {self.index}
                names = ", ".join(f"{each} ({self.workers[each]})" for each in sorted(silent))
                if silent and time.monotonic() > end:
                    raise CUNetError(
                        f"{VARIABLE}: no word of worker {names} in {wait:.0f} s: is it started, with this cluster and "
                        f"its own index, and does a firewall let it pass?"
                    )
                if silent and time.monotonic() > told:
                    print(f"waiting for worker {names}", file=sys.stderr)
                    told = time.monotonic() + TOLD
                time.sleep(PAUSE)

    def _require_same(self, other: int, said: dict[str, Any], own: dict[str, Any]) -> None:
        """Refuse a worker of another cluster, or with another training."""
        address = self.workers[other]
        if said.get("workers") != own["workers"] or said.get("index") != other:
            raise CUNetError(
                f"{VARIABLE}: {address} is worker {said.get('index')} of {said.get('workers')}, here it is worker "
                f"{other} of {own['workers']}: give all the same cluster, and each its own index."
            )
        theirs = said.get("plan") or {}
        for name, value in own["plan"].items():
            if theirs.get(name) != value:
                raise CUNetError(
                    f"worker {other} ({address}) trains something else: {name} is {theirs.get(name)!r} there and "
                    f"{value!r} here: give all workers the same flags and the same data."
                )


def _require_addresses(names: tuple[str, ...]) -> None:
    """Refuse what is no address of a machine."""
    if not names:
        raise CUNetError(f"{VARIABLE}: the cluster has no worker: {EXAMPLE}")
    for name in names:
        if not ADDRESS.fullmatch(name) or not 0 < int(name.rsplit(":", 1)[1]) < 65536:
            raise CUNetError(f"{VARIABLE}: worker {name!r} is no address: give host:port.")
        if names.count(name) > 1:
            raise CUNetError(f"{VARIABLE}: {name} stands there twice: give each worker an address of its own.")
        try:
            socket.getaddrinfo(*_parts(name))
        except OSError:
            raise CUNetError(f"{VARIABLE}: worker {name}: no machine of that name is known here.") from None


def _parts(address: str) -> tuple[str, int]:
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def _listed(roles: dict[str, list[str]]) -> str:
    return ", ".join(f"{role} 0 to {len(names) - 1}" for role, names in roles.items() if names)


@contextmanager
def _answering(address: str, own: dict[str, Any], asked: set[int]) -> Iterator[None]:
    """Tell whoever asks at one's own address what one is; ``asked`` becomes the indices of those who did."""
    host, port = _parts(address)
    family = socket.getaddrinfo(host, port)[0][0]
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CUNetError(
            f"{VARIABLE}: this worker cannot listen at its address {address} ({error.strerror}): is the index right, "
            "and no other process there?"
        ) from None
    listener.listen()
    listener.settimeout(PAUSE)
    stop = threading.Event()
    words = (json.dumps(own) + "\n").encode()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5.0)
            who = _line(connection)
            connection.sendall(words)
            if who.isdigit():
                asked.add(int(who))

    thread = threading.Thread(target=_serve, args=(listener, answer, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        listener.close()


def _serve(listener: socket.socket, answer: Callable[[socket.socket], None], stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            answer(listener.accept()[0])
        except OSError:  # nobody came, or left
            continue


def _ask(address: str, index: int) -> dict[str, Any] | None:
    """What the worker at an address says of itself; ``None`` while nobody answers."""
    try:
        with socket.create_connection(_parts(address), timeout=5.0) as connection:
            connection.sendall(f"{index}\n".encode())
            return json.loads(_line(connection))
    except (OSError, ValueError):
        return None


def _line(connection: socket.socket) -> str:
    """The first line that comes, without its end."""
    found = b""
    while not found.endswith(b"\n") and len(found) < LONGEST:
        part = connection.recv(4096)
        if not part:
            break
        found += part
    return found.decode(errors="replace").strip()
