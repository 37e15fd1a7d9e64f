"""Does an exported file compute what the Keras model computes?"""

from typing import Any

import numpy as np

from cunet_tf.data.augment import View
from cunet_tf.data.pipeline import make_example
from cunet_tf.data.sample import Source
from cunet_tf.engines import Engine
from cunet_tf.heatmaps import decode
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.spec import ModelSpec

# Largest heat-map difference (peaks are about 1), mean landmark difference in input pixels.
# On a grid, rounding errors of the last float bit can decide between two steps.
TOLERANCE = {"float32": (1e-3, 0.01), "float16": (3e-2, 0.1), "compact": (1e-3, 0.01), "grid": (0.1, 0.1)}


def crops_of(source: Source, spec: ModelSpec, count: int) -> np.ndarray:
    """Un-augmented crops ``[count, H, W, 3]`` in 0..1, evenly spread over the source."""
    chosen = np.unique(np.linspace(0, len(source) - 1, count).astype(int))
    perm = spec.skeleton.flip_permutation
    return np.stack([make_example(source.samples[i], View(), spec, perm)[0] for i in chosen])


def compare(reference: Engine, exported: Engine, crops: np.ndarray, spec: ModelSpec, fmt: str) -> dict[str, Any]:
    """Heat maps and landmarks of two engines on the same crops.

    ``fmt`` chooses the tolerance; a network with quantized features has that of ``"grid"``.

    Returns:
        ``heatmap_max``, ``heatmap_mean``: differences of heat-map values; ``landmark_mean``,
        ``landmark_max``: of decoded points, in input pixels; ``tolerance`` of heatmap_max
        and landmark_mean; ``pictures``; ``ok``.
    """
    ours, theirs = reference(crops), exported(crops)
    points = [decode(maps, spec.decoder, spec.sigma)[0] for maps in (ours, theirs)]
    gap = 4.0 * np.linalg.norm(points[0] - points[1], axis=-1)
    difference = np.abs(ours - theirs)
    heat_limit, point_limit = TOLERANCE["grid" if QuantConfig.parse(spec.quant).features else fmt]
    return {
        "heatmap_max": float(difference.max()),
        "heatmap_mean": float(difference.mean()),
        "landmark_mean": float(gap.mean()),
        "landmark_max": float(gap.max()),
        "tolerance": {"heatmap_max": heat_limit, "landmark_mean": point_limit},
        "pictures": len(crops),
        "ok": bool(difference.max() <= heat_limit and gap.mean() <= point_limit),
    }
