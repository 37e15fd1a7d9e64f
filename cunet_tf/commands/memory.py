"""cunet memory: what training keeps and takes, naive, recomputed and in few bits (paper, Fig. 10).

Each mode trains some steps on random pictures in a process of its own, all in turn. kept: bytes that the
forward pass leaves for the backward pass, counted in the graph, the same on every machine; peak: the
most that the process (or the GPU's allocator) took during a step, over the idle process.

Example:
  cunet memory --preset=face-mobile --batch_size=8
  cunet memory --preset=pose-4 --batch_size=2 --modes=none,recompute,both,both+bottleneck
  cunet memory --preset=pose-2 --unets=1,2,4,8 --batch_size=2 --csv=memory.csv --plot=memory.png
  cunet memory --preset=pose-8 --unets=1,2,4,8,16 --batch_size=16 --steps=0            counts only
  cunet memory --preset=pose-8 --budget_gb=12 --batch_size=16 --modes=none,recompute
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.config import CUNetConfig
from cunet_tf.errors import CUNetError, require_package
from cunet_tf.flags import define_network, network_config, no_arguments
from cunet_tf.memory.names import MODES, MemoryConfig
from cunet_tf.outputs import begins_with, claim
from cunet_tf.presets import preset
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.rows import table, write_csv

GB = 10**9
MB = 10**6
DIGITS = 4  # of ratios and seconds in the CSV
RATIOS = {"kept_bytes": "kept_ratio", "peak_over_idle": "peak_ratio", "step_seconds": "time_ratio",
          "processor_seconds": "processor_ratio"}  # fmt: skip


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    define_network(values)
    modes = "Memory modes, the first is what the others are compared with."
    flags.DEFINE_list("modes", list(MODES), modes, flag_values=values)
    flags.DEFINE_integer("batch_size", 2, "Pictures in a step.", 1, flag_values=values)
    flags.DEFINE_list("unets", None, "Numbers of U-Nets to measure, instead of --stacks.", flag_values=values)
    flags.DEFINE_integer("steps", 3, "Steps to time; 0 only counts the kept bytes.", 0, flag_values=values)
    flags.DEFINE_float("budget_gb", None, "Memory in GB (10^9 bytes): the deepest network and the largest batch that "
                       "fit, from lines through two measured points.", 0, flag_values=values)  # fmt: skip
    table_file = "File for the table; with --budget_gb, for what fits and the four points behind it."
    flags.DEFINE_string("csv", None, table_file, flag_values=values)
    flags.DEFINE_string("plot", None, "PNG file: memory over the number of U-Nets.", flag_values=values)


def run(values: flags.FlagValues, rest: list[str]) -> dict[str, Any]:
    """Run the command; what it found, as plain JSON values."""
    no_arguments(rest)
    require_package("keras")  # in the processes that measure
    config, quant, modes = check_flags(values)
    from cunet_tf.trainers.study.memory.process import measure

    run_all = partial(_told, partial(measure, steps=values.steps, quant=quant))
    if values.budget_gb is None:
        rows: list[dict[str, Any]] = []
        for each in _configs(config, values.unets):
            rows += run_all(each, modes, values.batch_size)
            if values.csv:  # what is measured stays, should a larger network not fit into the machine
                write_csv(Path(values.csv), with_ratios(rows, str(modes[0])), digits=DIGITS)
        result: dict[str, Any] = {"rows": with_ratios(rows, str(modes[0]))}
    else:
        result = _budget(values, config, modes, run_all)
    if values.csv:
        fits = [{"budget_gb": values.budget_gb, **found} for found in result.get("fits", ())]
        write_csv(Path(values.csv), fits or result["rows"], digits=DIGITS)
    if values.plot:
        plot(result["rows"], Path(values.plot))
    return result


def check_flags(values: flags.FlagValues) -> tuple[CUNetConfig, QuantConfig, list[MemoryConfig]]:
    """The network, its quantization and the modes, refused before anything runs.

    Raises:
        CUNetError: a flag is wrong, or the network is no CU-Net.
    """
    config = network_config(values)
    if not isinstance(config, CUNetConfig):
        raise CUNetError(f"only a CU-Net saves memory, not a {config.title}: name another --preset.")
    quant = QuantConfig.parse(values.quant or (preset(values.preset).quant if values.preset else None))
    modes = [MemoryConfig.parse(mode) for mode in values.modes]
    if not modes:
        raise CUNetError(f"--modes is empty: name some of {', '.join(MODES)}.")
    if values.budget_gb is not None and not values.steps:
        raise CUNetError("--budget_gb needs measured steps: leave out --steps=0.")
    if values.budget_gb is not None and (values.unets or values.plot):
        raise CUNetError("--budget_gb chooses its own numbers of U-Nets: leave out --unets and --plot.")
    if config.refinement and values.batch_size % 2:
        raise CUNetError(f"--batch_size={values.batch_size}: iterative refinement halves each batch; give an even one.")
    _configs(config, values.unets)
    if values.csv:
        claim([values.csv], "--csv", begins_with("stacks" if values.budget_gb is None else "budget_gb"))
    if values.plot:
        claim([values.plot], "--plot")
    return config, quant, modes


def _configs(config: CUNetConfig, unets: list[str] | None) -> list[CUNetConfig]:
    if not unets:
        return [config]
    if not all(text.isdigit() and int(text) > 0 for text in unets):
        raise CUNetError(f"--unets={','.join(unets)}: give numbers from 1 on, with commas.")
    return [config.replace(stacks=int(text), supervisions=None) for text in unets]


def _told(
    measure: Callable[..., Any], config: CUNetConfig, modes: list[MemoryConfig], batch_size: int
) -> list[dict[str, Any]]:
    print(
        f"{config.stacks} U-Nets, batch size {batch_size}: {', '.join(map(str, modes))} ...",
        file=sys.stderr,
        flush=True,
    )
    rows = measure(config, modes, batch_size)
    for row in rows:
        peak = f", peak {row['peak_over_idle'] / MB:,.0f} MB" if "peak_over_idle" in row else ""
        print(f"  {row['memory']}: kept {row['kept_bytes'] / MB:,.1f} MB{peak}", file=sys.stderr, flush=True)
    return rows


def _budget(
    values: flags.FlagValues, config: CUNetConfig, modes: list[MemoryConfig], run_all: Callable[..., Any]
) -> dict[str, Any]:
    from cunet_tf.trainers.study.memory.budget import fits

    def one(each: CUNetConfig, mode: MemoryConfig, batch_size: int) -> dict[str, Any]:
        return run_all(each, [mode], batch_size)[0]

    fitting, rows = [], []
    for mode in modes:
        found, measured = fits(config, mode, values.batch_size, values.budget_gb * GB, one)
        fitting.append(found)
        rows += measured
    return {"budget_gb": values.budget_gb, "fits": fitting, "rows": with_ratios(rows, str(modes[0])),
            "note": "extrapolated on lines through two measured points each"}  # fmt: skip


def with_ratios(rows: list[dict[str, Any]], first: str) -> list[dict[str, Any]]:
    """Each row with its ratios to the row of mode ``first`` and the same depth and batch size."""
    base = {(row["stacks"], row["batch_size"]): row for row in rows if row["memory"] == first}
    found = []
    for row in rows:
        yardstick = base[row["stacks"], row["batch_size"]]
        found.append({**row, **{to: row[name] / yardstick[name] for name, to in RATIOS.items() if name in row}})
    return found


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Kept and peak memory over the number of U-Nets, a line for each mode."""
    from cunet_tf.figures import plot_panels

    panels: dict[str, dict[str, list[tuple[int, float]]]] = {}
    titles = {"kept_bytes": "kept for backward [MB]", "peak_over_idle": "peak over idle process [MB]"}
    for name, title in titles.items():
        for row in rows:
            if name in row:
                points = panels.setdefault(title, {}).setdefault(row["memory"], [])
                points.append((row["stacks"], row[name] / MB))
    path.parent.mkdir(parents=True, exist_ok=True)
    plot_panels(panels, "U-Nets", path)


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    rows: list[tuple] = [("U-Nets", "batch", "memory", "kept [MB]", "ratio", "peak over idle [MB]", "ratio", "step [s]",
                          "ratio", "processor [s]", "ratio")]  # fmt: skip
    for row in result["rows"]:
        cells: list[Any] = [str(row["stacks"]), row["batch_size"], row["memory"]]
        for name, ratio in RATIOS.items():
            scale, digits = (1, 2) if name.endswith("_seconds") else (MB, 1)
            known = name in row
            cells += [f"{row[name] / scale:,.{digits}f}" if known else "-", f"{row[ratio]:.3f}" if known else "-"]
        rows.append(tuple(cells))
    lines = [table(rows)]
    for found in result.get("fits", ()):
        lines.append(
            f"{found['memory']}: {result['budget_gb']:g} GB hold {found['deepest']} U-Nets at batch size "
            f"{found['batch_size']}, and batches of {found['largest_batch']} with {found['stacks']} U-Nets "
            "(on lines through two measured points)"
        )
    return "\n".join(lines)
