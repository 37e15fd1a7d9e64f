"""Every table and figure that ``cunet tables`` knows, by its key."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from cunet_tf.errors import CUNetError
from cunet_tf.trainers.study.tables import (
    architecture,
    claims,
    curves,
    latency,
    pictures,
    published,
    quantized,
    refinement,
)
from cunet_tf.trainers.study.tables.context import Context
from cunet_tf.trainers.study.tables.networks import Scale, orders, supervised, width_name, widths
from cunet_tf.trainers.study.tables.page import Table

ELSEWHERE = {"fig10": "Fig. 10 (training memory) is made by cunet memory, not here."}
TRAINS = ("data", "root", "split", "test_split", "allow_missing", "box", "accuracy", "budget", "batch_size", "seeds",
          "targets", "workdir", *(field.name for field in fields(Scale)), "out")  # fmt: skip
TIMES = ("rounds", "machine", "out")
READS = ("results", "out")
DRAWS = ("model", "figure_data", "figure_root", "figure_split", "out")


@dataclass(frozen=True)
class Kind:
    """How a table is made.

    Attributes:
        build: from what is known to the table.
        title: for the index.
        names: the runs that its accuracy columns need, for a scale.
        timed: whether it needs the measured times.
        flags: of ``cunet tables`` that change it.
    """

    build: Callable[[Context], Table]
    title: str
    names: Callable[[Scale], list[str]] = lambda _: []
    timed: bool = False
    flags: tuple[str, ...] = ("out",)

    @property
    def trains(self) -> bool:
        """Whether it has accuracy columns."""
        return bool(self.names(Scale()))


def _widths(scale: Scale) -> list[str]:
    return [width_name(*pair) for pair in widths(scale)]


def _orders(scale: Scale) -> list[str]:
    return list(orders(scale).values())


KINDS = {
    "claims": Kind(claims.claims, "all claims", claims.runs, flags=TRAINS),
    "1": Kind(architecture.table_1, "intermediate supervisions", lambda scale: list(supervised(scale).values()),
              flags=TRAINS),
    "2": Kind(architecture.table_2, "channels m and new features n", _widths, flags=TRAINS),
    "3": Kind(architecture.table_3, "CU-Net, dense U-Net and hourglass",
              lambda _: ["cunet", "hourglass", "dense-unet", "dense-unet-wide"], flags=TRAINS),
    "4": Kind(architecture.table_4, "order K over the epochs", _orders, flags=TRAINS),
    "5": Kind(latency.table_5, "parameters and time against the hourglass", timed=True, flags=TIMES),
    "6": Kind(refinement.table_6, "iterative refinement", lambda _: list(refinement.RUNS.values()), flags=TRAINS),
    "7": Kind(refinement.table_7, "iterative refinement against depth",
              lambda _: ["regression", "iterative-regression-regression", refinement.DEEP], flags=TRAINS),
    "8": Kind(quantized.table_8, "quantized networks, faces", flags=READS),
    "9": Kind(quantized.table_9, "quantized networks, bodies", flags=READS),
    "10": Kind(quantized.table_10, "quantized networks, joint by joint", flags=READS),
    "11": Kind(latency.table_11, "parameters and time of other systems", timed=True, flags=TIMES),
    "12": Kind(published.table_12, "300-W, published results", flags=READS),
    "13": Kind(published.table_13, "MPII, published results", flags=READS),
    "14": Kind(published.table_14, "LSP, published results", flags=READS),
    "fig7": Kind(curves.fig_7, "validation curves of four (m, n)", curves.four_widths, flags=TRAINS),
    "fig8": Kind(curves.fig_8, "validation curves of the dense U-Net and CU-Net", curves.dense_and_coupled,
                 flags=TRAINS),
    "fig9": Kind(architecture.fig_9, "order K", _orders, flags=TRAINS),
    "fig11": Kind(pictures.fig_11, "pictures with results", flags=DRAWS),
}  # fmt: skip


def parse_keys(values: list[str]) -> list[str]:
    """Keys in the order of the paper; ``all`` for every one.

    Raises:
        CUNetError: an unknown key.
    """
    for value in values:
        if value not in (*KINDS, *ELSEWHERE, "all"):
            raise CUNetError(f"--table={value}: use {', '.join(KINDS)} or all.")
    asked = set(KINDS) if "all" in values else set(values)
    return [key for key in (*KINDS, *ELSEWHERE) if key in asked]


def runs_of(keys: list[str], scale: Scale) -> list[str]:
    """Names of the runs that some tables need, each once."""
    return list(dict.fromkeys(name for key in keys if key in KINDS for name in KINDS[key].names(scale)))
