"""Golden vectors of model files: descriptions, metadata, quantized numbers, packed containers."""

import json
from typing import Any

import numpy as np
from ai_edge_litert.tools import flatbuffer_utils
from golden_points import shipped_spec

from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, preset
from cunet_tf.spec import SPEC_NAME, ModelSpec


def vectors() -> dict[str, Any]:
    """All topics of this file."""
    return {"spec": specs(), "metadata": metadata(), "quantize": quantized()}


def specs() -> list[dict[str, Any]]:
    """Descriptions of the presets, and broken ones; ``accept`` is what Python says."""
    texts = [preset(name).to_json() for name in PRESETS]
    good = json.loads(texts[0])
    skeleton = good["skeleton"]
    changes = (
        {"version": 2}, {"skeleton": None}, {"skeleton": {**skeleton, "edges": [[0, 400]]}},
        {"skeleton": {**skeleton, "flip_pairs": [[0, 1], [1, 2]]}}, {"name": "naïve \"quoted\" \u2713"},
        {"extra": [1, {}]},
    )  # fmt: skip
    texts += [json.dumps({**good, **change}) for change in changes]
    texts += [json.dumps({name: value for name, value in good.items() if name != "sigma"})]
    texts += ["", "{", "[]", "null", '{"name": 1,}', texts[0] + "x", texts[0][:-1]]
    return [{"text": text, **_read(text)} for text in texts]


def _read(text: str) -> dict[str, Any]:
    try:
        spec = ModelSpec.from_json(text)
    except CUNetError as error:
        return {"accept": False, "message": str(error)}
    return {
        "accept": True, "name": spec.name, "input_size": spec.input_size, "crop_factor": spec.crop_factor,
        "sigma": spec.sigma, "decoder": spec.decoder, "names": list(spec.skeleton.names),
        "flip": spec.skeleton.flip_permutation.tolist(), "edges": [list(edge) for edge in spec.skeleton.edges],
    }  # fmt: skip


def metadata() -> list[dict[str, Any]]:
    """The shipped models' descriptions inside their files."""
    cases = []
    for name in ("face-mobile", "pose-mobile"):
        data, spec = shipped_spec(name)
        text = _stored_text(data)
        assert ModelSpec.from_json(text) == spec
        cases.append({"model": data, "spec": text, "name": spec.name})
    return cases


def _stored_text(data: bytes) -> str:
    """The description as it stands in the file."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(data))
    number = next(entry.buffer for entry in model.metadata if entry.name == SPEC_NAME.encode())
    return bytes(bytearray(model.buffers[number].data)).decode()


def quantized() -> list[dict[str, Any]]:
    """Real numbers to integers and back, half to even, clipped."""
    cases = []
    for scale, zero in ((1 / 255, -128), (1 / 128, 0), (0.0123, 17)):
        scale = np.float32(scale)
        steps = scale * (np.arange(-148, 148) - zero)
        noise = np.random.default_rng(0).normal(0, 2, 200)
        values = np.concatenate([steps, steps + scale / 2, noise]).astype(np.float32)
        integers = np.clip(np.rint(values / scale) + zero, -128, 127)
        cases.append({
            "scale": float(scale), "zero_point": zero, "values": values, "integers": integers,
            "back": (scale * (integers - zero).astype(np.float32)).astype(np.float32),
        })  # fmt: skip
    return cases
