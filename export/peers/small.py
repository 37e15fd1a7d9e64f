"""Rows of the small network: each package trains it and converts it, and here its files are looked at."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from cunet_tf.compat import operation_details
from cunet_tf.errors import CUNetError
from cunet_tf.export.delegation import CONVOLUTIONS, delegation
from cunet_tf.export.peers import tiny
from cunet_tf.export.peers.environments import Peer, lay_out
from cunet_tf.export.peers.networks import KERNELS
from cunet_tf.export.processes import run_module
from cunet_tf.files.tflite import read_model
from cunet_tf.quiet import import_quietly, native_stderr_hidden
from cunet_tf.rows import Row

NETWORK = "small network"
ROOM = "cunet_tf.export.peers"
OUR_FORMATS = {"float32": "tflite", "int8-weights": "tflite", "int8": "tflite", "packed": "cunet"}
TRAINED = {"cunet-tf": KERNELS, "keras": ("float", "int8", "int4")}  # other packages: KERNELS
KEPT = 160  # characters of what a package says when it fails
EDGE = "ai-edge-quantizer"


def network_rows(peer: Peer, python: str, folder: Path) -> list[Row]:
    """Train and convert by one package.

    Args:
        peer: the package.
        python: the interpreter of its environment.
        folder: empty, for files.

    Returns:
        Rows of :data:`cunet_tf.export.peers.table.COLUMNS`: one for each file, or one for a failure.
    """
    run = _of_edge if peer.name == EDGE else _of_trained
    return [{"network": NETWORK, "package": peer.name, **row} for row in run(peer, python, folder)]


def in_environment(peer: Peer, python: str, folder: Path, module: str, *arguments: str) -> dict[str, Any]:
    """Run a worker on a folder, which is made; what its ``result.json`` says.

    Raises:
        CUNetError: its process failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = lay_out(folder / "modules") if peer.requirements else None
    run_module(f"{ROOM}.{module}", str(folder), *arguments, python=python, path=path)
    return json.loads((folder / "result.json").read_text())


def _of_trained(peer: Peer, python: str, folder: Path) -> Iterator[Row]:
    for kernels in TRAINED.get(peer.name, KERNELS):
        place = folder / kernels
        try:
            result = in_environment(peer, python, place, "worker", peer.name, kernels)
        except CUNetError as error:
            yield {"kernels": kernels, "outcome": shortened(error, place)}
            continue
        names = ("version", "keras", "step_ratio", "step_ratio_xla", "loss_first", "loss_last")
        row = {"kernels": kernels, **{name: result.get(name) for name in names}}
        if "error" in result:
            yield {**row, "outcome": shortened(result["error"], place)}
            continue
        files = _exported(place) if peer.name == "cunet-tf" else result["files"]
        for conversion, fault in files.items():
            yield {**row, "conversion": conversion, **outcome(place, conversion, fault, result["note"])}


def _of_edge(peer: Peer, python: str, folder: Path) -> Iterator[Row]:
    """The float network, trained by Keras and converted by TensorFlow, through the quantizer of files."""
    own = Peer("keras")
    try:
        in_environment(own, sys.executable, folder, "worker", own.name, "float")
        (folder / "as it is.tflite").rename(folder / "float.tflite")
        np.save(folder / "calibration.npy", calibration())
        result = in_environment(peer, python, folder, "edge")
    except CUNetError as error:
        yield {"outcome": shortened(error, folder)}
        return
    for title, fault in result["files"].items():
        row = {"version": result["version"], "kernels": kernels_of(title), "conversion": title}
        yield {**row, **outcome(folder, title, fault)}


def kernels_of(recipe: str) -> str:
    """``w4`` or ``w8``, as the name of a recipe says."""
    return "w4" if "wi4" in recipe or "4-bit" in recipe else "w8"


def calibration() -> np.ndarray:
    """Pictures that choose the grids of features."""
    return tiny.training()[0][: tiny.CALIBRATION]


def _exported(place: Path) -> dict[str, str]:
    """Export our model in each format, by its own command; what went wrong."""
    np.save(place / "calibration.npy", calibration())
    files = {}
    for fmt, ending in OUR_FORMATS.items():
        arguments = (f"--model={place / 'trained.keras'}", f"--format={fmt}", f"--out={place / fmt}.{ending}",
                     f"--inputs={place / 'calibration.npy'}")  # fmt: skip
        try:
            run_module("cunet_tf", "export", *arguments)
            files[fmt] = ""
        except CUNetError as error:
            files[fmt] = str(error)
    return files


def outcome(place: Path, conversion: str, fault: str, note: str = "") -> Row:
    """Columns of a file that a conversion has written, or has not."""
    if fault:
        return {"outcome": shortened(fault, place)}
    try:
        found = measured(
            place / f"{conversion}.{OUR_FORMATS.get(conversion, 'tflite')}", np.load(place / "expected.npy")
        )
    except CUNetError as error:
        return {"outcome": shortened(error, place)}
    return {"outcome": note, **found}


def measured(file: Path, expected: np.ndarray) -> Row:
    """An exported file beside the trained function.

    Args:
        file: ``.tflite`` or ``.cunet``.
        expected: what the trained network answers to :func:`~cunet_tf.export.peers.tiny.test_pictures`.

    Returns:
        ``bytes``; ``convolutions``, ``integer_convolutions``, ``islands``, ``operations``; ``difference``, the largest
        one, relative to the range of ``expected``.

    Raises:
        CUNetError: the file does not run, or answers NaN.
    """
    import_quietly("keras")
    from cunet_tf.export.own_parity import run_tflite

    tflite = model_bytes(file)
    (answer,) = run_tflite(tflite, tiny.test_pictures())
    if not np.isfinite(answer).all():
        raise CUNetError("its answers are no numbers")
    difference = float(np.abs(answer - expected).max() / np.ptp(expected))
    return {"bytes": file.stat().st_size, **operations(tflite), "difference": difference}


def model_bytes(file: Path) -> bytes:
    """The ``.tflite`` that runs; another package's is not looked at by our reader, which refuses 4-bit kernels."""
    return file.read_bytes() if file.suffix == ".tflite" else read_model(file)


def operations(tflite: bytes) -> Row:
    """``operations``, ``convolutions``, ``integer_convolutions`` and ``islands`` of a file, as LiteRT sees it."""
    with native_stderr_hidden():
        interpreter = Interpreter(model_content=tflite, num_threads=1, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
    kinds = {each["index"]: each["dtype"] for each in interpreter.get_tensor_details()}
    ends = [
        {kinds[row["inputs"][0]], kinds[row["outputs"][0]]}
        for row in operation_details(interpreter)
        if row["op_name"] in CONVOLUTIONS
    ]
    found = delegation(tflite)
    return {
        "operations": found["operations"], "convolutions": found["convolutions"],
        "integer_convolutions": sum(each == {np.int8} for each in ends), "islands": found["islands"],
    }  # fmt: skip


def shortened(words: object, place: Path) -> str:
    """The last line of what went wrong, without the folder's name, cut."""
    line = (str(words).strip().splitlines() or ["no message"])[-1].strip().replace(f"{place}/", "")
    return line if len(line) <= KEPT else f"{line[:KEPT]}..."
