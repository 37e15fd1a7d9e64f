"""Errors of peers whose points follow other rules than the annotation, and multiply-adds of their files."""

import numpy as np

from cunet_tf.compat import operation_details
from cunet_tf.metrics import AUC_THRESHOLD
from cunet_tf.rows import Row

CORNERS = (36, 45)  # outer corners of the eyes
INNER = slice(17, 68)  # all but the jaw


def errors_of(found: list[np.ndarray | None], truth: np.ndarray, offsets: np.ndarray | None = None) -> np.ndarray:
    """Errors ``[N, 68]`` as shares of the distance of the outer eye corners; NaN where nothing was found.

    Args:
        found: points ``[68, 2]`` of each picture.
        truth: ``[N, 68, 2]``.
        offsets: ``[68, 2]`` of :func:`offsets_of`, taken off first.
    """
    apart = np.stack([_apart(points, each) for points, each in zip(found, truth, strict=True)])
    return np.linalg.norm(apart if offsets is None else apart - offsets, axis=-1)


def offsets_of(found: list[np.ndarray | None], truth: np.ndarray) -> np.ndarray:
    """Mean displacement ``[68, 2]`` of each point in the face's own axes: by what two rules of marking differ."""
    return np.nanmean(np.stack([_apart(*pair) for pair in zip(found, truth, strict=True)]), axis=0)


def _apart(points: np.ndarray | None, truth: np.ndarray) -> np.ndarray:
    """Displacements ``[68, 2]`` along and across the line of the eye corners, by its length."""
    if points is None:
        return np.full(truth.shape, np.nan)
    line = truth[CORNERS[1]] - truth[CORNERS[0]]
    axes = np.array([line, [-line[1], line[0]]]) / (line @ line)
    return (points - truth) @ axes.T


def figures(errors: np.ndarray, without: np.ndarray) -> Row:
    """Percent: pictures whose face was found, NME over them, and failures above 8 % over all.

    Args:
        errors: of :func:`errors_of`.
        without: the same with the offsets taken off.
    """
    seen = ~np.isnan(errors).any(axis=1)
    row: Row = {"seen_percent": 100.0 * float(seen.mean())}
    for name, share, points in (
        ("68", errors, slice(None)), ("51", errors, INNER), ("51_offsets_removed", without, INNER),
    ):  # fmt: skip
        nme = share[:, points].mean(axis=1)
        row[f"nme_{name}"] = 100.0 * float(nme[seen].mean()) if seen.any() else None
        row[f"failures_{name}"] = 100.0 * float(1.0 - np.mean(nme <= AUC_THRESHOLD))
    return row


def multiply_adds(data: bytes) -> int:
    """Of the convolutions of a ``.tflite`` network.

    Raises:
        ValueError, RuntimeError: LiteRT cannot prepare it.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=data, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    shapes = {each["index"]: [int(side) for side in each["shape"]] for each in interpreter.get_tensor_details()}
    total = 0
    for each in operation_details(interpreter):
        if each["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, made = shapes[int(each["inputs"][1])], shapes[int(each["outputs"][0])]
            total += int(np.prod(kernel[1:] if each["op_name"] == "CONV_2D" else kernel[1:3])) * int(np.prod(made))
    return total
