"""Pictures in any usual form, as callers hand them over."""

from pathlib import Path
from typing import Any

import numpy as np

from cunet_tf.aliases import Picture
from cunet_tf.data.sample import read_image
from cunet_tf.errors import CUNetError


def as_picture(picture: object) -> Picture:
    """A picture as RGB ``uint8 [H, W, 3]``.

    Args:
        picture: such an array (blue first, as ``cv2.imread`` gives it, cannot be told from red first), the
            path of a file, or a PIL image; files and PIL images are turned upright as their EXIF data say.

    Raises:
        CUNetError: anything else; says what to do.
    """
    if isinstance(picture, (str, Path)):
        return read_image(Path(picture).expanduser())
    if hasattr(picture, "getexif") and hasattr(picture, "convert"):  # PIL, which need not be installed
        return _from_pil(picture)
    if not hasattr(picture, "__array__"):
        raise CUNetError(f"a picture is an RGB uint8 array [H, W, 3], a path or a PIL image, not {_kind(picture)}.")
    array = np.asarray(picture)
    fault = _fault(array)
    if fault:
        raise CUNetError(f"picture of type {array.dtype} and shape {list(array.shape)}: {fault}")
    return np.ascontiguousarray(array)


def _from_pil(picture: Any) -> Picture:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I;16"):  # PIL would clip at 255; the upper eight bits count, as in files
        return np.repeat((np.asarray(upright).astype(np.uint16) >> 8).astype(np.uint8)[..., None], 3, axis=2)
    if upright.mode in ("I", "F"):
        raise CUNetError(
            f"PIL image of mode {upright.mode}: its range is not known: give an RGB uint8 array [H, W, 3]."
        )
    return np.asarray(upright.convert("RGB"))


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _fault(array: np.ndarray) -> str | None:
    """What is wrong with an array that should be a picture, and what to do."""
    shape = array.shape
    if array.size == 0:
        return "it is empty: there is nothing to look at."
    if array.ndim == 2 or (array.ndim == 3 and shape[-1] == 1):
        return "it is grey: repeat the values, np.repeat(picture.reshape(*picture.shape[:2], 1), 3, axis=2)."
    if array.ndim == 4:
        return "this is a batch: give its pictures to locate_batch, with a box or None for each."
    if array.ndim == 3 and shape[-1] == 4:
        return "it has four channels: drop the last one, picture[..., :3], and see that red comes first."
    if array.ndim == 3 and shape[0] == 3 and shape[-1] != 3:
        return "channels come first: use picture.transpose(1, 2, 0)."
    if array.ndim != 3 or shape[-1] != 3:
        return "give RGB uint8 [H, W, 3]."
    if array.dtype == np.uint8:
        return None
    if np.issubdtype(array.dtype, np.floating):
        top = "255 * picture" if np.nanmax(array) <= 1.0 else "picture"
        return f"give uint8 in 0..255: np.clip(np.rint({top}), 0, 255).astype(np.uint8)."
    if array.dtype == np.uint16:
        return "give uint8: (picture // 257).astype(np.uint8) for values up to 65,535."
    return "give uint8 in 0..255."
