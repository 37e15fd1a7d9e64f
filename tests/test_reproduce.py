"""Recipes of the models that ship: the cards quote them, their flags exist, and a stop costs one step."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from absl import flags

from cunet_tf.commands import evaluate, export, train
from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.describe import __main__ as describe
from cunet_tf.trainers.study.reproduce.__main__ import main
from cunet_tf.trainers.study.reproduce.models import MODELS
from cunet_tf.trainers.study.reproduce.steps import Recipe, Step, run_steps
from tests.fake_runs import fake_run

ROOT = Path(__file__).parents[1]
VERBS = {("cunet", "train"): train, ("cunet", "export"): export, ("cunet", "evaluate"): evaluate,
         ("python", "-m", "cunet_tf.trainers.study.describe"): describe}  # fmt: skip


def quoted(card: str) -> list[list[str]]:
    """Words of the commands in a card's blocks."""
    blocks = re.findall(r"^```\n(.*?)^```$", card, re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.replace("\\\n", " ").splitlines()]


@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_card_quotes_the_recipe(model):
    recipe = MODELS[model]
    card = (ROOT / f"cunet_tf/weights/{model}.md").read_text()
    assert quoted(card) == [step.words(recipe.data, f"runs/reproduce/{model}") for step in recipe.steps]
    assert f"make reproduce MODEL={model}" in card


def test_every_shipped_model_has_a_recipe():
    assert {file.stem for file in (ROOT / "cunet_tf/weights").glob("*.cunet")} == set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_flags_exist_and_what_a_step_reads_was_made_before(model):
    made = set()
    for step in MODELS[model].steps:
        words = step.words("DATA", "OUT")
        verb = next(verb for verb in VERBS if tuple(words[: len(verb)]) == verb)
        values = flags.FlagValues()
        VERBS[verb].define(values)
        assert values(["program", *words[len(verb) :]]) == ["program"]
        read = {values[name].value for name in ("model", "init") if name in values and values[name].value}
        assert {Path(path).relative_to("OUT").parts[0] for path in read} <= made and values.root == "DATA"
        made.add(step.makes)
    assert f"{model}.cunet" in made and "evaluation.json" in made


# Running -------------------------------------------------------------------------------------

RECIPE = Recipe("drawn", (
    Step("float", ("cunet", "train", "--root={root}", "--workdir={out}/float", "--resume"), "float"),
    Step("export", ("cunet", "export", "--model={out}/float", "--out={out}/plain.cunet"), "plain.cunet"),
    Step("evaluate", ("cunet", "evaluate", "--model={out}/plain.cunet", "--out={out}"), "evaluation.json"),
))  # fmt: skip
NAMES = [step.name for step in RECIPE.steps]


class Commands:
    """Stands in for the processes: leaves what each step makes, in the order of a clock of its own."""

    def __init__(self, out: Path):
        self.out, self.words, self.time, self.fail = out, [], 1000, None

    def __call__(self, words, log):
        self.words.append(words)
        step = next(step for step in RECIPE.steps if words == step.words("here", str(self.out)))
        if step.name == self.fail:
            raise CUNetError("stopped")
        place = self.out / step.makes
        if place.suffix:
            place.write_text("made")
        else:
            fake_run(place)
        self.time += 10
        for file in place.iterdir() if place.is_dir() else [place]:
            os.utime(file, (self.time, self.time))


@pytest.fixture
def commands(tmp_path):
    return Commands(tmp_path / "out")


def reproduce(commands):
    return run_steps(RECIPE, "here", commands.out, commands)


def test_a_stopped_recipe_goes_on_and_a_finished_one_runs_nothing(commands, capsys):
    commands.fail = "export"
    with pytest.raises(CUNetError, match="stopped"):
        reproduce(commands)
    commands.fail = None
    assert reproduce(commands) == ["export", "evaluate"] and reproduce(commands) == []
    assert commands.words[0] == ["cunet", "train", "--root=here", f"--workdir={commands.out}/float", "--resume"]
    assert "[3/3] evaluate: finished" in capsys.readouterr().out


def test_a_training_that_was_cut_is_resumed(commands):
    reproduce(commands)
    (commands.out / "float/history.csv").write_text("epoch\n1\n")
    assert reproduce(commands) == NAMES  # what follows is older than the new weights


def test_what_is_made_again_renews_what_comes_from_it(commands):
    reproduce(commands)
    (commands.out / "plain.cunet").unlink()
    assert reproduce(commands) == ["export", "evaluate"]


def test_outputs_of_another_recipe_are_refused(commands):
    reproduce(commands)
    other = Recipe("drawn", (RECIPE.steps[0], Step("export", ("cunet", "export", "--other"), "plain.cunet")))
    with pytest.raises(CUNetError, match=r"plain\.cunet was made by another command"):
        run_steps(other, "here", commands.out, commands)
    (commands.out / "recipe.json").unlink()
    with pytest.raises(CUNetError, match="float was made by another command"):
        reproduce(commands)


def test_a_command_that_leaves_nothing_is_named(tmp_path):
    with pytest.raises(CUNetError, match=r"float is not finished: remove it"):
        run_steps(RECIPE, "here", tmp_path / "out", lambda *_: None)


# The program ---------------------------------------------------------------------------------


def test_a_dry_run_prints_commands_for_a_shell(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", "--model=pose-mobile", "--root=my bodies", "--dry_run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [shlex.split(line) for line in lines] == [
        step.words("my bodies", "runs/reproduce/pose-mobile") for step in MODELS["pose-mobile"].steps
    ]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "given, words",
    [([], "name a model with --model: face-tiny"), (["--model=face"], "should be one of"),
     (["--model=face-large", "--root=nowhere"], "--root=nowhere: no such folder: name the one of 300w")],
)  # fmt: skip
def test_bad_flags(given, words, capsys):
    assert main(["reproduce", *given]) == 2
    assert words in capsys.readouterr().err


def test_the_end_says_what_was_reached(tmp_path, monkeypatch, capsys):
    figures = {"pck": None, "normalizer": "interocular", "nme_interocular": 2.9271, "data": "300w", "split": "full"}

    def run(recipe, root, out):
        out.mkdir()
        (out / "evaluation.json").write_text(json.dumps(figures))

    monkeypatch.setattr("cunet_tf.trainers.study.reproduce.__main__.run_steps", run)
    assert main(["reproduce", "--model=face-large", f"--root={tmp_path}", f"--out={tmp_path / 'out'}"]) == 0
    assert "face-large.cunet: nme_interocular 2.927 on 300w full" in capsys.readouterr().out


def test_make_hands_on_model_and_folders():
    call = ["make", "--dry-run", "reproduce", "MODEL=face-large", "ROOT=my faces", "OUT=there"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True)
    assert '-m cunet_tf.trainers.study.reproduce --model="face-large" --root="my faces" --out="there/face-large"' in (
        done.stdout
    )
