"""Random views of a training picture (paper, section 4.1), stateless in (seed, epoch, index)."""

from dataclasses import dataclass

import numpy as np

from cunet_tf.data.geometry import crop_matrix


@dataclass(frozen=True)
class Augmentation:
    """Ranges to draw from; the defaults change nothing.

    Attributes:
        scale: lowest and highest zoom, drawn uniformly in the logarithm.
        rotation: degrees; bound of a uniform draw, or sigma of a normal one.
        rotation_normal: draw the rotation from a normal distribution, cut at two sigma.
        shift: largest displacement, as a share of the crop's side.
        flip: probability of a mirror image.
        gain: lowest and highest factor on each colour channel.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    rotation_normal: bool = False
    shift: float = 0.0
    flip: float = 0.0
    gain: tuple[float, float] = (1.0, 1.0)

    def draw(self, rng: np.random.Generator) -> "View":
        """One random view; every call consumes the same number of random values."""
        uniform = rng.random(7)
        normal = float(np.clip(rng.standard_normal(), -2.0, 2.0))
        low, high = np.log(self.scale)
        turn = normal if self.rotation_normal else 2.0 * uniform[1] - 1.0
        return View(
            scale=float(np.exp(low + (high - low) * uniform[0])),
            rotation=self.rotation * turn,
            shift=tuple(self.shift * (2.0 * uniform[2:4] - 1.0)),
            flip=bool(uniform[4] < self.flip),
            gain=tuple(rng.uniform(*self.gain, 3)),
        )


@dataclass(frozen=True)
class View:
    """One drawn view: how the crop is cut and coloured."""

    scale: float = 1.0
    rotation: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    flip: bool = False
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def matrix(self, box: np.ndarray, crop_factor: float, size: int) -> np.ndarray:
        """Picture -> crop; see :func:`cunet_tf.data.geometry.crop_matrix`."""
        return crop_matrix(box, crop_factor, size, self.scale, self.rotation, self.shift, self.flip)


NO_AUGMENTATION = Augmentation()


def random_stream(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Generator for one sample in one epoch; nothing else decides its values."""
    return np.random.default_rng((seed, epoch, index))
