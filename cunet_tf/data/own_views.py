"""A user's own function that varies training views, after the recipe's augmentation."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from cunet_tf.errors import CUNetError, did_you_mean, reason

Vary = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""``f(image, points, rng) -> (image, points)``, called once for each training view, from several threads or processes.

- image: the crop after the recipe's views and colours, RGB float32 ``[H, W, 3]`` in 0..1. It may be changed in place.
- points: float64 ``[C, 2]``, (x, y) in pixels of the crop, pixel centres on integers, in the skeleton's order also
  where the view is a mirror image; NaN where a landmark is not annotated. What is returned as NaN does not count.
- rng: generator of this view, decided by seed, epoch and sample alone.
"""

OWN = 1  # fourth key of the random stream: the recipe's views stay what they are
_loaded: dict[str, Path] = {}
BRIGHTEST = 2.0  # noise may lift values above 1, which are cut; what is far above is on another scale


def own_stream(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Generator for a user's function on one sample in one epoch."""
    return np.random.default_rng((seed, epoch, index, OWN))


def load_vary(text: str) -> Vary:
    """The function that ``FILE.py:function`` names; the file's code runs.

    Raises:
        CUNetError: no such file or function, or the file cannot be imported.
    """
    path, _, name = text.rpartition(":")
    if not path or not name:
        raise CUNetError(f"--augment={text}: give FILE.py:function.")
    file = Path(path)
    if not file.is_file():
        raise CUNetError(f"--augment={text}: there is no file {file}.")
    module = _imported(f"own_views_{file.stem}", file, f"--augment={text}")
    found = getattr(module, name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        raise CUNetError(f"--augment={text}: no function {name} in {file}. {did_you_mean(name, known)}")
    return found


def _imported(module_name: str, file: Path, where: str) -> ModuleType:
    """Run a file as a module of this name."""
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise CUNetError(f"{where}: {file} is no Python file: give FILE.py:function.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses in the file look for it
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # of foreign code, all kinds
        raise CUNetError(f"{where}: {file} cannot be imported: {type(error).__name__}: {reason(error)}") from error
    _loaded[module_name] = file.absolute()
    return module


def loaded_files() -> dict[str, Path]:
    """Module name -> file of all that :func:`load_vary` has run, for :func:`load_again` in another process."""
    return dict(_loaded)


def load_again(files: Mapping[str, Path]) -> None:
    """Run the files of another process here, so that its functions can be sent to this one.

    Raises:
        CUNetError: one cannot be imported.
    """
    for module_name, file in files.items():
        _imported(module_name, file, "--augment")


def vary_name(function: Vary) -> str:
    """``FILE.py:function`` without folders, for messages and ``config.json``."""
    name = getattr(function, "__qualname__", type(function).__qualname__)
    file = _file(function)
    return f"{file.name}:{name}" if file else name


def vary_digest(function: Vary) -> str:
    """SHA-256 of the file that defines a function; empty where there is none, as in a console."""
    file = _file(function)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file else ""


def _file(function: Vary) -> Path | None:
    code = function if inspect.isroutine(function) else type(function)
    try:
        file = inspect.getsourcefile(code)
    except TypeError:
        return None
    return Path(file) if file and Path(file).is_file() else None


def varied(
    function: Vary, image: np.ndarray, points: np.ndarray, rng: np.random.Generator, picture: str
) -> tuple[np.ndarray, np.ndarray]:
    """Call a user's function and look at what it returns.

    Args:
        function, image, points, rng: see :data:`Vary`.
        picture: the sample's name, for messages.

    Returns:
        Image float32 ``[H, W, 3]``, cut to 0..1, and points float64 ``[C, 2]``.

    Raises:
        CUNetError: the function fails, or returns something else; names the function and the picture.
    """
    where = f"--augment={vary_name(function)}, picture {picture}"
    shape, count = image.shape, len(points)
    try:
        result = function(image, points, rng)
    except Exception as error:  # of foreign code, all kinds
        raise CUNetError(f"{where}: {type(error).__name__}: {reason(error)}{_line(error, function)}") from error
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise CUNetError(f"{where}: returned {type(result).__name__}, not (image, points).")
    new, moved = (np.asarray(each) for each in result)
    if new.dtype.kind != "f" or new.shape != shape:
        raise CUNetError(f"{where}: returned an image {new.dtype}{list(new.shape)}: give floats 0..1, {list(shape)}.")
    if moved.dtype.kind not in "fiu" or moved.shape != (count, 2):
        raise CUNetError(f"{where}: returned points {moved.dtype}{list(moved.shape)}: give numbers [{count}, 2].")
    if not np.isfinite(new).all() or new.max() > BRIGHTEST:
        raise CUNetError(f"{where}: returned an image with values that are no numbers in 0..1.")
    return np.clip(new, 0.0, 1.0).astype(np.float32), moved.astype(np.float64)


def _line(error: Exception, function: Vary) -> str:
    """Where in the user's file an error arose."""
    file, trace, line = _file(function), error.__traceback__, 0
    while trace is not None:
        if file and Path(trace.tb_frame.f_code.co_filename) == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f" (line {line} of {file})" if line else ""
