"""MATLAB's ``.mat`` files through SciPy, which is imported on first use: other data sets do without it."""

from pathlib import Path
from typing import Any


def read_matlab(file: Path, squeezed: bool = False) -> dict[str, Any]:
    """The variables of a ``.mat`` file.

    Args:
        file: to be read.
        squeezed: axes of length 1 are dropped, and structs become objects whose attributes are the fields.

    Raises:
        ValueError: not such a file; others of SciPy's errors pass through.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        return loadmat(file, squeeze_me=squeezed, struct_as_record=not squeezed)
    except MatReadError as error:
        raise ValueError(str(error)) from None


def is_struct(value: Any) -> bool:
    """Whether a value of a squeezed file is a struct."""
    from scipy.io.matlab import mat_struct

    return isinstance(value, mat_struct)
