"""A model that ships, made again: training, export, description and figures, from the data set's folder.

python -m cunet_tf.trainers.study.reproduce --model=face-large --root=300w [--out=runs/reproduce/face-large]
    [--dry_run]

The same as ``make reproduce MODEL=face-large ROOT=300w``. It can be stopped at any moment: the same command goes on,
leaving out the steps whose output is there. --dry_run prints the commands, which are those of the model's card.
"""

import sys
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study import program
from cunet_tf.trainers.study.jobs import read_json
from cunet_tf.trainers.study.reproduce.models import MODELS
from cunet_tf.trainers.study.reproduce.steps import run_steps


def define(values: flags.FlagValues) -> None:
    """The flags."""
    flags.DEFINE_enum("model", None, list(MODELS), "The model.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of the data set; named after it by default.", flag_values=values)
    flags.DEFINE_string("out", None, "Folder of the outputs; runs/reproduce/MODEL by default.", flag_values=values)
    flags.DEFINE_bool("dry_run", False, "Print the commands, run none.", flag_values=values)


def main(argv: list[str]) -> int:
    """Run or print the recipe; returns 0, or 2 on bad input."""
    return program.run("reproduce", define, run, argv)


def run(values: flags.FlagValues) -> None:
    """Run or print the recipe."""
    if not values.model:
        raise CUNetError(f"name a model with --model: {', '.join(MODELS)}.")
    recipe = MODELS[values.model]
    root, out = values.root or recipe.data, Path(values.out or f"runs/reproduce/{values.model}")
    if values.dry_run:
        print(recipe.text(root, str(out)))
        return
    if not Path(root).is_dir():
        raise CUNetError(f"--root={root}: no such folder: name the one of {recipe.data}.")
    run_steps(recipe, root, out)
    figures = read_json(out / "evaluation.json")
    print(f"{out / values.model}.cunet: {headline(figures)}; the shipped one's: cunet_tf/weights/{values.model}.md")


def headline(figures: dict[str, Any]) -> str:
    """The main figure of an ``evaluation.json``."""
    name = "pck" if figures["pck"] is not None else f"nme_{figures['normalizer']}"
    return f"{name} {figures[name]:.3f} on {figures['data']} {figures['split']}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
