"""Tables 1 to 4 and Fig. 9: supervisions, widths, dense U-Net and hourglass, order K."""

from cunet_tf.config import CUNetConfig, NetworkConfig
from cunet_tf.figures import LOWER, plot_lines
from cunet_tf.presets import preset
from cunet_tf.rows import Row
from cunet_tf.trainers.study.paper import TABLE_1, TABLE_2, TABLE_3, TABLE_4, TABLE_4_EPOCHS
from cunet_tf.trainers.study.tables.context import Context, sizes
from cunet_tf.trainers.study.tables.findings import Ordering
from cunet_tf.trainers.study.tables.page import Table, stem_of
from cunet_tf.trainers.study.tables.protocol import width_name, widths
from cunet_tf.trainers.study.tables.results import HELD_OUT, TRAINING, Results

SUPERVISED = {1: "supervisions-1", 2: "supervisions-2", 3: "cunet"}
ORDERS = {0: "order-0", 1: "cunet", 2: "order-2"}
PAPERS_ORDER = {0: None, 1: 1, 2: 7}  # fully dense is order 2 of 3 U-Nets, 7 of 8
FULL = (128, 32)  # m, n of the paper
COUNTED = "Parameters are convolution weights, all heads counted, 16 landmarks at 256 px; MACs with all heads."


def table_1(context: Context) -> Table:
    """Number of supervisions."""
    rows: list[Row] = []
    for stacks, figures in TABLE_1.items():
        for supervisions, pckh in figures.items():
            config = CUNetConfig(stacks, 1, *FULL, supervisions=supervisions)
            rows.append(_supervision(f"CU-Net-{stacks}", config) | {"paper_pckh": pckh})
    if context.results:
        runs = context.results.protocol.variants
        rows += [_supervision(f"ours: {name}", runs[name].config()) | context.accuracy(name)
                 for name in SUPERVISED.values()]  # fmt: skip
    orderings = [
        Ordering("supervisions-2", "supervisions-1", "CU-Net-4: 88.1, 87.6; CU-Net-8: 89.3, 88.6"),
        Ordering("supervisions-2", "cunet", "CU-Net-4: 88.1, 87.8 (S = N)"),
        Ordering("cunet", "supervisions-1", "CU-Net-4: 87.8, 87.6; CU-Net-8: 89.0, 88.6 (S = N)"),
    ]
    return Table("1", "intermediate supervisions", rows, about=[COUNTED, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def _supervision(network: str, config: NetworkConfig) -> Row:
    which = " ".join(str(index + 1) for index in config.supervised)
    return {"network": network, "supervisions": len(config.supervised), "supervised_unets": which, **sizes(config)}


def table_2(context: Context) -> Table:
    """Channels m of the main flow and new features n."""
    rows = []
    scale = context.results.protocol.scale if context.results else None
    names = {pair: width_name(*pair) for pair in widths(scale)} if scale else {}
    if scale:
        names[scale.main_channels, scale.growth] = "cunet"
    for index, (m, n) in enumerate(TABLE_2):
        row = {"m": m, "n": n, **sizes(CUNetConfig(2, 1, m, n)), "paper_parameters": TABLE_2[m, n].parameters,
               "paper_pckh": TABLE_2[m, n].pckh}  # fmt: skip
        if scale:
            name = names[widths(scale)[index]]
            own = widths(scale)[index]
            row |= {"ours": name, "our_m": own[0], "our_n": own[1],
                    "our_conv_parameters": context.size(name)["conv_parameters"], **context.accuracy(name)}  # fmt: skip
        rows.append(row)
    orderings = []
    if scale:
        steps = [names[pair] for pair in widths(scale)]
        pairs = list(zip(TABLE_2.values(), steps, strict=True))
        for (low, worse), (high, better) in zip(pairs[:-1], pairs[1:], strict=True):
            orderings.append(Ordering(better, worse, f"{high.pckh}, {low.pckh}"))
    about = [f"The paper's CU-Net-2; ours has {scale.stacks} U-Nets." if scale else "CU-Net-2.", COUNTED]
    return Table("2", "channels m and new features n", rows, about=[*about, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def table_3(context: Context) -> Table:
    """Dense U-Net and hourglass against CU-Net."""
    rows: list[Row] = [
        {"network": name, **sizes(preset(name).config), "paper_parameters": row.parameters, "paper_pckh": row.pckh}
        for name, row in TABLE_3.items()
    ]
    if context.results:
        names = ("dense-unet", "hourglass", "cunet")
        rows += [{"network": f"ours: {name}", **context.size(name), **context.accuracy(name)} for name in names]
    orderings = [
        Ordering("cunet", "dense-unet", "88.1 (3.9M), 87.1 (2.9M); 89.5 (7.9M), 88.1 (6.1M)"),
        Ordering("cunet", "hourglass", "89.5 (7.9M), 89.3 (25.5M); ours at about equal parameters"),
    ]
    return Table("3", "CU-Net, dense U-Net and stacked hourglass", rows, about=[COUNTED, *context.conditions()],
                 below=context.findings(orderings))  # fmt: skip


def table_4(context: Context) -> Table:
    """Order K over the epochs, on training pictures and on others."""
    rows = _order_rows(context.results) if context.results else []
    shown = [row for row in rows if row["paper_epoch"] is not None]
    about = [
        "The paper: CU-Net-8, PCKh on MPII's training and validation part (more is better), orders 1 and 7. Ours: "
        "orders 0, 1, 2 of 3 U-Nets, 2 being fully dense as 7 of 8, metric on un-augmented training pictures and on "
        "held-out ones, means over the seeds (NME: less is better). "
        + "; ".join(f"CU-Net-8 of order {order}: {sizes(CUNetConfig(8, order))['conv_parameters']:,} conv parameters"
                    for order in TABLE_4) + ".",
        *context.conditions(),
    ]  # fmt: skip
    rows = rows or [{"order": order, **_paper_cells(order, index)} for order in TABLE_4 for index in range(4)]
    return Table("4", "order K over the epochs", rows, shown or None, about=about, below=context.findings(ORDERINGS))


def _order_rows(results: Results) -> list[Row]:
    """A row for each of our orders and epochs; the paper's figures stand beside our milestones."""
    rows: list[Row] = []
    epochs = results.protocol.epochs
    at = dict(zip(milestones(epochs), range(len(TABLE_4_EPOCHS)), strict=False))
    for order, papers in PAPERS_ORDER.items():
        name = ORDERS[order]
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


ORDERINGS = [
    Ordering("cunet", "order-2", "epoch 150, validation: 87.1 (order 1), 86.7 (order 7)"),
    Ordering("cunet", "order-0", "the premise of coupling; no number"),
]


def fig_9(context: Context) -> Table:
    """Parameters and accuracy against the order K, and the curves of our orders."""
    rows: list[Row] = [{"network": "CU-Net-8", "order": order, **sizes(CUNetConfig(8, order, *FULL))}
                       for order in range(8)]  # fmt: skip
    drawn = False
    if context.results:
        rows += [{"network": f"ours: {name}", "order": order, **context.size(name), **context.accuracy(name)}
                 for order, name in ORDERS.items()]  # fmt: skip
        curves = {}
        for order, name in ORDERS.items():
            for part, label, style in ((TRAINING, "training", ":"), (HELD_OUT, "held out", "-")):
                curves[f"order {order}, {label}"] = (context.results.mean_curve(name, part), f"C{order}{style}")
        label = context.results.axis_label(ORDERS.values(), "pictures")
        drawn = plot_lines(curves, "epoch", label, context.out / f"{stem_of('fig9')}.png", LOWER in label)
    about = [COUNTED, "The paper gives this figure without numbers.", *context.conditions()]
    return Table("fig9", "parameters and accuracy against the order K", rows, about=about,
                 below=context.findings(ORDERINGS), picture=drawn)  # fmt: skip
