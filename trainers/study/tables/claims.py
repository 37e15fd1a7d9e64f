"""All that the paper claims of accuracy in one table, with the verdict of our runs and why."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cunet_tf.rows import Row, number
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.findings import apart
from cunet_tf.trainers.study.tables.networks import Scale, orders, supervised, width_name, widths
from cunet_tf.trainers.study.tables.page import CLAIMS, Table
from cunet_tf.trainers.study.tables.quantized import errors_by_quant, errors_of_both
from cunet_tf.trainers.study.tables.refinement import DEEP, RUNS

HOLDS, CONTRADICTED, UNDECIDED, UNTESTED = "holds", "contradicted", "undecided", "untested"
LEARNED = 8.0  # NME in percent, above which a network has hardly begun to learn: its order says how fast, not how good
Errors = list[float]  # one for each seed, less is better


@dataclass(frozen=True)
class Claim:
    """One statement of the paper about two networks.

    Attributes:
        statement: in words.
        paper: its figures.
        one, other: names of runs, or of quantizations.
        judge: verdict and why, from the errors of both.
        quantized: whether they are quantizations, of ``cunet sweep``.
    """

    statement: str
    paper: str
    one: str
    other: str
    judge: Callable[[Errors, Errors], tuple[str, str]]
    quantized: bool = False


def better(one: Errors, other: Errors) -> tuple[str, str]:
    """The one is better than the other."""
    return {
        1: (HOLDS, "every seed of the one is better than every seed of the other"),
        -1: (CONTRADICTED, "every seed of the one is worse than every seed of the other"),
        0: (UNDECIDED, "the seeds overlap"),
    }[apart(one, other)]


def not_worse(one: Errors, other: Errors) -> tuple[str, str]:
    """The one is at least as good as the other."""
    verdict, why = better(one, other)
    return (HOLDS, f"as good: {why}") if verdict == UNDECIDED else (verdict, why)


def within(percent: float) -> Callable[[Errors, Errors], tuple[str, str]]:
    """The one's mean error is at most so much above the other's."""

    def judge(one: Errors, other: Errors) -> tuple[str, str]:
        ratio = float(np.mean(one) / np.mean(other))
        return HOLDS if ratio <= 1.0 + percent / 100.0 else CONTRADICTED, f"{ratio:.3f} of its error"

    return judge


def all_claims(scale: Scale) -> list[Claim]:
    """In the order of the paper's tables."""
    middle, dense = supervised(scale)[scale.stacks // 2], orders(scale)[scale.stacks - 1]
    one, two = RUNS["regression"], RUNS["regression-regression"]
    narrow, wide, widest = (width_name(*widths(scale)[index]) for index in (1, 3, 5))  # n, then m grows
    return [
        Claim("supervising some U-Nets beats supervising one (Table 1)", "88.1, 87.6", middle, "supervisions-1",
              better),
        Claim("supervising some U-Nets beats supervising all (Table 1)", "88.1, 87.8", middle, "cunet", better),
        Claim("more new features n are better (Table 2)", "86.0, 84.2", wide, narrow, better),
        Claim("more channels m are better (Table 2)", "86.6, 86.0", widest, wide, better),
        Claim("CU-Net beats the dense U-Net of as many 3x3 convolutions (Table 3)", "88.1, 87.1", "cunet", "dense-unet",
              better),
        Claim("CU-Net beats the dense U-Net at equal parameters", "no figure", "cunet", "dense-unet-wide", better),
        Claim("CU-Net beats the stacked hourglass (Table 5; ours at equal parameters)", "89.5, 89.3", "cunet",
              "hourglass", better),
        Claim("coupling helps: order 1 beats order 0 (3.2)", "no figure", "cunet", "order-0", better),
        Claim("order 1 is not under the fully dense order (Table 4)", "87.1, 86.7", "cunet", dense, not_worse),
        Claim("regression beats detection (Table 6)", "3.34, 4.01", one, RUNS["detection"], better),
        Claim("a second pass helps regression (Table 6)", "3.28, 3.34", two, one, better),
        Claim("a second pass helps detection (Table 6)", "3.93, 4.01", RUNS["detection-detection"], RUNS["detection"],
              better),
        Claim("detection, then regression, comes within 15 % of regression twice (Table 6)", "3.37, 3.28",
              RUNS["detection-regression"], two, within(15.0)),
        Claim("N U-Nets in two passes come within 5 % of 2N in one (Table 7)", "3.28, 3.26", two, DEEP, within(5.0)),
        Claim("alpha helps binary kernels (Table 8)", "3.58, 3.75", "BW-a", "BW", better, True),
        Claim("binary kernels without alpha come within 5 % of those with it (Table 8)", "3.75, 3.58", "BW", "BW-a",
              within(5.0), True),
        Claim("ternary kernels beat binary ones (Table 8)", "3.73, 3.75", "TW", "BW", better, True),
        Claim("binary kernels with alpha come within 10 % of float (Table 8)", "3.58, 3.38", "BW-a", "float",
              within(10.0), True),
        Claim("8 bits beat 6, binary (Table 8)", "4.30, 5.93", "BW-QIG(818)", "BW-QIG(616)", better, True),
        Claim("8 bits beat 6, ternary (Table 8)", "4.13, 4.27", "TW-QIG(828)", "TW-QIG(626)", better, True),
    ]  # fmt: skip


def runs(scale: Scale) -> list[str]:
    """Runs that the claims need."""
    plain = [claim for claim in all_claims(scale) if not claim.quantized]
    return list(dict.fromkeys(name for claim in plain for name in (claim.one, claim.other)))


def claims(context: Context) -> Table:
    """The table."""
    pools = errors_by_quant(context.reports)

    def errors(claim: Claim) -> tuple[Errors, Errors]:
        if claim.quantized:
            return errors_of_both(pools, claim.one, claim.other)
        found = [context.results.figures(name) if context.results else {} for name in (claim.one, claim.other)]
        one, other = ([row["error"] for row in seeds.values()] for seeds in found)
        return one, other

    shown_as_pck = context.results is not None and context.results.higher("cunet")
    limit = float("inf") if shown_as_pck else LEARNED
    rows = [_row(claim, *errors(claim), limit) for claim in all_claims(context.scale)]
    about = [
        "The paper's figures are PCKh of MPII (more is better) or NME of 300-W (less is better), ours errors of the "
        f"test part in percent. A network above {LEARNED:.0f} % NME has hardly begun to learn: nothing is concluded "
        "from it. One seed decides nothing either. Quantizations are those of Table 8, both of a pair from the sweeps "
        "in which both have most seeds.",
        *context.conditions(),
    ]  # fmt: skip
    return Table(CLAIMS, "what the paper says, and what our runs say", rows, about=about)


def _row(claim: Claim, one: Errors, other: Errors, limit: float) -> Row:
    verdict, why = _judged(claim, one, other, limit)
    shown = ["; ".join(number(value, ".2f") for value in errors) or "-" for errors in (one, other)]
    return {"claim": claim.statement, "paper": claim.paper, "one": claim.one, "other": claim.other,
            "errors_of_the_one": shown[0], "of_the_other": shown[1], "verdict": verdict, "why": why}  # fmt: skip


def _judged(claim: Claim, one: Errors, other: Errors, limit: float) -> tuple[str, str]:
    missing = [name for name, errors in ((claim.one, one), (claim.other, other)) if not errors]
    if missing:
        where = " under equal conditions" if claim.quantized else ""
        return UNTESTED, f"not run{where}: {', '.join(missing)}"
    unlearned = [name for name, errors in ((claim.one, one), (claim.other, other)) if np.mean(errors) > limit]
    if unlearned:
        return UNDECIDED, f"above {limit:.0f} % on this budget: {', '.join(unlearned)}"
    verdict, why = claim.judge(one, other)
    few = min(len(one), len(other)) == 1
    return (UNDECIDED, f"one seed only; by it: {verdict}, {why}") if few else (verdict, why)
