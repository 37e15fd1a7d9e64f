"""Verdicts of the paper's claims: from every seed, of networks that have learned, and never from nothing."""

from pathlib import Path

import pytest

from cunet_tf.trainers.study.tables.claims import (
    CONTRADICTED,
    HOLDS,
    LEARNED,
    UNDECIDED,
    UNTESTED,
    all_claims,
    better,
    claims,
    not_worse,
    runs,
    within,
)
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.networks import Scale, variants
from tests.fake_runs import finish, protocol, results_of


@pytest.mark.parametrize(
    "judge, one, other, verdict",
    [
        (better, [3.0, 3.2], [3.3, 4.0], HOLDS),
        (better, [3.3, 4.0], [3.0, 3.2], CONTRADICTED),
        (better, [3.0, 3.5], [3.2, 4.0], UNDECIDED),
        (not_worse, [3.0, 3.5], [3.2, 4.0], HOLDS),
        (not_worse, [3.3, 4.0], [3.0, 3.2], CONTRADICTED),
        (within(15.0), [3.4, 3.4], [3.0, 3.0], HOLDS),
        (within(15.0), [3.5, 3.5], [3.0, 3.0], CONTRADICTED),
    ],
)
def test_judges(judge, one, other, verdict):
    assert judge(one, other)[0] == verdict


def test_every_run_is_a_network():
    assert set(runs(Scale())) <= set(variants(Scale()))
    assert len({claim.statement for claim in all_claims(Scale())}) == len(all_claims(Scale()))


def found(tmp_path, errors, **evaluation):
    """Claim -> verdict and why, with these errors of each run's seeds."""
    plan = protocol(tmp_path / "runs")
    for name, values in errors.items():
        for seed, value in enumerate(values):
            finish(plan.job(name, seed), value, **evaluation)
    table = claims(Context(tmp_path, tmp_path, results_of(plan, tmp_path)))
    return {(row["one"], row["other"]): (row["verdict"], row["why"]) for row in table.rows}


def test_verdicts_from_runs(tmp_path):
    verdicts = found(tmp_path, {"cunet": (5.0, 5.2), "order-0": (6.0, 7.0), "hourglass": (4.0,), "order-3": (9.0, 9.1)})
    assert verdicts["cunet", "order-0"][0] == HOLDS
    assert verdicts["cunet", "hourglass"] == (
        UNDECIDED, "one seed only; by it: contradicted, every seed of the one is worse than every seed of the other"
    )  # fmt: skip
    assert verdicts["cunet", "order-3"] == (UNDECIDED, f"above {LEARNED:.0f} % on this budget: order-3")
    assert verdicts["cunet", "dense-unet"] == (UNTESTED, "not run: dense-unet")
    assert verdicts["TW", "BW"] == (UNTESTED, "not run under equal conditions: TW, BW")


def test_bodies_have_no_limit_of_nme(tmp_path):
    evaluation = {"pckh": None, "pck_means": {"limbs": 50.0}, "per_group": {}, "failure_rate": None}
    plan = protocol(tmp_path / "runs")
    for name, pck in (("cunet", 60.0), ("order-0", 50.0)):
        for seed in plan.seeds:
            finish(plan.job(name, seed), 0.0, pck=pck, **evaluation)
    table = claims(Context(tmp_path, tmp_path, results_of(plan, tmp_path)))
    row = next(row for row in table.rows if row["other"] == "order-0")
    assert (row["verdict"], row["errors_of_the_one"]) == (HOLDS, "40.00; 40.00")


SWEEP = ("quant,preset,data,split,train_images,test_split,images,epochs,init,seed,normalizer,box,metric,nme,error,"
         "training_memory_ratio,model_size_ratio,honest_size_ratio\n")  # fmt: skip


def write_sweep(folder, name, errors, seed=0, epochs=6):
    lines = [f"{quant},face-mobile,300w,train,9,helen,5,{epochs},x,{seed},interocular,tight,NME,{error},{error},"
             "1,0.0625,0.1\n" for quant, error in errors.items()]  # fmt: skip
    (folder / f"quantization_{name}.csv").write_text(SWEEP + "".join(lines))


def test_quantizations_come_from_sweeps(tmp_path):
    for seed in (0, 1):
        errors = {"BW": 4.0, "TW": 3.5, "TW-QIG(626)": 9.0, "TW-QIG(626)+signed=4+unsigned=4": 4.5, "TW-QIG(828)": 4.0}
        write_sweep(tmp_path, f"s{seed}", {quant: error + seed / 10 for quant, error in errors.items()}, seed)
    table = claims(Context(tmp_path, tmp_path))
    verdicts = {(row["one"], row["other"]): row for row in table.rows}
    assert verdicts["TW", "BW"]["verdict"] == HOLDS and verdicts["TW", "BW"]["errors_of_the_one"] == "3.50; 3.60"
    assert verdicts["TW-QIG(828)", "TW-QIG(626)"]["of_the_other"] == "4.50; 4.60"
    assert verdicts["cunet", "order-0"]["verdict"] == UNTESTED


def test_both_quantizations_of_a_claim_come_from_equal_conditions(tmp_path):
    write_sweep(tmp_path, "short", {"BW": 4.0, "TW": 3.5, "TW-QIG(828)": 3.9, "BW-QIG(818)": 4.2, "BW-QIG(616)": 5.0})
    for seed in (0, 1):
        write_sweep(tmp_path, f"long{seed}", {"BW": 3.0 + seed, "TW": 2.9 + seed, "BW-QIG(818)": 3.1}, seed, epochs=16)
    write_sweep(tmp_path, "other", {"TW-QIG(626)": 9.0}, epochs=2)
    verdicts = {(row["one"], row["other"]): row for row in claims(Context(tmp_path, tmp_path)).rows}
    assert verdicts["TW", "BW"]["errors_of_the_one"] == "2.90; 3.90"  # of two seeds rather than one
    eight = verdicts["BW-QIG(818)", "BW-QIG(616)"]
    assert (eight["errors_of_the_one"], eight["of_the_other"]) == ("4.20", "5.00")  # not the two of another sweep
    apart = verdicts["TW-QIG(828)", "TW-QIG(626)"]
    assert apart["verdict"] == UNTESTED and apart["why"] == "not run under equal conditions: TW-QIG(828), TW-QIG(626)"


def test_the_docs_quote_the_page():
    """docs/paper.md shows the committed table, line for line."""
    docs = Path(__file__).parents[1] / "docs"
    page = [line for line in (docs / "results/claims.md").read_text().splitlines() if line.startswith("|")]
    assert len(page) == 2 + len(all_claims(Scale())) and "\n".join(page) in (docs / "paper.md").read_text()
