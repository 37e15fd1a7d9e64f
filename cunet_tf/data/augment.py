"""Random views of a training picture (paper, section 5), stateless in (seed, epoch, index)."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cunet_tf.aliases import Affine, Box
from cunet_tf.data.geometry import crop_matrix
from cunet_tf.errors import CUNetError

LARGEST_ZOOM = 100.0  # a factor beyond it is a slip of the pen


@dataclass(frozen=True)
class Augmentation:
    """Ranges to draw from; the defaults change nothing.

    Attributes:
        scale: lowest and highest zoom, drawn uniformly in the logarithm.
        rotation: degrees; bound of a uniform draw, or sigma of a normal one.
        rotation_normal: draw the rotation from a normal distribution, cut at two sigma.
        full_turns: probability of a rotation drawn from the whole circle instead.
        shift: largest displacement, as a share of the crop's side.
        flip: probability of a mirror image.
        gain: lowest and highest factor on each colour channel.
        occlude: probability of a grey rectangle over a part of the crop.
        blur: probability of a Gaussian blur of up to 2 % of the crop's side.

    Raises:
        CUNetError: a value out of its range; named as the flag of ``cunet train``.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    rotation_normal: bool = False
    shift: float = 0.0
    flip: float = 0.0
    gain: tuple[float, float] = (1.0, 1.0)
    occlude: float = 0.0
    blur: float = 0.0
    full_turns: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("scale", 1.0 / LARGEST_ZOOM), ("gain", 0.0)):
            low, high = getattr(self, name)
            if not least <= low <= high <= LARGEST_ZOOM:
                raise CUNetError(
                    f"--{name}={low:g},{high:g}: give the lowest and the highest factor, {least:g} to {LARGEST_ZOOM:g}."
                )
        if not 0.0 <= self.rotation <= 180.0:
            raise CUNetError(f"--rotation={self.rotation:g}: give degrees from 0 to 180.")
        if not 0.0 <= self.shift <= 0.5:
            raise CUNetError(f"--shift={self.shift:g}: give a share of the crop's side from 0 to 0.5.")
        for name in ("flip", "occlude", "blur", "full_turns"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise CUNetError(f"--{name}={getattr(self, name):g}: give a share of the pictures from 0 to 1.")

    def draw(self, rng: np.random.Generator) -> "View":
        """One random view; every call consumes the same number of random values."""
        uniform = rng.random(7)
        normal = float(np.clip(rng.standard_normal(), -2.0, 2.0))
        low, high = np.log(self.scale)
        turn = self.rotation * (normal if self.rotation_normal else 2.0 * uniform[1] - 1.0)
        gain, covers = tuple(rng.uniform(*self.gain, 3)), self._covers(rng)
        chance, whole = rng.random(2)  # drawn last: without full turns all views are those of earlier versions
        return View(
            scale=float(np.exp(low + (high - low) * uniform[0])),
            rotation=360.0 * whole - 180.0 if chance < self.full_turns else turn,
            shift=tuple(self.shift * (2.0 * uniform[2:4] - 1.0)),
            flip=bool(uniform[4] < self.flip),
            gain=gain,
            **covers,
        )

    def _covers(self, rng: np.random.Generator) -> dict[str, Any]:
        """What hides parts of the picture; drawn after the geometry, which it leaves as it is."""
        chances, blur = rng.random(2), float(rng.uniform(0.002, 0.02))
        corner, extent = rng.uniform(0.0, 0.9, 2), rng.uniform(0.1, 0.4, 2)
        return {
            "occlusion": (*corner, *extent) if chances[0] < self.occlude else None,
            "blur": blur if chances[1] < self.blur else 0.0,
        }


@dataclass(frozen=True)
class View:
    """One drawn view: how the crop is cut and coloured.

    ``occlusion`` is (x, y, width, height) and ``blur`` a sigma, as shares of the crop's side.
    """

    scale: float = 1.0
    rotation: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    flip: bool = False
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    occlusion: tuple[float, float, float, float] | None = None
    blur: float = 0.0

    def matrix(self, box: Box, crop_factor: float, size: int) -> Affine:
        """Picture -> crop; see :func:`cunet_tf.data.geometry.crop_matrix`."""
        return crop_matrix(box, crop_factor, size, self.scale, self.rotation, self.shift, self.flip)

    def colour(self, image: np.ndarray) -> np.ndarray:
        """Gain, blur and occlusion on a crop ``[H, W, 3]`` of float32 in 0..1."""
        size = image.shape[0]
        if self.gain != (1.0, 1.0, 1.0):
            image = np.minimum(image * np.asarray(self.gain, np.float32), 1.0)
        if self.blur:
            image = cv2.GaussianBlur(image, (0, 0), self.blur * size)
        if self.occlusion is not None:
            x, y, width, height = (int(round(share * size)) for share in self.occlusion)
            image = image.copy()
            image[y : y + height, x : x + width] = 0.5
        return image


NO_AUGMENTATION = Augmentation()


def random_stream(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Generator for one sample in one epoch; nothing else decides its values."""
    return np.random.default_rng((seed, epoch, index))
