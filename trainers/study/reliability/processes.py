"""The real commands in processes of their own, under a limit where one is wanted."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Files cannot grow beyond the first argument: to a process that is what a full disk is.
LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from cunet_tf.cli import command
sys.argv = ["cunet", *sys.argv[2:]]
command()
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; negative, the signal.
        out, err: what it printed.
        seconds: it took.
        peak_mib: largest resident memory, of the command and of what it started.
    """

    code: int
    out: str
    err: str
    seconds: float
    peak_mib: float

    @property
    def message(self) -> str:
        """The last line of stderr."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def is_refusal(self) -> bool:
        """Whether it is the one way to refuse: exit code 2, a last line that says ``error``, no traceback."""
        return self.code == 2 and "error: " in self.message and "Traceback" not in self.err


def start(arguments: Sequence[str], largest_file: int | None = None, **options: object) -> subprocess.Popen[str]:
    """Start ``cunet`` with these arguments; ``largest_file`` bytes is a full disk."""
    code = ["-m", "cunet_tf"] if largest_file is None else ["-c", LIMITED, str(largest_file)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, *code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env=environment, **options,
    )  # fmt: skip


def run(arguments: Sequence[str], largest_file: int | None = None, scratch: Path | None = None) -> Ended:
    """Run ``cunet`` with these arguments to its end.

    Args:
        arguments: verb and flags.
        largest_file: bytes; ``None`` sets no limit.
        scratch: working folder; this process's own by default.
    """
    began = time.monotonic()
    child = start(arguments, largest_file, cwd=scratch)
    out, err, peak = _watch(child)
    return Ended(child.returncode, out, err, time.monotonic() - began, peak)


def _watch(child: subprocess.Popen[str]) -> tuple[str, str, float]:
    """Its output, and the largest memory that Linux tells of it; 0 elsewhere."""
    peak = 0.0
    while True:
        peak = max(peak, resident_mib(child.pid))
        try:
            out, err = child.communicate(timeout=0.05)
            return out, err, peak
        except subprocess.TimeoutExpired:
            continue


def resident_mib(pid: int | str = "self") -> float:
    """Resident memory of a process now."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, IndexError, ValueError):
        return 0.0
