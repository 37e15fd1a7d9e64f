"""Rows of the comparison: each network with each kind of box."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cunet_tf.boxes import Detection, best_over
from cunet_tf.data.sample import Source
from cunet_tf.detector import load_detector
from cunet_tf.engines import load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.export.benchmark import Candidate, latencies
from cunet_tf.export.peers.environments import Peer, prepare
from cunet_tf.export.peers_faces.dlib_runs import Dlib, best, fitted, mapped
from cunet_tf.export.peers_faces.figures import errors_of, figures, multiply_adds, offsets_of
from cunet_tf.export.peers_faces.mesh import Mesh, to_68
from cunet_tf.files.shipped import find_model
from cunet_tf.files.tflite import read_model
from cunet_tf.localizer import Localizer, View
from cunet_tf.rows import Row

COLUMNS = ("by", "network", "version", "boxes", "runs", "pictures", "images", "seen_percent", "nme_68", "failures_68",
           "nme_51", "failures_51", "nme_51_offsets_removed", "failures_51_offsets_removed", "bytes", "multiply_adds",
           "run_ms", "run_ratio", "outcome", "cpu")  # fmt: skip
MEDIAPIPE = Peer("mediapipe-files", ("--no-deps", "mediapipe==0.10.21"))
FOLDER = "lib/python*/site-packages/mediapipe/modules/face_landmark"
PLAIN, ATTENTION = "face_landmark.tflite", "face_landmark_with_attention.tflite"
ROUNDS = 200  # of all networks in turn
Found = list[np.ndarray | None]


class Faces:
    """Pictures, annotated points, and what the common detector, BlazeFace, sees.

    Attributes:
        images: RGB ``uint8 [H, W, 3]``.
        truth: ``[N, 68, 2]``.
        boxes: tight boxes of the points.
        seen: the detection that lies best over each of them; ``None`` where none touches it.
    """

    def __init__(self, source: Source):
        self.images = [sample.load() for sample in source]
        self.truth = np.stack([sample.points for sample in source])
        self.boxes = [np.asarray(sample.box) for sample in source]
        detector = load_detector("auto")
        self.detector = detector
        self.seen = [_best(detector(image), box) for image, box in zip(self.images, self.boxes, strict=True)]


def _best(found: list[Detection], box: np.ndarray) -> Detection | None:
    index = best_over(box, [each.box for each in found])
    return None if index is None else found[index]


def rows_of(models: list[str], known: Faces, faces: Faces, cache: Path, folder: Path) -> list[Row]:
    """All rows.

    Args:
        models: our files, or shipped names; ``run_ratio`` is to the first one's time.
        known: for maps of boxes and offsets.
        faces: of the table.
        cache: folder of environments.
        folder: for files.

    Raises:
        CUNetError: an environment cannot be made, or a peer fails.
    """
    python = prepare(MEDIAPIPE, cache)
    files = next(Path(python).parents[1].glob(FOLDER))
    mesh = (files / PLAIN).read_bytes()
    contents = {**{model: read_model(find_model(model)) for model in models}, PLAIN: mesh}
    candidates = [Candidate(name, "tflite", data, 0) for name, data in contents.items()]
    rounds = latencies(candidates, 1, ROUNDS)
    measured = {
        name: {"multiply_adds": multiply_adds(data), "run_ms": float(np.median(each)),
               "run_ratio": float(np.median(each / rounds[0]))}
        for (name, data), each in zip(contents.items(), rounds, strict=True)
    }  # fmt: skip
    rows: list[Row] = []
    for model in models:
        size = {"bytes": find_model(model).stat().st_size, **measured[model]}
        rows += [{**row, **size} for row in _ours(model, known, faces)]
    rows += _of_dlib(known, faces, cache, folder)
    head: Row = {"by": "MediaPipe", "version": MEDIAPIPE.requirements[-1].split("==")[1]}
    for row in _of_mesh(mesh, known, faces):
        rows.append({**head, "network": PLAIN, **row, "bytes": len(mesh), **measured[PLAIN]})
    rows.append({**head, "network": ATTENTION, "bytes": (files / ATTENTION).stat().st_size,
                 "outcome": _fault((files / ATTENTION).read_bytes())})  # fmt: skip
    return rows


def _compared(find: Callable[[Faces], Found], known: Faces, faces: Faces) -> Row:
    """Figures on ``faces``, offsets by ``known``."""
    offsets, found = offsets_of(find(known), known.truth), find(faces)
    return figures(errors_of(found, faces.truth), errors_of(found, faces.truth, offsets))


def _ours(model: str, known: Faces, faces: Faces) -> list[Row]:
    plain = Localizer(load_engine(model, threads=1))
    most = Localizer(plain.engine, flip_test=True, crops=2)

    def given(localizer: Localizer) -> Callable[[Faces], Found]:
        return lambda each: [landmarks.points for landmarks in localizer.locate_batch(each.images, each.boxes)]

    def detected(each: Faces) -> Found:
        pairs = zip(each.images, each.seen, strict=True)
        return [None if seen is None else _two_looks(plain, image, seen, each) for image, seen in pairs]

    head: Row = {"by": "cunet-tf", "network": model}
    return [
        {**head, "boxes": "its own: tight", "runs": 1, **_compared(given(plain), known, faces)},
        {**head, "boxes": "its own: tight; --crops=2 --flip_test", "runs": 4, **_compared(given(most), known, faces)},
        {**head, "boxes": "BlazeFace", "runs": 2, **_compared(detected, known, faces)},
    ]


def _two_looks(localizer: Localizer, image: np.ndarray, seen: Detection, faces: Faces) -> np.ndarray:
    """As :meth:`Localizer.locate_all` looks at one object."""
    box = localizer.box_map(faces.detector)(seen)
    view = View(box.box, localizer.spec.crop_factor, "detector", box.roll)
    (first,) = localizer.look([image], [view])
    return localizer.look([image], [localizer.closer(first.points, view)])[0].points


def _of_dlib(known: Faces, faces: Faces, cache: Path, folder: Path) -> list[Row]:
    run, times = Dlib(cache, folder), []

    def detected(each: Faces) -> list[tuple[np.ndarray, np.ndarray] | None]:
        return [best(*pair) for pair in zip(run(each.images, None), each.boxes, strict=True)]

    pairs = list(zip(known.seen, known.boxes, detected(known), strict=True))
    sure = [(seen, tight, own[0]) for seen, tight, own in pairs if seen and own]
    maps = {
        "BlazeFace": fitted([seen.box for seen, _, _ in sure], [own for *_, own in sure]),
        "tight": fitted([tight for _, tight, _ in sure], [own for *_, own in sure]),
    }

    def given(each: Faces, kind: str) -> Found:
        boxes = each.boxes if kind == "tight" else [seen.box if seen else None for seen in each.seen]
        asked = {index: mapped(maps[kind], box) for index, box in enumerate(boxes) if box is not None}
        found: Found = [None] * len(boxes)
        answers = run([each.images[index] for index in asked], [*asked.values()])
        for index, answer in zip(asked, answers, strict=True):
            found[index] = np.array(answer["points"][0], np.float64)
            times.extend(answer["ms"])
        return found

    def own(each: Faces) -> Found:
        return [pair and pair[1] for pair in detected(each)]

    rows: list[Row] = [
        {"boxes": "its own: dlib's detector", **_compared(own, known, faces)},
        {"boxes": "BlazeFace, brought to dlib's", **_compared(lambda each: given(each, "BlazeFace"), known, faces)},
        {"boxes": "tight, brought to dlib's", **_compared(lambda each: given(each, "tight"), known, faces)},
    ]
    head = {"by": "dlib", "network": "shape_predictor_68_face_landmarks.dat", "version": run.version, "runs": 1}
    return [{**head, **row, "bytes": run.bytes, "run_ms": float(np.median(times))} for row in rows]


def _of_mesh(data: bytes, known: Faces, faces: Faces) -> list[Row]:
    mesh = Mesh(data, PLAIN)

    def after(looks: int) -> Callable[[Faces], Found]:
        return lambda each: [
            to_68(mesh.looks(image, seen, looks)) if seen else None
            for image, seen in zip(each.images, each.seen, strict=True)
        ]

    return [
        {"boxes": f"its own: BlazeFace{more}", "runs": looks, **_compared(after(looks), known, faces)}
        for looks, more in ((1, ""), (2, ", then around its points"))
    ]


def _fault(data: bytes) -> str:
    """Why LiteRT does not run a file; empty where it does."""
    try:
        Mesh(data, ATTENTION)
    except CUNetError as error:
        return str(error).split("this model (")[-1].split("): ")[0].split(".")[0]
    return ""
