"""Whole pictures held out of what is learned from, to choose ``best.keras`` by."""

import re
from pathlib import Path

import numpy as np

from cunet_tf.data.records import Crop
from cunet_tf.data.sample import Sample, Source
from cunet_tf.errors import CUNetError

VAL_SHARE = 0.05  # of the pictures, where neither a share nor a validation part is named
MIRRORED = re.compile(r"[_-](mirror|mirrored|flip|flipped)$", re.IGNORECASE)


def hold_out(source: Source, share: float, seed: int = 0) -> tuple[Source, Source]:
    """Split a source into training and validation parts, the same for equal seeds.

    Whole pictures are held out: two people in one picture stay on one side, and so do a picture and its mirrored
    copy, which data sets name ``NAME_mirror.jpg``.

    Raises:
        CUNetError: nothing would be left on one side.
    """
    pictures = [_original(sample) for sample in source]
    names, which = np.unique(pictures, return_inverse=True)
    count = round(share * len(names))
    if not 0 < count < len(names):
        raise CUNetError(f"--val_share={share} of {len(names)} pictures leaves one side empty: change it.")
    held = np.isin(which, np.random.default_rng(seed).permutation(len(names))[:count])
    return source.subset(np.flatnonzero(~held)), source.subset(np.flatnonzero(held))


def _original(sample: Sample) -> str:
    """The path of a sample's picture without what says that it is mirrored; the name of a drawn one."""
    file = Path(sample.picture.origin) if isinstance(sample.picture, Crop) else sample.picture
    if not isinstance(file, Path) or not file.name:
        return sample.name
    return str(file.with_name(MIRRORED.sub("", file.stem) + file.suffix))
