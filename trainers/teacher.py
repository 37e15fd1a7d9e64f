"""Knowledge distillation: the heat maps of a trained network are a part of the targets of the one that is trained."""

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras import ops

from cunet_tf.aliases import Tensor
from cunet_tf.codec import DiskCodec, codec_of
from cunet_tf.config import STRIDE
from cunet_tf.errors import CUNetError
from cunet_tf.files.keras_archive import CONFIG, read_config, read_parts
from cunet_tf.files.shipped import find_weights
from cunet_tf.models.saved import load_keras
from cunet_tf.spec import ModelSpec

VIEWS = (1, 2, 4)
OTHER_SIGMA = 0.1  # of the student's; a teacher's Gaussians that differ by more are worth a notice


@dataclass(frozen=True)
class Teaching:
    """Who teaches, and how.

    Attributes:
        network: a ``.keras`` file, the folder of a run, or a shipped name.
        weight: a, of the teacher's map in the target, see :class:`cunet_tf.losses.HeatmapLoss`; above 0, 1 at most.
        views: whose maps are averaged: 1, the student's own crop; 2, also its mirror image; 4, both also one heat-map
            pixel further up and left, which falls on other cells of the coarser levels.

    Raises:
        CUNetError: weight or views are none of these.
    """

    network: str
    weight: float = 0.5
    views: int = 1

    def __post_init__(self) -> None:
        if not 0.0 < self.weight <= 1.0:
            raise CUNetError(f"--teacher_weight={self.weight:g}: give a share above 0 and at most 1.")
        if self.views not in VIEWS:
            raise CUNetError(f"--teacher_views={self.views}: give 1, 2 or 4.")

    @property
    def file(self) -> Path:
        """The network's file.

        Raises:
            CUNetError: no such network, or one that does not run inside a training step.
        """
        path = Path(self.network)
        if path.is_file() and path.suffix != ".keras":
            raise CUNetError(
                f"--teacher={path}: a teacher runs inside the training step, where that computes: give its .keras "
                "file, the folder of a run, or a shipped name."
            )
        try:
            return find_weights(self.network)
        except CUNetError as error:
            raise CUNetError(f"--teacher={error}") from None

    @property
    def flag(self) -> str:
        """The flag that names the network."""
        return f"--teacher={self.network}"

    def require_fitting(self, student: ModelSpec) -> ModelSpec:
        """The description of a network that can teach the student, read from its file alone.

        Raises:
            CUNetError: no such network, one without a description, with other landmarks, or a detector; or mirror
                images are asked for and nobody knows what they swap.
        """
        inner = read_config(read_parts(self.file, CONFIG)[0])["config"]
        if "cunet_spec" not in inner:
            raise CUNetError(
                f"{self.flag}: the file does not describe itself, so its landmarks are unknown: train it here."
            )
        spec = ModelSpec.from_dict(inner["cunet_spec"])
        have, need = spec.skeleton, student.skeleton
        if have.names != need.names:
            raise CUNetError(
                f"{self.flag}: it finds {have.size} landmarks ({have.name}), the student {need.size} ({need.name}), "
                "not the same ones in the same order: take a teacher that was trained on such data."
            )
        if isinstance(codec_of(spec), DiskCodec):
            raise CUNetError(f"{self.flag}: its maps are logits of disks (detection): take a teacher that regresses.")
        if self.views > 1:
            need.require_pairs(f"--teacher_views={self.views}")
        return spec

    def describe(self) -> dict[str, Any]:
        """Plain JSON values for ``config.json``: the file by its digest, wherever it lies."""
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        return {"sha256": digest, "weight": self.weight, "views": self.views}


class Teacher:
    """Heat maps of a frozen network for the crops that a student sees.

    No Keras object, so that Keras finds nothing of it in the student: no variable, no part of a file.

    Args:
        teaching: names the network.
        student: its description.

    Raises:
        CUNetError: no such network, one without a description, with other landmarks, or a detector; or mirror images
            are asked for and nobody knows what they swap.
    """

    def __init__(self, teaching: Teaching, student: ModelSpec):
        spec = teaching.require_fitting(student)
        self.network, self.views = load_keras(teaching.file), teaching.views
        self.network.trainable = False
        sigma = spec.sigma * student.config.heatmap_size / spec.config.heatmap_size
        if abs(sigma / student.sigma - 1.0) > OTHER_SIGMA:
            print(f"notice: {teaching.flag} draws Gaussians of sigma {sigma:.2g} in the student's heat-map pixels, the "
                  f"student's targets have {student.sigma:.2g}.", file=sys.stderr)  # fmt: skip
        self.size, self.side = spec.input_size, student.config.heatmap_size
        self.permutation = student.skeleton.flip_permutation

    def __call__(self, images: Tensor) -> Tensor:
        """Heat maps ``[B, h, w, C]`` in the student's size, of crops ``[B, H, W, 3]`` in 0..1; no gradient passes."""
        images = resized(ops.cast(images, "float32"), self.size, antialias=True)
        maps = self._mirrored(images)
        if self.views == 4:
            maps = (maps + moved_back(self._mirrored(moved(images)), maps)) / 2.0
        return ops.stop_gradient(resized(maps, self.side))

    def _mirrored(self, images: Tensor) -> Tensor:
        """The mean over the crops and, from two views on, their mirror images, left and right swapped back."""
        maps = self._run(images)
        if self.views == 1:
            return maps
        mirrored = ops.flip(self._run(ops.flip(images, axis=2)), axis=2)
        return (maps + ops.take(mirrored, self.permutation, axis=-1)) / 2.0

    def _run(self, images: Tensor) -> Tensor:
        outputs = self.network(images, training=False)
        return ops.cast(outputs[-1] if isinstance(outputs, (list, tuple)) else outputs, "float32")


def moved(images: Tensor) -> Tensor:
    """Pictures ``[B, H, W, 3]`` one heat-map pixel further up and left, black where nothing is known."""
    return ops.pad(images[:, STRIDE:, STRIDE:], ((0, 0), (0, STRIDE), (0, STRIDE), (0, 0)))


def moved_back(maps: Tensor, known: Tensor) -> Tensor:
    """Heat maps ``[B, h, w, C]`` of :func:`moved` pictures in their old place; first row and column from ``known``."""
    maps = ops.concatenate([known[:, :1, 1:], maps[:, :-1, :-1]], axis=1)
    return ops.concatenate([known[:, :, :1], maps], axis=2)


def resized(values: Tensor, side: int, antialias: bool = False) -> Tensor:
    """``[B, h, w, C]`` to ``side`` pixels, which cover the same square; bilinear."""
    if values.shape[1] == side:
        return values
    return ops.image.resize(
        values, (side, side), interpolation="bilinear", antialias=antialias, data_format="channels_last"
    )
