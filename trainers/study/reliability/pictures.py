"""A folder of pictures, one in a hundred of them bad, through ``cunet predict``."""

import shutil
from pathlib import Path

import cv2

from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.rows import Row
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.study.reliability.processes import run

KINDS = 64  # pictures that are drawn; the others are copies, which decode as slowly
EVERY = 100  # picture that is bad


def bad_pictures(folder: Path, count: int) -> list[Row]:
    """``count`` pictures of which each hundredth is bad, and the same number with no bad one for the memory."""
    names = _write(folder / "pictures", count)
    shutil.rmtree(folder / "found", ignore_errors=True)
    few = _run(folder, count // 10)
    ended = run(["predict", "--model=face-mobile", "--draw=none", f"--out={folder / 'found'}",
                 str(folder / "pictures")])  # fmt: skip
    named = sum(f"{name}:" in ended.err for name in names)
    return [
        {"figure": "pictures", "value": count}, {"figure": "of them bad", "value": len(names)},
        {"figure": "results", "value": len(list((folder / "found").glob("*.json")))},
        {"figure": "bad pictures named", "value": named}, {"figure": "exit code", "value": ended.code},
        {"figure": f"peak MiB, {count // 10:,} pictures", "value": round(few, 1)},
        {"figure": f"peak MiB, {count:,} pictures", "value": round(ended.peak_mib, 1)},
    ]  # fmt: skip


def _write(folder: Path, count: int) -> list[str]:
    """Fill the folder; the names of the bad pictures."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    drawn = load_synthetic(FACE68, f"11:{KINDS}")
    files = [cv2.imencode(".jpg", sample.load()[..., ::-1])[1].tobytes() for sample in drawn]
    bad = []
    for index in range(count):
        file = folder / f"{index:05}.jpg"
        data = files[index % KINDS]
        if index % EVERY == EVERY - 1:
            data = _damaged(data, index // EVERY)
            bad.append(file.name)
        file.write_bytes(data)
    return bad


def _damaged(data: bytes, kind: int) -> bytes:
    """Cut, empty, text, or zeros in the middle."""
    half = len(data) // 2
    return (data[:half], b"", b"no picture", data[:half] + bytes(half))[kind % 4]


def _run(folder: Path, count: int) -> float:
    """Largest memory for the first pictures alone."""
    names = [str(file) for file in sorted((folder / "pictures").iterdir())[:count]]
    return run(["predict", "--model=face-mobile", "--draw=none", f"--out={folder / 'few'}",
                *names]).peak_mib  # fmt: skip
