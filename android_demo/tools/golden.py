"""Golden vectors: what Python computes, for the Java core to repeat. Drawn pictures only.

    python android_demo/tools/golden.py FOLDER

writes ``FOLDER/golden.json``; arrays stand in it as base64 of little-endian bytes.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import golden_models
import golden_packed
import golden_pixels
import golden_points

MODULES = [golden_pixels, golden_points, golden_models, golden_packed]


def plain(value: Any) -> Any:
    """JSON values: arrays become a shape and base64, dictionaries and lists are walked."""
    if isinstance(value, np.ndarray):
        kind = "u1" if value.dtype == np.uint8 else "<f4" if value.dtype == np.float32 else "<f8"
        data = np.ascontiguousarray(value.astype(kind)).tobytes()
        return {"shape": list(value.shape), "type": kind[-2:], "data": base64.b64encode(data).decode()}
    if isinstance(value, bytes):
        return plain(np.frombuffer(value, np.uint8))
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def main(folder: str) -> None:
    """Write all vectors."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    topics: dict[str, Any] = {}
    for module in MODULES:
        topics |= module.vectors()
    (out / "golden.json").write_text(json.dumps(plain(topics)))
    print(f"{sum(len(cases) for cases in topics.values())} golden cases in {out / 'golden.json'}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: golden.py FOLDER")
    main(sys.argv[1])
