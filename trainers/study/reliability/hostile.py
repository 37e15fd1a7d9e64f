"""Hostile files, each given to the verb that reads such files: what it says, how long it takes, and its memory."""

import gzip
import json
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from cunet_tf.files.shipped import WEIGHTS
from cunet_tf.rows import Row
from cunet_tf.trainers.study.reliability.processes import run

BOMB = 1 << 28  # bytes of zeros, packed to 1/1000
Case = Callable[[Path], list[str]]  # writes into an empty folder; arguments of the command

CHECK = "--data=folder"
PREDICT = ["predict", "--out=found", "--model=face-mobile"]


def refusals(folder: Path) -> list[Row]:
    """One row for each case: message, exit code, seconds, memory."""
    place = (folder / "hostile").absolute()
    shutil.rmtree(place, ignore_errors=True)
    rows = []
    for index, (name, case) in enumerate(CASES.items()):
        home = place / str(index)
        home.mkdir(parents=True)
        ended = run(case(home), scratch=home)
        message = ended.message.split("error: ", 1)[-1].replace(f"{home}/", "")
        skipped = ended.code == 1 and ended.message.startswith("skipped ")  # a picture; others would be looked at
        fine = "" if ended.is_refusal or skipped else " (NOT A REFUSAL)"
        rows.append({"figure": name, "value": f"{message} [code {ended.code}, {ended.seconds:.1f} s, "
                                              f"{ended.peak_mib:.0f} MiB]{fine}"})  # fmt: skip
    return rows


def _model(name: str, data: bytes) -> Case:
    def case(home: Path) -> list[str]:
        (home / name).write_bytes(data)
        return (
            ["info", f"--model={name}"] if name.endswith(".keras") else [*PREDICT[:2], f"--model={name}", _face(home)]
        )

    return case


def _keras_bomb(home: Path) -> list[str]:
    with zipfile.ZipFile(WEIGHTS / "face-mobile.keras") as source, zipfile.ZipFile(home / "m.keras", "w") as target:
        for name in source.namelist():
            data = source.read(name) if name != "config.json" else bytes(BOMB)
            target.writestr(name, data, zipfile.ZIP_DEFLATED)
    return [*PREDICT[:2], "--model=m.keras", _face(home)]


def _keras_config(text: str) -> Case:
    def case(home: Path) -> list[str]:
        with zipfile.ZipFile(WEIGHTS / "face-mobile.keras") as source, zipfile.ZipFile(home / "m.keras", "w") as target:
            for name in source.namelist():
                target.writestr(name, source.read(name) if name != "config.json" else text)
        return [*PREDICT[:2], "--model=m.keras", _face(home)]

    return case


def _folder_data(text: str | bytes, name: str = "landmarks.json") -> Case:
    def case(home: Path) -> list[str]:
        _face(home)
        (home / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return ["check", CHECK, "--root=.", "--split=all"]

    return case


def _picture(name: str, data: bytes) -> Case:
    def case(home: Path) -> list[str]:
        (home / name).write_bytes(data)
        return [*PREDICT, name]

    return case


def _face(home: Path) -> str:
    picture = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    cv2.imwrite(str(home / "a.png"), picture)
    return "a.png"


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1 << 20)))
        + chunk(b"IEND", b"")
    )


def _entry(**changes: object) -> str:
    entry = {"file": "a.png", "points": [[10, 10], [30, 30]], **changes}
    return json.dumps({"skeleton": {"names": ["a", "b"], "flip_pairs": []}, "images": [entry]})


def _matlab(data: bytes) -> Case:
    def case(home: Path) -> list[str]:
        (home / "images").mkdir()
        (home / "joints.mat").write_bytes(data)
        return ["check", "--data=lspet", "--root=."]

    return case


def _video(data: bytes) -> Case:
    def case(home: Path) -> list[str]:
        (home / "clip.mp4").write_bytes(data)
        return [*PREDICT, "--video=clip.mp4"]

    return case


def _fifo(home: Path) -> list[str]:
    os.mkfifo(home / "pipe.jpg")
    return [*PREDICT, "pipe.jpg"]


def _detector(data: bytes) -> Case:
    def case(home: Path) -> list[str]:
        (home / "d.onnx").write_bytes(data)
        return [*PREDICT, "--detector=d.onnx", _face(home)]

    return case


def _yaml(text: str) -> Case:
    def case(home: Path) -> list[str]:
        (home / "data.yaml").write_text(text)
        return ["check", "--data=yolo", "--root=."]

    return case


def _pts(text: str) -> Case:
    def case(home: Path) -> list[str]:
        part = home / "helen" / "trainset"
        part.mkdir(parents=True)
        _face(part)
        (part / "a.pts").write_text(text)
        return ["evaluate", "--model=face-mobile", "--data=300w", "--root=.", "--split=helen/trainset"]

    return case


_MATLAB = b"MATLAB 5.0 MAT-file".ljust(124, b" ") + b"\0\1IM"
_LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
CASES: dict[str, Case] = {
    "`.keras`: text": _model("m.keras", b"no zip"),
    "`.keras`: 256 MB of zeros in config.json": _keras_bomb,
    "`.keras`: config.json nested 100,000 deep": _keras_config("[" * 100_000),
    "`.keras`: config.json of another class": _keras_config(json.dumps(
        {"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None})),
    "`.tflite`: cut in half": _model("m.tflite", b"\x1c\0\0\0TFL3" + bytes(100)),
    "`.tflite.gz`: 256 MB of zeros": _model("m.tflite.gz", gzip.compress(bytes(BOMB))),
    "`.cunet`: cut in half": _model("m.cunet", (WEIGHTS / "face-mobile.cunet").read_bytes()[:60_000]),
    "JSON nested 100,000 deep": _folder_data("[" * 100_000),
    "JSON: a number of 5,000 digits": _folder_data(_entry().replace("[10, 10]", "[1" + "0" * 5000 + ", 10]")),
    "JSON: NaN": _folder_data(_entry().replace("[10, 10]", "[NaN, 10]")),
    "JSON: a name outside the folder": _folder_data(_entry(file="../../a.png")),
    "JSON: a device as picture": _folder_data(_entry(file="/dev/zero")),
    "CSV: a NUL byte": _folder_data(b"file,split,a_x,a_y\na.png,train,1\0,2\n", "landmarks.csv"),
    "CSV: a field of 200,000 characters": _folder_data("file,split,a_x,a_y\n" + "x" * 200_000 + ",train,1,2\n",
                                                      "landmarks.csv"),
    "`.pts`: no braces": _pts("version: 1\nn_points: 68\n1 2\n"),
    "`.pts`: 10^9 points promised": _pts("version: 1\nn_points: 1000000000\n{\n1 2\n}\n"),
    "`.mat`: text": _matlab(b"no matrix"),
    "`.mat`: an element of 2 GB promised": _matlab(_MATLAB + b"\x0e\0\0\0\xff\xff\xff\x7f" * 4),
    "YAML: nine levels of aliases": _yaml(_LAUGHS),
    "`.onnx`: text": _detector(b"no network" * 100),
    "PNG of 60,000 x 60,000 pixels": _picture("a.png", _png(60_000, 60_000)),
    "a named pipe as picture": _fifo,
    "video: text": _video(b"no video" * 100),
}  # fmt: skip
