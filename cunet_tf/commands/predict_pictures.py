"""The picture part of ``cunet predict``: each picture to its JSON and overlay, in one process or several."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from cunet_tf.commands.predict_inputs import Picture
from cunet_tf.data.sample import limit_megapixels, megapixel_limit, read_image
from cunet_tf.detector import Detector, load_detector
from cunet_tf.draw import save_result
from cunet_tf.engines import load_engine
from cunet_tf.errors import CUNetError
from cunet_tf.files.shipped import find_model
from cunet_tf.landmarks import Landmarks, draw_objects
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import json_text
from cunet_tf.presets import preset
from cunet_tf.progress import progress, say
from cunet_tf.quiet import native_stderr_hidden
from cunet_tf.results import Record, is_done, read_record, record_of
from cunet_tf.writing import replace_text


@dataclass(frozen=True)
class Setup:
    """All that the results of a picture depend on, but for the picture and its boxes; goes to other processes.

    Attributes:
        model: a file or a shipped name.
        preset, decoder, flip_test, min_confidence, crops: see :class:`Localizer`.
        detector: ``None`` takes the whole picture as one object.
        draw: ending of the overlays, or ``None``.
    """

    model: str
    preset: str | None = None
    decoder: str | None = None
    flip_test: bool = False
    min_confidence: float | None = None
    crops: int = 1
    detector: str | None = None
    draw: str | None = "jpg"

    def localizer(self, threads: int | None = None) -> Localizer:
        """A localizer with its own engine."""
        spec = preset(self.preset) if self.preset else None
        engine = load_engine(self.model, threads)
        return Localizer(engine, spec, self.decoder, self.flip_test, self.min_confidence, self.crops)

    def digest(self, boxes: list[list[float]] | None) -> str:
        """Tells calls apart that may give other results for a picture."""
        fields = asdict(self) | {"model": _content(self.model), "boxes": boxes}
        if self.crops == 1:
            del fields["crops"]  # results of versions without the flag stay done
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _content(model: str) -> str:
    if model not in _CONTENT:
        _CONTENT[model] = hashlib.sha256(find_model(model).read_bytes()).hexdigest()
    return _CONTENT[model]


_CONTENT: dict[str, str] = {}


@dataclass(frozen=True)
class Task:
    """A picture, the boxes given for it (``None``: none were), and what marks its result."""

    picture: Picture
    boxes: list[list[float]] | None
    settings: str


@dataclass(frozen=True)
class Outcome:
    """What came of a picture, whose record is in its JSON file: a hundred thousand of them would fill the memory.

    Attributes:
        task: the picture.
        objects: how many there are in its record; ``None`` where something was wrong.
        found: how many of them are sure.
        error: what was wrong.
        done: an earlier call had made the record.
    """

    task: Task
    objects: int | None = None
    found: int = 0
    error: str = ""
    done: bool = False

    @classmethod
    def of(cls, task: Task, record: Record, done: bool = False) -> "Outcome":
        """The outcome of a picture with a record."""
        return cls(task, len(record["objects"]), sum(each["found"] for each in record["objects"]), done=done)


class Worker:
    """Turns tasks into files."""

    def __init__(self, setup: Setup, threads: int | None = None):
        self._setup, self._localizer = setup, setup.localizer(threads)
        self._detector: Detector | None = load_detector(setup.detector) if setup.detector else None

    def __call__(self, task: Task) -> Outcome:
        """Look at a picture and write its results; what is wrong with it is part of the outcome."""
        picture = task.picture
        try:
            with native_stderr_hidden():  # what decoders say of damage is in the error
                image = read_image(picture.file)
            objects = self._objects(image, task.boxes)
        except CUNetError as error:
            text = str(error)
            return Outcome(task, error=text if str(picture.file) in text else f"{picture.file}: {text}")
        height, width = image.shape[:2]
        record = record_of(str(picture.file), width, height, objects, self._localizer.spec.skeleton, task.settings)
        if picture.overlay:
            _draw(picture.overlay, image, objects)
        replace_text(picture.json, json_text(record))
        return Outcome.of(task, record)

    def _objects(self, image: np.ndarray, boxes: list[list[float]] | None) -> list[Landmarks]:
        if boxes is not None:
            return self._localizer.locate_batch([image] * len(boxes), boxes)
        if self._detector:
            return self._localizer.locate_all(image, self._detector)
        return [self._localizer.locate(image)]


def _draw(file: Path, image: np.ndarray, objects: list[Landmarks]) -> None:
    save_result(file, draw_objects(image, objects))


def look(setup: Setup, tasks: list[Task], jobs: int = 1, again: bool = False) -> list[Outcome]:
    """Results of all pictures in order, made or, where nothing has changed since, read.

    Args:
        setup: see there.
        tasks: one for each picture.
        jobs: processes.
        again: make them all anew.
    """
    outcomes: dict[int, Outcome] = {}
    for task in [] if again else tasks:
        picture, record = task.picture, read_record(task.picture.json)
        if is_done(record, picture.file, picture.json, picture.overlay, task.settings):
            assert record is not None
            outcomes[id(task)] = Outcome.of(task, record, done=True)
    left = [task for task in tasks if id(task) not in outcomes]
    with progress("pictures") as show:
        for count, outcome in enumerate(_work(setup, left, jobs), 1):
            outcomes[id(outcome.task)] = outcome
            show(count, len(left))
            _say(outcome)
    return [outcomes[id(task)] for task in tasks]


def _work(setup: Setup, tasks: list[Task], jobs: int) -> Iterator[Outcome]:
    if jobs == 1 or len(tasks) < 2:
        worker = Worker(setup) if tasks else None
        yield from map(worker, tasks) if worker else ()
        return
    with ProcessPoolExecutor(min(jobs, len(tasks)), get_context("spawn"), _start, (setup, megapixel_limit())) as pool:
        try:
            for task, outcome in zip(tasks, pool.map(_do, tasks, chunksize=4), strict=True):
                yield replace(outcome, task=task)
        except BrokenProcessPool:
            raise CUNetError(
                f"one of the {jobs} processes was killed: use fewer --jobs; what is done stays done."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_worker: Worker | None = None  # of a process that --jobs started


def _start(setup: Setup, megapixels: float) -> None:
    global _worker
    limit_megapixels(megapixels)
    _worker = Worker(setup, threads=1)


def _do(task: Task) -> Outcome:
    assert _worker is not None
    return _worker(task)


def _say(outcome: Outcome) -> None:
    """What a person has to know about a picture, as one line on stderr."""
    if outcome.error:
        say(f"skipped {outcome.error}")
        return
    objects = outcome.objects or 0
    unsure = objects - outcome.found
    if not objects:
        say(f"{outcome.task.picture.file}: nothing found by the detector.")
    elif unsure:
        many = f"{unsure} of {objects} objects are" if objects > 1 else "the only object is"
        say(f"{outcome.task.picture.file}: {many} below the confidence, not found.")
