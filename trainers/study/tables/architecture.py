"""Tables 1 to 4 and Fig. 9: supervisions, widths, dense U-Net and hourglass, order K."""

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.figures import LOWER, plot_lines
from cunet_tf.presets import preset
from cunet_tf.rows import Row
from cunet_tf.trainers.study.paper import TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_4_EPOCHS
from cunet_tf.trainers.study.tables.context import Context, sizes
from cunet_tf.trainers.study.tables.findings import Ordering, verdict
from cunet_tf.trainers.study.tables.networks import WIDTH_STACKS, Scale, orders, supervised, width_name, widths
from cunet_tf.trainers.study.tables.page import Table, stem_of
from cunet_tf.trainers.study.tables.records import HELD_OUT, TRAINING
from cunet_tf.trainers.study.tables.results import Results

PAPERS_DENSE = 7  # fully dense is order 7 of 8 U-Nets, N-1 of N
FULL = (128, 32)  # m, n of the paper
COUNTED = "Parameters are convolution weights, all heads counted, 16 landmarks at 256 px; MACs with all heads."


def table_1(context: Context) -> Table:
    """Number of supervisions."""
    rows: list[Row] = []
    for stacks, figures in TABLE_1.items():
        for supervisions, pckh in figures.items():
            config = CUNetConfig(stacks, 1, *FULL, supervisions=supervisions)
            rows.append(_supervision(f"CU-Net-{stacks}", config) | {"paper_pckh": pckh})
    scale = context.scale
    if context.results:
        runs = context.results.protocol.variants
        rows += [_supervision(f"ours: {name}", runs[name].config()) | context.accuracy(name)
                 for name in supervised(scale).values()]  # fmt: skip
    middle = supervised(scale)[scale.stacks // 2]
    orderings = [
        Ordering(middle, "supervisions-1", "CU-Net-4: 88.1, 87.6; CU-Net-8: 89.5, 88.6"),
        Ordering(middle, "cunet", "CU-Net-4: 88.1, 87.8; CU-Net-8: 89.5, 89.0 (S = N)"),
        Ordering("cunet", "supervisions-1", "CU-Net-4: 87.8, 87.6; CU-Net-8: 89.0, 88.6 (S = N)"),
    ]
    return Table("1", "intermediate supervisions", rows, about=[COUNTED, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def _supervision(network: str, config: NetworkConfig) -> Row:
    which = " ".join(str(index + 1) for index in config.supervised)
    return {"network": network, "supervisions": len(config.supervised), "supervised_unets": which, **sizes(config)}


def table_2(context: Context) -> Table:
    """Channels m of the main flow and new features n."""
    rows, own = [], widths(context.scale)
    for (m, n), (our_m, our_n) in zip(TABLE_2, own, strict=True):
        row = {"m": m, "n": n, **sizes(CUNetConfig(2, 1, m, n)), "paper_parameters": TABLE_2[m, n].parameters,
               "paper_pckh": TABLE_2[m, n].pckh}  # fmt: skip
        if context.results:
            name = width_name(our_m, our_n)
            row |= {
                "ours": name,
                "our_conv_parameters": context.size(name)["conv_parameters"],
                **context.accuracy(name),
            }
        rows.append(row)
    pairs = list(zip(TABLE_2.values(), [width_name(*pair) for pair in own], strict=True))
    orderings = [Ordering(better, worse, f"{high.pckh}, {low.pckh}")
                 for (low, worse), (high, better) in zip(pairs[:-1], pairs[1:], strict=True)]  # fmt: skip
    about = f"CU-Net-2, as the paper's: {WIDTH_STACKS} U-Nets where the protocol says another number."
    return Table("2", "channels m and new features n", rows, about=[about, COUNTED, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def table_3(context: Context) -> Table:
    """Dense U-Net and hourglass against CU-Net."""
    rows: list[Row] = [
        {"network": name, **sizes(preset(name).config), "paper_parameters": row.parameters, "paper_pckh": row.pckh}
        for name, row in TABLE_3.items()
    ]
    if context.results:
        names = ("dense-unet", "dense-unet-wide", "hourglass", "cunet")
        rows += [{"network": f"ours: {name}", **context.size(name), **context.accuracy(name)} for name in names]
    orderings = [
        Ordering("cunet", "dense-unet", "88.1 (3.9M), 87.1 (2.9M); 89.5 (7.9M), 88.1 (6.1M)"),
        Ordering("cunet", "dense-unet-wide", "no figure: ours at about equal parameters"),
        Ordering("cunet", "hourglass", "89.5 (7.9M), 89.3 (25.5M); ours at about equal parameters"),
    ]
    rule = (
        "dense-unet follows the paper's rule, as many 3x3 convolutions: L = N dense layers in a block, with CU-Net's m "
        "and n, which makes it smaller; dense-unet-wide and hourglass are as wide as brings them nearest to CU-Net's "
        "parameters."
    )
    return Table("3", "CU-Net, dense U-Net and stacked hourglass", rows, about=[COUNTED, rule, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def table_4(context: Context) -> Table:
    """Order K over the epochs, on training pictures and on others."""
    rows = _order_rows(context.results) if context.results else []
    shown = [row for row in rows if row["paper_epoch"] is not None]
    dense = context.scale.stacks - 1
    about = [
        "The paper: CU-Net-8, PCKh on MPII's training and validation part (more is better), orders 1 and 7. Ours: "
        f"orders 0 to {dense} of {dense + 1} U-Nets, {dense} being fully dense as 7 of 8, metric on un-augmented "
        "training pictures and on held-out ones, means over the seeds (NME: less is better). "
        + "; ".join(f"CU-Net-8 of order {order}: {sizes(CUNetConfig(8, order))['conv_parameters']:,} conv parameters"
                    for order in TABLE_4) + ".",
        *context.conditions(),
    ]  # fmt: skip
    rows = rows or [{"order": order, **_paper_cells(order, index)} for order in TABLE_4 for index in range(4)]
    below = [*context.findings(order_claims(context.scale)), *_training_side(context)]
    return Table("4", "order K over the epochs", rows, shown or None, about=about, below=below)


def _training_side(context: Context) -> list[str]:
    """The other half of the paper's statement: fully dense fits the training pictures better."""
    if not context.results:
        return []
    last = [[curve[-1] for curve in context.results.curve(name, TRAINING).values()]
            for name in (orders(context.scale)[context.scale.stacks - 1], "cunet")]  # fmt: skip
    if context.results.higher("cunet"):
        last = [[-value for value in values] for values in last]
    return ["On training pictures the paper's fully dense network is the better one (93.1, 91.7 of order 1; it "
            f"overfits); ours, fully dense before order 1: {verdict(*last)}."]  # fmt: skip


def _order_rows(results: Results) -> list[Row]:
    """A row for each of our orders and epochs; the paper's figures stand beside our milestones."""
    rows: list[Row] = []
    epochs, scale = results.protocol.epochs, results.protocol.scale
    at = dict(zip(milestones(epochs), range(len(TABLE_4_EPOCHS)), strict=False))
    for order, name in orders(scale).items():
        papers = {1: 1, scale.stacks - 1: PAPERS_DENSE}.get(order)
        training, held_out = (results.mean_curve(name, part) for part in (TRAINING, HELD_OUT))
        for epoch in range(1, epochs + 1):
            row = {"order": order, "epoch": epoch, "training": _at(training, epoch), "held_out": _at(held_out, epoch)}
            row |= {f"held_out_seed_{seed}": _at(curve, epoch) for seed, curve in results.curve(name, HELD_OUT).items()}
            rows.append(row | _paper_cells(papers, at.get(epoch)))
    return rows


def milestones(epochs: int) -> list[int]:
    """Our epochs that stand for the paper's 1, 50, 100 and 150."""
    return [max(1, round(epochs * epoch / TABLE_4_EPOCHS[-1])) for epoch in TABLE_4_EPOCHS]


def _paper_cells(order: int | None, index: int | None) -> Row:
    if index is None:
        return dict.fromkeys(("paper_order", "paper_epoch", "paper_training", "paper_validation"))
    parts = None if order is None else TABLE_4.get(order)
    return {
        "paper_order": order if parts else None,
        "paper_epoch": TABLE_4_EPOCHS[index],
        "paper_training": parts[0][index] if parts else None,
        "paper_validation": parts[1][index] if parts else None,
    }


def _at(curve: list[float], epoch: int) -> float | None:
    return curve[epoch - 1] if len(curve) >= epoch else None


def order_claims(scale: Scale) -> list[Ordering]:
    """What the paper says of the order."""
    dense = orders(scale)[scale.stacks - 1]
    return [
        Ordering("cunet", "order-0", "the premise of coupling; no number"),
        Ordering("cunet", dense, "epoch 150, validation: 87.1 (order 1), 86.7 (order 7)"),
    ]


def fig_9(context: Context) -> Table:
    """Parameters and accuracy against the order K, and the curves of our orders."""
    rows: list[Row] = [{"network": "CU-Net-8", "order": order, **sizes(CUNetConfig(8, order, *FULL))}
                       for order in range(8)]  # fmt: skip
    drawn = False
    if context.results:
        rows += [{"network": f"ours: {name}", "order": order, **context.size(name), **context.accuracy(name)}
                 for order, name in orders(context.scale).items()]  # fmt: skip
        curves = {}
        for order, name in orders(context.scale).items():
            for part, label, style in ((TRAINING, "training", ":"), (HELD_OUT, "held out", "-")):
                curves[f"order {order}, {label}"] = (context.results.mean_curve(name, part), f"C{order}{style}")
        label = context.results.axis_label(orders(context.scale).values(), "pictures")
        drawn = plot_lines(curves, "epoch", label, context.out / f"{stem_of('fig9')}.png", LOWER in label)
    about = [COUNTED, "The paper gives this figure without numbers.", *context.conditions()]
    return Table("fig9", "parameters and accuracy against the order K", rows, about=about,
                 below=context.findings(order_claims(context.scale)), picture=drawn)  # fmt: skip
