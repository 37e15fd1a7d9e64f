import pytest

from cunet_tf.trainers.study.tables.findings import Ordering, describe_noise, describe_orderings, seed_gaps, verdict
from tests.fake_runs import finish, protocol, results_of

CLAIM = [Ordering("cunet", "order-0", "88.1, 87.6")]


def results(folder, runs, **evaluation):
    plan = protocol(folder)
    for (name, seed), nme in runs.items():
        finish(plan.job(name, seed), nme, **evaluation)
    return results_of(plan, folder)


@pytest.mark.parametrize(
    "better, worse, words",
    [
        ([1.0, 2.0], [3.0, 4.0], "holds"),
        ([3.0, 4.0], [1.0, 2.0], "reversed"),
        ([1.0, 3.0], [2.0, 4.0], "undecided: the seeds overlap"),
        ([1.0], [3.0, 4.0], "holds, one seed only"),
        ([], [1.0], "not finished"),
    ],
)
def test_verdict_needs_every_seed(better, worse, words):
    assert verdict(better, worse) == words


def test_orderings_beside_the_noise(tmp_path):
    found = results(tmp_path, {("cunet", 0): 5.0, ("cunet", 1): 5.5, ("order-0", 0): 6.0, ("order-0", 1): 7.0})
    text = describe_orderings(found, CLAIM)
    assert "| cunet, order-0 | 88.1, 87.6 | 5.25, 6.5 | +1.25 | holds |" in text
    assert seed_gaps(found) == [0.5, 1.0] and "0.75 (median of 2 pairs), at most by 1.00" in text
    assert "fail" not in text


def test_networks_that_have_hardly_learned_are_named(tmp_path):
    found = results(tmp_path, {("cunet", 0): 50.0}, failure_rate=100.0)
    text = describe_orderings(found, CLAIM)
    assert "not finished" in text and "still fail (NME above 8 %) with cunet (100 %)" in text
    assert "Noise: not known" in describe_noise(found)


def test_noise_counts_a_network_with_two_names_once(tmp_path):
    assert seed_gaps(results(tmp_path, {("cunet", 0): 5.0, ("regression", 1): 5.5})) == [0.5]
