"""cunet pack: a data set as records of pre-cut crops, for sets larger than memory and machines without the originals.

OUT gets SPLIT.json and files of records, SPLIT-00000.tfrecord and so on, for --data=packed --root=OUT. Around each box
so much is kept as the views of --preset's recipe can show, or those of the flags beside it. Stop it at any moment: the
same command goes on. A folder may hold several splits.

Example:
  cunet pack --data=300w --root=300w --split=train --allow_missing --preset=face-mobile --out=packed
  cunet train --data=packed --root=packed --split=train --preset=face-mobile --workdir=runs/face
"""

from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.data.augment import Augmentation
from cunet_tf.data.check import hidden_labels, require_sound
from cunet_tf.data.reach import reach, require_reach
from cunet_tf.data.record_cut import Cut
from cunet_tf.data.records_schema import SplitIndex
from cunet_tf.data.records_write import FORMATS, Packing, pack
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError
from cunet_tf.flags import command_line, define_data, no_arguments, request_source
from cunet_tf.outputs import require_folder
from cunet_tf.presets import PRESETS, preset
from cunet_tf.progress import progress
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.manifest import data_digest
from cunet_tf.trainers.recipe_views import VIEWS, crop_factor, recipe_name
from cunet_tf.trainers.views import chosen_augmentation, define_views


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    define_data(values, split="train")
    flags.DEFINE_string("preset", None, f"Whose views and input size decide: {', '.join(PRESETS)}.",
                        flag_values=values)  # fmt: skip
    flags.DEFINE_string("recipe", None, "paper or mobile; the preset's own by default.", flag_values=values)
    define_views(values, own=False)
    flags.DEFINE_float("margin", None, "Side of what is kept around the box's centre, in longer sides of the box; by "
                       "default what the views can show.", 1, flag_values=values)  # fmt: skip
    flags.DEFINE_integer("size", None, "Side of the network's input; larger crops are reduced, but never below its "
                         "resolution at the largest zoom. The preset's by default.", 8, flag_values=values)  # fmt: skip
    flags.DEFINE_enum("format", "jpeg", FORMATS, "Of the crops; png loses nothing.", flag_values=values)
    flags.DEFINE_integer("quality", 95, "Of JPEG.", 1, 100, flag_values=values)
    flags.DEFINE_float("shard_mb", 100.0, "Megabytes from which a file of records is full.", 0.01, 1e6,
                       flag_values=values)  # fmt: skip
    flags.DEFINE_string("out", None, "Folder for the records.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    no_arguments(rest)
    if not values.out:
        raise CUNetError("name a folder for the records with --out.")
    if not values.preset:
        raise CUNetError(f"name a --preset, whose views and input size decide what is kept: {', '.join(PRESETS)}.")
    spec = preset(values.preset)
    source = request_source(values, spec.skeleton)
    if not hidden_labels(source):  # those are packed for prediction
        require_sound(source)
    cut = chosen_cut(values, spec.with_skeleton(source.skeleton))
    require_reach(source, cut.margin, "these records")
    require_folder(values.out, "--out")
    packing = Packing(cut, values.format, values.quality, values.shard_mb)
    command = command_line("pack", values, [name for name in values if name != "json"])
    with progress("pictures") as show:
        index = pack(source, Path(values.out), packing, data_digest(source), command, show)
    return summary(values.out, index, source)


def chosen_cut(values: flags.FlagValues, spec: ModelSpec) -> Cut:
    """How much is kept, and how finely: what the views of the recipe, or of the flags, can show.

    Raises:
        CUNetError: an unknown recipe, or a view or margin out of range.
    """
    recipe = recipe_name(spec, values.recipe)
    views: Augmentation = chosen_augmentation(values, VIEWS[recipe], spec.skeleton)
    crop = crop_factor(spec, recipe)
    size = values.size or spec.input_size
    return Cut(values.margin or crop * reach(views), size * views.scale[1] / crop)


def summary(out: str, index: SplitIndex, source: Source) -> dict[str, Any]:
    """What was written, beside the bytes of the pictures that it was made from."""
    pictures = {sample.picture for sample in source if isinstance(sample.picture, Path)}
    return {
        "out": out, "split": index.split, "samples": index.samples, "files": len(index.shards),
        "bytes": sum(shard.bytes for shard in index.shards),
        "picture_bytes": sum(picture.stat().st_size for picture in pictures),
        "margin": index.margin, "detail": index.detail, "reduced": sum(shard.reduced for shard in index.shards),
    }  # fmt: skip


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    pictures = f" ({result['picture_bytes'] / 1e6:,.1f} MB of pictures)" if result["picture_bytes"] else ""
    return (
        f"{result['samples']:,} samples in {result['files']} files of records, {result['bytes'] / 1e6:,.1f} MB"
        f"{pictures}; {result['margin']:.3g} sides of the box are kept, {result['reduced']:,} crops are reduced.\n"
        f"--data=packed --root={result['out']} --split={result['split']}"
    )
