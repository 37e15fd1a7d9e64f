"""The study of levers: calls that train takes, equal budgets, verdicts, tables of what is finished."""

import csv
import dataclasses
import json
import shutil

import pytest
from absl import flags
from hypothesis import given
from hypothesis import strategies as st

from cunet_tf.commands import evaluate, train
from cunet_tf.data.w300 import load_300w
from cunet_tf.errors import CUNetError
from cunet_tf.flags import network_spec
from cunet_tf.trainers.options import Options
from cunet_tf.trainers.study import jobs, levers, levers_page
from cunet_tf.trainers.study.levers import LEVERS, lever
from cunet_tf.trainers.study.levers_page import HELPS, NOT, UNDECIDED, on_both, verdict
from tests.fake_runs import fake_run

NMES = {"plain": (12.0, 11.0), "foreground": (6.0, 5.0), "ema": (12.0, 11.0), "+ema": (5.0, 4.0), "+warmup": (5.0, 6.0),
        "+ema+warmup": (4.0, 3.0)}  # fmt: skip


def call(folder, *options):
    return levers.main(["levers", "--root=faces", f"--workdir={folder / 'runs'}", f"--out={folder / 'out'}", *options])


def values_of(*options):
    values = flags.FlagValues()
    levers.define(values)
    values(["levers", "--root=faces", *options])
    return values


def trained_by(job):
    """Recipe, options and teacher that ``cunet train`` makes of a job's flags, and the flags themselves."""
    values = flags.FlagValues()
    train.define(values)
    values(["train", *job.train])
    options = Options(**{field.name: values[field.name].value for field in dataclasses.fields(Options)})
    recipe = train.chosen_recipe(values, network_spec(values))
    return (recipe, options, values.teacher, values.teacher_views), values


def finished(verb, arguments, log):
    """In place of a process: what a run leaves, from its flags; the second seed is worse by 0.2."""
    given = dict(each.removeprefix("--").partition("=")[::2] for each in arguments)
    folder = log.with_suffix("")
    if verb == "train":
        values = flags.FlagValues()
        train.define(values)
        values(["train", *arguments])
        fake_run(folder, values.epochs, seed=values.seed, batch_size=values.batch_size, flags=train.given_flags(values),
                 data={"train_images": 330, "validation_images": 132})  # fmt: skip
        (folder / "evaluation.json").unlink()
        return
    name, _, seed = log.stem.rpartition("-")
    parts = zip(("helen/testset", "lfpw/trainset"), NMES[name], strict=True)
    subsets = {part: {"nme_interocular": nme + 0.2 * int(seed)} for part, nme in parts}
    found = {"split": given["split"], "box": "tight", "subsets": subsets}
    (folder / "evaluation.json").write_text(json.dumps(found))


@pytest.fixture
def in_place_of_processes(monkeypatch):
    """Runs in a moment; and no figure, which is drawn anew after every run."""
    monkeypatch.setattr(jobs, "run_verb", finished)
    monkeypatch.setattr(levers, "draw", lambda rows, file: None)


def rows_of(folder):
    return list(csv.DictReader((folder / "out/levers.csv").read_text().splitlines()))


@pytest.mark.parametrize("name", [*LEVERS, "+ema+teacher+stronger-views"])
def test_train_takes_each_lever_and_differs_from_its_base(name):
    one, values = lever(name), values_of()
    made, given = trained_by(levers.job_of(values, one, "1"))
    assert (given.epochs, given.batch_size, given.seed) == (10, 16, 1)
    assert (given.main_channels, given.growth, given.val_split) == (24, 6, "lfpw/trainset@heldout")
    for flag, value in one.flags.items():
        assert given[flag].value == value
    if one.base:
        assert made != trained_by(levers.job_of(values, lever(one.base), "1"))[0]


def test_evaluate_takes_the_call_and_finds_both_sets(w300_root):
    values = flags.FlagValues()
    evaluate.define(values)
    job = levers.job_of(values_of(), lever("plain"), "0")
    values(["evaluate", *job.evaluate])
    assert values.split == job.split
    subsets = {sample.subset for sample in load_300w(str(w300_root), values.split)}
    assert subsets == {name.partition("@")[0] for name in levers_page.SETS}


@pytest.mark.parametrize(("base", "own", "wanted"), [
    ([5.0, 5.25], [4.5, 4.75], HELPS), ([5.0, 5.25], [5.5, 5.5], NOT), ([5.0, 5.5], [4.75, 5.0], UNDECIDED),
    ([5.0, 5.0], [4.5, 5.0], UNDECIDED), ([5.0, 5.0], [5.0, 5.0], NOT), ([5.0], [1.0], UNDECIDED), ([], [], UNDECIDED),
])  # fmt: skip
def test_verdict(base, own, wanted):
    assert verdict(base, own) == wanted


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=4), st.integers(0, 40))
def test_verdicts_turn_round_with_the_comparison_and_need_more_than_the_spread(pairs, shift):
    base, own = (list(map(float, each)) for each in zip(*pairs, strict=True))
    swapped = {HELPS: NOT, NOT: HELPS, UNDECIDED: UNDECIDED}
    if sum(base) != sum(own):
        assert verdict(own, base) == swapped[verdict(base, own)]
    assert verdict([each + shift for each in base], [each + shift for each in own]) == verdict(base, own)
    if max(own) < 2 * min(base) - max(base):  # lower than every one by more than they differ
        wide = max(own) - min(own) > (sum(base) - sum(own)) / len(own)
        assert verdict(base, own) == (UNDECIDED if wide else HELPS)


def test_verdict_of_both_sets():
    assert [on_both([HELPS, HELPS]), on_both([HELPS, UNDECIDED]), on_both([NOT, HELPS]), on_both([NOT, NOT])] == [
        HELPS, UNDECIDED, UNDECIDED, NOT]  # fmt: skip


def test_table_of_given_rows():
    def row(name, base, seed, *errors):
        nmes = dict(zip(levers_page.SETS.values(), map(str, errors), strict=True))
        return {"lever": name, "base": base, "flags": "", "seed": seed, **nmes}

    rows = [row("plain", "", "0", 8.0, 7.0), row("plain", "", "1", 9.0, 7.5), row("ema", "plain", "0", 6.0, 7.0),
            row("ema", "plain", "1", 6.5, 7.25), row("warmup", "plain", "1", 1.0, 1.0)]  # fmt: skip
    head, plain, ema, warmup = levers_page.table(rows)
    assert head[4:7] == ["NME `helen/testset`", "difference", "spread"] and head[-1] == "verdict"
    assert plain == ["`plain`", "-", "-", "0, 1", "8.50", "-", "1.00", "7.25", "-", "0.50", "-"]
    assert ema == ["`ema`", "-", "`plain`", "0, 1", "6.25", "-2.25 (-2.00, -2.50)", "0.50", "7.12",
                   "-0.12 (+0.00, -0.25)", "0.25", UNDECIDED]  # fmt: skip
    # one seed in common: the difference is that of this seed, and nothing is decided
    assert warmup[3:] == ["1", "1.00", "-8.00 (-8.00)", "-", "1.00", "-6.50 (-6.50)", "-", UNDECIDED]
    wanted = [(name, seed) for name in ("plain", "warmup", "+ema") for seed in "01"]
    assert levers_page.missing(rows, wanted) == ["seed 0: `warmup`", "seed 0 and 1: `+ema`"]


def test_a_part_then_another_part(tmp_path, in_place_of_processes, monkeypatch):
    assert call(tmp_path, "--only=foreground,+ema", "--seeds=1") == 0
    page = (tmp_path / "out/levers.md").read_text()
    assert "**Not run yet**, seed 1: `plain`, `foreground-5`, `warmup`" in page and UNDECIDED in page
    assert call(tmp_path, "--only=plain,ema,foreground,+ema,+warmup,+ema+warmup") == 0
    monkeypatch.setattr(jobs, "run_verb", None)  # a finished run is not trained again
    monkeypatch.setattr(levers, "draw", levers_page.draw)
    assert call(tmp_path, "--only=plain,plain") == 0
    rows = rows_of(tmp_path)
    assert tuple(rows[0]) == levers.COLUMNS
    assert len(rows) == 12 == len({(row["lever"], row["seed"]) for row in rows})
    assert {(row["updates"], row["train_images"]) for row in rows} == {("200", "330")}  # 330 // 16 * 10
    assert {row["flags"] for row in rows if row["lever"] == "+ema"} == {"--foreground=20 --ema=0.999"}
    page = (tmp_path / "out/levers.md").read_text()
    ends = {line.split("`")[1]: line.rsplit("|", 2)[1].strip() for line in page.splitlines() if line.startswith("| `")}
    assert ends == {"plain": "-", "foreground": HELPS, "ema": UNDECIDED, "+warmup": UNDECIDED, "+ema": HELPS,
                    "+ema+warmup": HELPS}  # fmt: skip
    assert page.count("| 0, 1 |") == len(ends)
    assert list(ends) == ["plain", "foreground", "ema", "+warmup", "+ema", "+ema+warmup"]
    assert "the same with `--only=+ema+warmup`" in page and "| 5.10 | -1.00 (-1.00, -1.00) | 0.20 |" in page
    assert "**Not run yet**, seed 0 and 1: `foreground-5`, `warmup`, `+long-warmup`, `+learning-rate`," in page
    assert (tmp_path / "out/levers.png").read_bytes()[1:4] == b"PNG"


def test_a_run_with_a_row_is_not_made_again_though_its_folder_is_lost(tmp_path, in_place_of_processes, monkeypatch):
    assert call(tmp_path, "--only=plain,foreground", "--seeds=0") == 0
    before = rows_of(tmp_path)
    shutil.rmtree(tmp_path / "runs")
    monkeypatch.setattr(jobs, "run_verb", None)
    assert call(tmp_path, "--only=plain,foreground", "--seeds=0") == 0 and rows_of(tmp_path) == before
    assert call(tmp_path, "--only_finished") == 0 and rows_of(tmp_path) == before
    assert "| `foreground` |" in (tmp_path / "out/levers.md").read_text()


def test_other_budgets_stay_in_the_csv_and_off_the_page(tmp_path, in_place_of_processes):
    assert call(tmp_path, "--only=foreground") == 0
    more = ["--only=plain", "--epochs=1", f"--workdir={tmp_path / 'short'}"]
    assert call(tmp_path, *more) == 0
    assert sorted((row["lever"], row["updates"]) for row in rows_of(tmp_path)) == [
        ("foreground", "200"), ("foreground", "200"), ("plain", "20"), ("plain", "20"),
    ]  # fmt: skip
    assert "| `foreground` |" not in (tmp_path / "out/levers.md").read_text()


def test_a_folder_with_another_run_fails_and_the_others_go_on(tmp_path, in_place_of_processes, monkeypatch, capsys):
    fake_run(tmp_path / "runs/+ema-0", 10, seed=0, flags={"foreground": 20.0, "ema": 0.99})
    assert call(tmp_path, "--only=+ema,foreground") == 0  # trained again, as it is another run
    fake_run(tmp_path / "runs/+warmup-0", 10, seed=0, flags={"foreground": 20.0})
    monkeypatch.setattr(jobs, "run_verb", lambda verb, arguments, log: None)
    assert call(tmp_path, "--only=+warmup,foreground", "--seeds=0") == 2
    printed = capsys.readouterr().err
    assert "holds another run (flags.warmup is absent, not 200)" in printed
    assert "levers: error: 1 of 1 runs failed" in printed


@pytest.mark.parametrize(("name", "words"), [
    ("emma", "no lever 'emma'. Did you mean 'ema'?"), ("+ema+techer", "no lever '+techer'. Did you mean '+teacher'?"),
    ("ema+warmup", "no lever 'ema+warmup'"), ("+foreground", "no lever '+foreground'"), ("+", "no lever '+'"),
    ("+stronger-views+weaker-views", "two of its levers set --rotation"),
])  # fmt: skip
def test_unknown_levers_are_refused_before_any_training(name, words, tmp_path, capsys):
    with pytest.raises(CUNetError, match="--only="):
        lever(name)
    assert call(tmp_path, f"--only={name}") == 2
    assert words in capsys.readouterr().err and not (tmp_path / "runs").exists()


def test_bad_input(tmp_path, capsys):
    assert levers.main(["levers", f"--workdir={tmp_path}", f"--out={tmp_path}"]) == 2
    assert "name the folder of 300-W with --root" in capsys.readouterr().err
    assert call(tmp_path, "--seeds=0,one") == 2
    assert "'one' is no seed" in capsys.readouterr().err
    (tmp_path / "out").mkdir()
    (tmp_path / "out/levers.png").write_text("mine")
    assert call(tmp_path) == 2
    assert "levers.png exists and was not written by cunet" in capsys.readouterr().err
