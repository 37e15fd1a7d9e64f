"""Flags that several verbs share, and what they mean."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from absl import flags

from cunet_tf.config import NORM_ORDERS, CUNetConfig, NetworkConfig
from cunet_tf.data.matching import matched
from cunet_tf.data.sample import MEGAPIXELS, Source, limit_megapixels
from cunet_tf.data.sources import SOURCES, Request, load_source
from cunet_tf.errors import CUNetError
from cunet_tf.presets import PRESETS, preset
from cunet_tf.quantize.names import EXAMPLES, QuantConfig
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec import ModelSpec

NETWORK_FLAGS = {
    "stacks": "N, number of U-Nets or hourglasses.",
    "order": "K, previous U-Nets that each block reads.",
    "main_channels": "m, channels of the main flow.",
    "growth": "n, new features of each block.",
    "landmarks": "C, number of landmarks.",
    "supervisions": "S, number of supervised U-Nets.",
    "levels": "Poolings inside a U-Net.",
    "input_size": "Side of the input in pixels.",
    "refinement": "g, new channels between two passes (iterative refinement); 0 is a single pass.",
    "layers": "L, dense layers of each block of a dense U-Net.",
    "channels": "Channels of an hourglass.",
    "depth": "Poolings inside an hourglass.",
}
NETWORK_OPTIONS = (*NETWORK_FLAGS, "norm_order")

# Flags whose values are files or folders.
PATHS = ("root", "workdir", "init", "augment", "out", "results", "model", "figure_root")


def define_network(values: flags.FlagValues) -> None:
    """``--preset`` and the options beside it."""
    flags.DEFINE_string("preset", None, f"One of {', '.join(PRESETS)}.", flag_values=values)
    for name, text in NETWORK_FLAGS.items():
        flags.DEFINE_integer(name, None, text, flag_values=values)
    text = "Where batch normalisations of a CU-Net stand: before their convolutions, or behind them."
    flags.DEFINE_enum("norm_order", None, NORM_ORDERS, text, flag_values=values)
    flags.DEFINE_string("quant", None, f"Quantization by the paper's name: {EXAMPLES}.", flag_values=values)


def define_data(values: flags.FlagValues, split: str) -> None:
    """``--data``, ``--root``, ``--split`` and what goes with them."""
    flags.DEFINE_string("data", None, f"Data set: {', '.join(SOURCES)}.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of the data set.", flag_values=values)
    flags.DEFINE_string("split", split, "Part of the data set.", flag_values=values)
    flags.DEFINE_bool("allow_missing", False, "Go on without absent parts of the split.", flag_values=values)
    boxes = (
        "tight (around the points), given (by the data) or official; given ones by default, where the data has them."
    )
    flags.DEFINE_string("box", None, f"Boxes of the objects: {boxes}", flag_values=values)
    define_outside(values)
    define_pictures(values)


def define_outside(values: flags.FlagValues) -> None:
    """``--allow_outside``, for every verb that reads a data set."""
    text = "Read pictures outside --root, where the data set's files name such."
    flags.DEFINE_bool("allow_outside", False, text, flag_values=values)


def define_averaging(values: flags.FlagValues) -> None:
    """``--flip_test`` and ``--crops``."""
    flags.DEFINE_bool("flip_test", False, "Average with the mirror image.", flag_values=values)
    flags.DEFINE_integer(
        "crops", 1, "2: average with a second crop of the same box, turned a little; twice the time.", 1, 2,
        flag_values=values,
    )  # fmt: skip


def define_pictures(values: flags.FlagValues) -> None:
    """``--max_megapixels``; every program that has the flag obeys it as soon as its flags are parsed."""
    flags.DEFINE_float(
        "max_megapixels", MEGAPIXELS, "Larger pictures are refused before they are decoded.", 0.0, 1000.0,
        flag_values=values,
    )  # fmt: skip

    def obey(value: float) -> bool:
        limit_megapixels(value)
        return True

    flags.register_validator("max_megapixels", obey, flag_values=values)


def network_config(values: flags.FlagValues) -> NetworkConfig:
    """The architecture that the flags ask for; a CU-Net where they name no preset.

    Raises:
        CUNetError: an unknown preset, or an option that its network does not have or that
            is out of range.
    """
    base = preset(values.preset).config if values.preset else CUNetConfig()
    changes = {name: values[name].value for name in NETWORK_OPTIONS if values[name].value is not None}
    own = [name for name in NETWORK_OPTIONS if name in base.field_names()]
    for name in changes:
        if name not in own:
            which = f"--preset={values.preset}" if values.preset else "a network without --preset"
            known = ", ".join(f"--{option}" for option in own)
            raise CUNetError(f"--{name} is no option of {which}, a {base.title}: use {known}.")
    config = base.replace(**changes)
    if isinstance(config, CUNetConfig) and config.order != config.effective_order:
        print(f"notice: --order={config.order} is clamped to {config.effective_order} (N-1).", file=sys.stderr)
    return config


def network_spec(values: flags.FlagValues) -> ModelSpec:
    """The preset, changed by the options beside it.

    Raises:
        CUNetError: no preset, another number of landmarks than its skeleton has, or a
            quantization that the network does not take.
    """
    if not values.preset:
        raise CUNetError(f"name a --preset: {', '.join(PRESETS)}.")
    spec = preset(values.preset).replace(config=network_config(values))
    quant = QuantConfig.parse(values.quant or spec.quant)
    quant.require(spec.config)
    return spec.replace(quant=str(quant))


def request_source(values: flags.FlagValues, skeleton: Skeleton, split: str | None = None) -> Source:
    """The data set that the flags name.

    Raises:
        CUNetError: ``--data`` is missing, or the loader finds something wrong.
    """
    if not values.data:
        raise CUNetError(f"name a data set with --data: {', '.join(SOURCES)}.")
    request = Request(values.root, split or values.split, skeleton, values.allow_missing, values.box,
                      allow_outside=values.allow_outside)  # fmt: skip
    source = load_source(values.data, request)
    if source.missing:
        print(f"notice: not on disk, left out: {', '.join(source.missing)}.", file=sys.stderr)
    return source


def source_for(values: flags.FlagValues, spec: ModelSpec, split: str | None = None) -> Source:
    """The data set that the flags name, its landmarks in the order of a trained model's.

    Raises:
        CUNetError: see :func:`request_source`, or the landmarks are not the model's.
    """
    return matched(request_source(values, spec.skeleton, split), spec.skeleton)


def no_arguments(rest: list[str]) -> None:
    """Refuse stray words, most often a flag without its dashes."""
    if rest:
        raise CUNetError(f"unexpected argument {rest[0]!r}: options are written --name=value.")


def command_line(verb: str, values: flags.FlagValues, names: Iterable[str]) -> str:
    """The call with the flags that were given, for the head of a table; of absolute paths only the last part."""
    parts = ["cunet", verb]
    for name in dict.fromkeys(names):
        if values[name].present:
            path = name in PATHS and values[name].value
            parts.append(f"--{name}={shown_path(path)}" if path else values[name].serialize())
    return shlex.join(parts)


def shown_path(path: str) -> str:
    """A path as it may stand in a published table: of a place on one machine only the last part."""
    return Path(path).name if Path(path).is_absolute() or ".." in Path(path).parts else path
