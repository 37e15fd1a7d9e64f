"""Small packed folders for several tests."""

from pathlib import Path

import cv2
import numpy as np

from cunet_tf.data.record_cut import Cut
from cunet_tf.data.records_schema import SplitIndex
from cunet_tf.data.records_write import Packing, pack
from cunet_tf.data.sample import Source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers.manifest import data_digest

PNG = Packing(Cut(2.3, 1000.0), "png", shard_mb=0.2)  # some faces a file


def faces(count: int = 12) -> Source:
    """Drawn faces."""
    return load_synthetic(FACE68, f"6:{count}")


def packed(source: Source, folder: Path, packing: Packing = PNG) -> SplitIndex:
    """Pack without a word."""
    return pack(source, folder, packing, data_digest(source), "cunet pack", lambda done, total: None)


def save_pictures(source: Source, folder: Path, ending: str = ".jpg") -> Source:
    """The same samples with pictures in files."""
    from dataclasses import replace

    samples = []
    for index, sample in enumerate(source):
        file = folder / f"part{index % 2}" / f"{index}{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.ascontiguousarray(sample.load()[..., ::-1]))
        samples.append(replace(sample, picture=file))
    return replace(source, samples=samples)
