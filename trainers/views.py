"""Flags that say how training pictures are varied, over the recipe's own augmentation."""

import dataclasses
import sys
from typing import Any

from absl import flags

from cunet_tf.data.augment import Augmentation
from cunet_tf.data.own_views import Vary, load_vary
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import Skeleton

NUMBERS = {
    "rotation": "Degrees; a bound with --recipe=paper, a sigma with mobile.",
    "full_turns": "Share of the pictures that are turned by any angle of the whole circle.",
    "shift": "Largest displacement, as a share of the crop's side.",
    "flip": "Share of mirror images.",
    "occlude": "Share of pictures with a grey rectangle over them.",
    "blur": "Share of blurred pictures.",
}
PAIRS = {
    "scale": "LOW,HIGH: zoom, drawn uniformly in the logarithm.",
    "gain": "LOW,HIGH: factors of the colour channels.",
}


def define_views(values: flags.FlagValues, own: bool = True) -> None:
    """A flag for each field of the augmentation; ``own``: ``--augment`` too."""
    for name, text in NUMBERS.items():
        flags.DEFINE_float(name, None, f"{text} The recipe's by default.", flag_values=values)
    for name, text in PAIRS.items():
        flags.DEFINE_string(name, None, f"{text} The recipe's by default.", flag_values=values)
    if not own:
        return
    augment = "FILE.py:function of your own: (image, points, rng) -> (image, points) of each training view."
    flags.DEFINE_string("augment", None, augment, flag_values=values)


def chosen_augmentation(values: flags.FlagValues, base: Augmentation, skeleton: Skeleton) -> Augmentation:
    """A recipe's augmentation, changed by the flags that were given.

    Raises:
        CUNetError: a value that cannot be read, or see :func:`changed_augmentation`.
    """
    return changed_augmentation(base, skeleton, **given_views(values))


def given_views(values: flags.FlagValues) -> dict[str, Any]:
    """The values of the flags; ``None`` for those that were not given.

    Raises:
        CUNetError: a value that cannot be read.
    """
    return {
        **{name: values[name].value for name in NUMBERS},
        **{name: _pair(name, values[name].value) for name in PAIRS},
    }


def changed_augmentation(base: Augmentation, skeleton: Skeleton, **changes: Any) -> Augmentation:
    """A recipe's augmentation with the changes that are not ``None``, by the names of its fields.

    Raises:
        CUNetError: a value out of range, or mirror images were asked for of landmarks that do not say how they are
            mirrored.
    """
    if skeleton.flip_pairs is None:
        if changes.get("flip"):
            skeleton.require_pairs(f"mirrored pictures (--flip={changes['flip']:g})")
        changes["flip"] = 0.0  # a mirror image would need its landmarks swapped, and nothing says how
    return dataclasses.replace(base, **{name: value for name, value in changes.items() if value is not None})


def own_augment(augment: Vary | str | None) -> Vary | None:
    """The function that ``--augment`` names, or is; of a file it says that its code runs.

    Raises:
        CUNetError: see :func:`cunet_tf.data.own_views.load_vary`.
    """
    if not isinstance(augment, str):
        return augment
    print(f"notice: each training view passes through {augment}, whose code runs.", file=sys.stderr)
    return load_vary(augment)


def _pair(name: str, text: str | None) -> tuple[float, float] | None:
    """Two numbers with a comma between them."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise CUNetError(f"--{name}={text}: give two numbers, the lowest and the highest, such as 0.8,1.25.") from None
    return low, high
