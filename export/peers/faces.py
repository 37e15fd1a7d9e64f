"""Rows of a float face network: our own formats beside those that ai-edge-quantizer makes of its float file."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.errors import CUNetError
from cunet_tf.export.benchmark import Candidate, latencies
from cunet_tf.export.peers.environments import Peer
from cunet_tf.export.peers.small import EDGE, in_environment, kernels_of, model_bytes, operations, shortened
from cunet_tf.export.processes import run_module
from cunet_tf.files.tflite import read_model, spec_of
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import Row
from cunet_tf.spec import ModelSpec

OUTER = "stem|heatmaps"  # names of the first and last layer in a float file
CALIBRATION = 64  # pictures
RUNS = 60  # of every file, in turn
FLOAT = "float32.tflite"
# Flags of cunet export: of float files, of those whose grids pictures choose, and of what another file expands to.
FLOATS = {FLOAT: ("--format=float32",), "float16.tflite": ("--format=float16",),
          "int8-weights.tflite": ("--format=int8-weights",)}  # fmt: skip
CALIBRATED = {"int8.tflite": ("--format=int8",), "W5.cunet": ("--format=packed", "--quant=W5"),
              "W4.cunet": ("--format=packed", "--quant=W4")}  # fmt: skip
EXPANDED = {"W5 int8.tflite": "W5.cunet", "W4 int8.tflite": "W4.cunet"}


def face_rows(model: str, root: str, split: str, python: str, peer: Peer, folder: Path) -> list[Row]:
    """Bytes, NME and time of every file.

    Args:
        model: a float ``.keras`` file.
        root: folder of 300-W.
        split: what the NME is measured on; grids are chosen on ``train``.
        python: the interpreter of ai-edge-quantizer's environment.
        peer: ai-edge-quantizer.
        folder: for files.

    Raises:
        CUNetError: the float file cannot be made.
    """
    data = ("--data=300w", f"--root={root}", f"--split={split}", "--allow_missing")
    rows = [*_ours(model, data, folder), *_of_edge(python, peer, root, folder)]
    whole = [row for row in rows if not row["outcome"]]
    for row in whole:
        row |= _evaluated(folder / row["file"], root, split)
    running = [row for row in whole if not row["outcome"]]
    candidates = [Candidate(row["file"], "tflite", model_bytes(folder / row["file"]), row["bytes"]) for row in running]
    times = latencies(candidates, 1, RUNS)
    for row, own in zip(running, times, strict=True):
        row["time_ratio"] = float(np.median(own / times[0]))
    name = _spec(folder / FLOAT).name
    return [{"network": name, "pictures": split, **row} for row in rows]


def _ours(model: str, data: tuple[str, ...], folder: Path) -> list[Row]:
    from importlib.metadata import version

    rows = [_exported(name, (f"--model={model}", *flags), folder) for name, flags in FLOATS.items()]
    if rows[0]["outcome"]:
        raise CUNetError(f"--model={model}: {rows[0]['outcome']}")
    rows += [_exported(name, (f"--model={model}", *flags, *data), folder) for name, flags in CALIBRATED.items()]
    for name, source in EXPANDED.items():
        rows.append(_exported(name, (f"--model={folder / source}", "--format=int8"), folder))
    return [{"package": "cunet-tf", "version": version("cunet-tf"), **row} for row in rows]


def _exported(name: str, flags: tuple[str, ...], folder: Path) -> Row:
    kernels = name[:2].lower() if name[0] == "W" else "w8" if "int8" in name else "float"
    row = {"file": name, "conversion": name, "kernels": kernels, "outcome": ""}
    try:
        run_module("cunet_tf", "export", f"--out={folder / name}", *flags)
    except CUNetError as error:
        return {**row, "outcome": shortened(error, folder)}
    return row


def _of_edge(python: str, peer: Peer, root: str, folder: Path) -> list[Row]:
    shutil.copyfile(folder / FLOAT, folder / "float.tflite")
    np.save(folder / "calibration.npy", _pictures(root, folder / FLOAT))
    try:
        result = in_environment(peer, python, folder, "edge", OUTER)
    except CUNetError as error:
        return [{"package": EDGE, "outcome": shortened(error, folder)}]
    head = {"package": EDGE, "version": result["version"]}
    return [
        {**head, "file": f"{title}.tflite", "conversion": title, "kernels": kernels_of(title),
         "outcome": shortened(fault, folder) if fault else ""}
        for title, fault in result["files"].items()
    ]  # fmt: skip


class Bare:
    """An engine of a file without our reader, which refuses files of ai-edge-quantizer that LiteRT runs."""

    spec: ModelSpec | None = None

    def __init__(self, run: Callable[[np.ndarray], np.ndarray]):
        self.run = run

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Heat maps ``[B, H/4, W/4, C]`` of pictures ``[B, H, W, 3]`` in 0..1."""
        return self.run(images)


def _pictures(root: str, file: Path) -> np.ndarray:
    """Crops of the training faces as a file's network takes them, evenly spread."""
    import_quietly("keras")
    from cunet_tf.data.w300 import load_300w
    from cunet_tf.export.parity import crops_of

    return crops_of(load_300w(root, "train", allow_missing=True), _spec(file), CALIBRATION)


def _evaluated(file: Path, root: str, split: str) -> Row:
    """Bytes, convolutions and NME of a file."""
    try:
        tflite = model_bytes(file)
        nme = _nme(tflite, _spec(file.parent / FLOAT), root, split)
        return {"bytes": file.stat().st_size, **operations(tflite), "nme_interocular": nme}
    except (CUNetError, RuntimeError, ValueError) as error:
        return {"bytes": file.stat().st_size, "outcome": shortened(error, file.parent)}


def _nme(tflite: bytes, spec: ModelSpec, root: str, split: str) -> float:
    import_quietly("keras")
    from cunet_tf.data.w300 import load_300w
    from cunet_tf.evaluation import evaluate
    from cunet_tf.export.own_parity import run_tflite
    from cunet_tf.localizer import Localizer

    engine = Bare(lambda pictures: run_tflite(tflite, pictures)[0])
    return evaluate(Localizer(engine, spec), load_300w(root, split, allow_missing=True))["nme_interocular"]


def _spec(file: Path) -> Any:
    return spec_of(read_model(file))
