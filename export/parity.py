"""Does an exported file compute what the Keras model computes, and does it run as it should?"""

from typing import Any

import numpy as np

from cunet_tf.data.augment import View
from cunet_tf.data.pipeline import make_example
from cunet_tf.data.sample import Source
from cunet_tf.engines import Engine, LiteRTEngine
from cunet_tf.evaluation import evaluate
from cunet_tf.export.delegation import delegation
from cunet_tf.export.integer_reference import Reference
from cunet_tf.files.formats import FLOAT
from cunet_tf.heatmaps import decode
from cunet_tf.localizer import Localizer
from cunet_tf.spec import ModelSpec

# Largest heat-map difference (peaks are about 1); median landmark difference in input pixels, for
# an input of 128; by how many points the metric may be worse. The median, because the mean is
# that of a few landmarks whose heat map has two peaks of one height: they jump.
# "int8": trained on the grids that it runs on; "calibrated": grids chosen after training.
TOLERANCE = {
    "float32": (1e-3, 0.01, 0.01),
    "float16": (3e-2, 0.1, 0.01),
    "int8-weights": (0.1, 0.5, 0.05),
    # Float files of quantized features: the last bit of a number decides between two steps.
    "float32 on grids": (0.1, 0.1, 0.01),
    "float16 on grids": (0.5, 1.0, 0.01),
    "int8-weights on grids": (0.5, 1.0, 0.05),
    "int8": (0.5, 1.0, 0.05),
    "calibrated": (1.0, 2.0, 0.25),
}
REFERENCE_SIDE = 128
JUMP = 0.1  # of the input side
EXACT_PICTURES = 32
PCK_SHARE = 0.2


def crops_of(source: Source, spec: ModelSpec, count: int) -> np.ndarray:
    """Un-augmented crops ``[count, H, W, 3]`` in 0..1, evenly spread over the source."""
    chosen = np.unique(np.linspace(0, len(source) - 1, count).astype(int))
    perm = spec.skeleton.flip_permutation
    return np.stack([make_example(source.samples[i], View(), spec, perm)[0] for i in chosen])


def tolerance(spec: ModelSpec, fmt: str) -> dict[str, float]:
    """What the differences of :func:`compare` and :func:`metrics` may reach at most."""
    trained = spec.quantization.features is not None
    if fmt in FLOAT:
        kind = "float32" if fmt == "onnx" else fmt
        kind += " on grids" if trained else ""
    else:
        kind = "int8" if trained else "calibrated"
    heat, points, metric = TOLERANCE[kind]
    scale = spec.input_size / REFERENCE_SIDE
    return {"heatmap_max": heat, "landmark_median": points * scale, "metric": metric}


def compare(
    reference: Engine, exported: Engine, crops: np.ndarray, spec: ModelSpec, fmt: str, known: bool = True
) -> dict[str, Any]:
    """Heat maps and landmarks of two engines on the same crops.

    Args:
        reference, exported: the two.
        crops: see :func:`crops_of`.
        spec: of both.
        fmt: the file's format.
        known: the crops show what the network looks for; else its peaks are noise, and heat maps alone decide.

    Returns:
        ``heatmap_max``, ``heatmap_mean``: differences of heat-map values; ``landmark_median``,
        ``landmark_mean``, ``landmark_max``: of decoded points, in input pixels;
        ``landmarks_jumped``: share (0..1) that is a tenth of the input away; ``tolerance``, see
        :func:`tolerance`; ``pictures``; ``ok``.
    """
    ours, theirs = reference(crops), exported(crops)
    points = [decode(maps, spec.decoder, spec.sigma)[0] for maps in (ours, theirs)]
    gap = 4.0 * np.linalg.norm(points[0] - points[1], axis=-1)
    difference = np.abs(ours - theirs)
    limits = tolerance(spec, fmt)
    return {
        "heatmap_max": float(difference.max()),
        "heatmap_mean": float(difference.mean()),
        "landmark_median": float(np.median(gap)),
        "landmark_mean": float(gap.mean()),
        "landmark_max": float(gap.max()),
        "landmarks_jumped": float((gap > JUMP * spec.input_size).mean()),
        "tolerance": limits,
        "pictures": len(crops),
        "ok": bool(
            difference.max() <= limits["heatmap_max"] and (not known or np.median(gap) <= limits["landmark_median"])
        ),
    }


def metrics(reference: Engine, exported: Engine, source: Source, spec: ModelSpec, fmt: str) -> dict[str, Any]:
    """The main metric of both engines on annotated samples.

    Returns:
        ``name``, ``keras``, ``file`` and ``difference`` in percent; ``uncertainty``, twice the standard error of the
        difference, which the tolerance is widened by: on ten pictures one landmark that jumps would decide;
        ``tolerance``, ``images``, ``ok``. Where no picture defines the metric, its figures are ``None``, and nothing
        is found wrong.
    """
    results = [evaluate(Localizer(engine, spec), source) for engine in (reference, exported)]
    name = "pck" if results[0]["pck"] is not None else f"nme_{results[0]['normalizer']}"
    ours, theirs = (result[name] for result in results)
    limit = tolerance(spec, fmt)["metric"] * (10 if name == "pck" else 1)  # one of 1,000 joints is 0.1 points
    difference = None if ours is None or theirs is None else theirs - ours
    uncertainty = None if difference is None else _uncertainty(*(_of_pictures(each["per_image"]) for each in results))
    worse = 0.0 if difference is None else -difference if name == "pck" else difference
    return {
        "name": name, "keras": ours, "file": theirs, "difference": difference, "uncertainty": uncertainty,
        "tolerance": limit, "images": len(source), "ok": bool(worse <= limit + (uncertainty or 0.0)),
    }  # fmt: skip


def _of_pictures(errors: np.ndarray) -> np.ndarray:
    """The metric of each picture in percent: its NME, or the share of its joints within 0.2 of the torso."""
    if errors.ndim == 1:
        return 100.0 * errors
    known = np.isfinite(errors)
    correct = np.where(known, errors <= PCK_SHARE, 0).sum(axis=1)
    return np.divide(100.0 * correct, known.sum(axis=1), out=np.full(len(errors), np.nan), where=known.any(axis=1))


def _uncertainty(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Twice the standard error of the mean difference over pictures."""
    gaps = (theirs - ours)[np.isfinite(theirs - ours)]
    return float(2.0 * gaps.std(ddof=1) / np.sqrt(len(gaps))) if len(gaps) > 1 else 0.0


def exactness(tflite: bytes, crops: np.ndarray) -> dict[str, Any]:
    """An integer file on LiteRT against the numpy reference, bit for bit, and how it is run.

    Returns:
        ``pictures``, ``values`` compared, ``differences`` (0 is exact); ``convolutions`` and how
        many of them are ``delegated`` to XNNPACK; ``islands``, quantizations amid the graph; ``ok``.
    """
    engine, exact = LiteRTEngine(tflite), Reference(tflite)
    crops = crops[:EXACT_PICTURES]
    pairs = [(engine.run_raw(image), exact(engine.encode(image[None]))) for image in crops]
    differences = sum(int((ours != theirs).sum()) for ours, theirs in pairs)
    report = {
        "pictures": len(crops), "values": sum(ours.size for ours, _ in pairs), "differences": differences,
        **delegation(tflite),
    }  # fmt: skip
    return {**report, "ok": not differences and report["delegated"] == report["convolutions"] and not report["islands"]}
