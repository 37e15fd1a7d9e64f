"""A process that reads the damaged files of one format; whatever a reader does to it, the caller goes on."""

import contextlib
import faulthandler
import json
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from cunet_tf.errors import CUNetError
from tests.fuzz.target import Target

WARM_UP = 5  # files of another seed that are read before memory and time count
LONGEST = 1200  # characters of a refusal


def outcome(target: Target, path: Path) -> str:
    """What reading a file comes to: the refusal with its digits left out, or ``"read"``.

    Raises:
        AssertionError: the refusal is not one clear sentence. Any other error: a fault of the reader.
    """
    try:
        target.read(path)
    except CUNetError as error:
        text = str(error)
        assert "\n" not in text, f"a refusal of several lines: {text!r}"
        assert text.endswith("."), f"no sentence: {text!r}"
        assert len(text) <= LONGEST, f"a refusal of {len(text)} characters: {text[:200]!r}..."
        assert "Traceback" not in text, f"a traceback: {text!r}"
        assert path.name in text or target.name == "cunet", f"the file is not named: {text!r}"
        return "".join(letter for letter in text.replace(str(path.parent), "") if not letter.isdigit())
    return "read"


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0.0


def limit_memory(target: Target) -> None:
    """Let every larger allocation fail from now on, where the system can."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * resource.getpagesize() + target.memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def one(target: Target, seed: int | str, index: int, folder: Path) -> tuple[str, float]:
    """Make the file of an index, always the same, and read it: the outcome, and the seconds that it took.

    The folder is emptied before, so that a file that ends this process is still there.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    target.write(Random(f"{target.name} {seed} {index}"), folder)
    faulthandler.dump_traceback_later(target.seconds, exit=True)
    start = time.monotonic()
    try:
        return outcome(target, folder / target.entry), time.monotonic() - start
    finally:
        faulthandler.cancel_dump_traceback_later()


def serve(target: Target, first: int, count: int, seed: int, place: Path) -> None:
    """Read ``count`` files from the index ``first`` on; ``place`` holds ``at``, ``files`` and ``done.json``."""
    faulthandler.enable()
    for index in range(WARM_UP):
        with contextlib.suppress(AssertionError):
            one(target, "warm-up", index, place / "files")
    before = peak_mib()
    limit_memory(target)
    found: Counter[str] = Counter()
    longest = 0.0
    try:
        for index in range(first, first + count):
            (place / "at").write_text(str(index))
            text, seconds = one(target, seed, index, place / "files")
            found[text] += 1
            longest = max(longest, seconds)
    finally:
        done = {"outcomes": found, "seconds": longest, "mib": max(peak_mib() - before, 0.0)}
        (place / "done.json").write_text(json.dumps(done))


def main() -> None:
    """Arguments: format, first index, count, seed, folder of the work."""
    from tests.fuzz.targets import TARGETS

    name, first, count, seed, place = sys.argv[1:]
    serve(TARGETS[name], int(first), int(count), int(seed), Path(place))


if __name__ == "__main__":
    main()
