"""Steps of a recipe: commands in processes of their own, each left out where its output is there already."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.outputs import claim, json_text
from cunet_tf.trainers.study.job_process import run_command
from cunet_tf.trainers.study.jobs import Job, read_json, teller
from cunet_tf.writing import replace_text

RECORD = "recipe.json"  # the commands whose outputs a folder holds


@dataclass(frozen=True)
class Step:
    """One command of a recipe.

    Attributes:
        name: in messages, and of its log.
        command: its words; ``{root}`` and ``{out}`` stand for the data set's folder and the recipe's.
        makes: what it leaves in the recipe's folder: a file, or the folder of a run.
    """

    name: str
    command: tuple[str, ...]
    makes: str

    def words(self, root: str, out: str) -> list[str]:
        """The command for these folders."""
        return [word.format(root=root, out=out) for word in self.command]

    def made(self, out: Path) -> Path | None:
        """The file that the step has left, ``None`` where it has not ended well; of a run its best checkpoint."""
        place = out / self.makes
        if place.suffix:
            return place if place.is_file() else None
        job = Job(self.name, place)
        return job.best if job.trained() else None


@dataclass(frozen=True)
class Recipe:
    """How a model is made.

    Attributes:
        data: the data set, also the usual name of its folder.
        steps: in order; each reads what those before it have left.
    """

    data: str
    steps: tuple[Step, ...]

    def text(self, root: str, out: str) -> str:
        """The commands, one in a line, for a shell."""
        return "\n".join(shlex.join(step.words(root, out)) for step in self.steps)


def run_steps(recipe: Recipe, root: str, out: Path, run: Callable[[list[str], Path], None] = run_command) -> list[str]:
    """Run the steps whose output is not there, or older than that of a step before.

    Args:
        recipe: its steps.
        root: folder of the data set.
        out: folder of the outputs, with a log for each step.
        run: runs a command, its output at the end of a file; raises a CUNetError when it fails.

    Returns:
        Names of the steps that were run.

    Raises:
        CUNetError: the folder holds outputs of other commands, a step failed, or a run is older than its beginning.
    """
    _same_recipe(recipe, out)
    done: list[str] = []
    start, newest = time.monotonic(), 0.0
    for index, step in enumerate(recipe.steps):
        say = teller(f"[{index + 1}/{len(recipe.steps)}] {step.name}", start)
        log, made = out / f"{step.name}.log", step.made(out)
        if made is None or made.stat().st_mtime < newest:
            say(f"running, see {log}")
            run(step.words(root, str(out)), log)
            made = _ended(step, out, newest)
            done.append(step.name)
        say("finished")
        newest = made.stat().st_mtime
    return done


def _ended(step: Step, out: Path, newest: float) -> Path:
    """What a step has left that was just run."""
    place = out / step.makes
    if not place.suffix and (place / "last.keras").is_file():
        Job(step.name, place).mark_trained()
    made = step.made(out)
    if made is None or made.stat().st_mtime < newest:
        what = "is not finished" if made is None else "is older than what it began from"
        raise CUNetError(f"{place} {what}: remove it and give the same command again, or use another --out.")
    return made


def _same_recipe(recipe: Recipe, out: Path) -> None:
    """Keep the commands in the folder; another place of the data set is no other recipe."""
    file = out / RECORD
    claim([file], "--out")
    commands = {step.name: shlex.join(step.command) for step in recipe.steps}
    old = read_json(file)
    for step in recipe.steps:
        there = (out / step.makes).exists()
        if there and old.get(step.name) != commands[step.name]:
            raise CUNetError(
                f"--out={out}: {step.makes} was made by another command ({RECORD}): remove it, or use another --out."
            )
    replace_text(file, json_text(commands, indent=2))
