"""The part of cunet benchmark that compares model files and untrained presets."""

from typing import Any

from absl import flags

from cunet_tf.flags import NETWORK_OPTIONS, request_source
from cunet_tf.progress import progress
from cunet_tf.rows import table

# Of cunet_tf.export.benchmarking.benchmark, by the names of the flags.
OPTIONS = ("yardstick", "threads", "runs", "formats", "cache", "out")


def define(values: flags.FlagValues) -> None:
    """Define the command's flags."""
    flags.DEFINE_list("model", [], "Files and shipped names, as those behind the verb.", flag_values=values)
    flags.DEFINE_list("formats", ["float32", "int8"], "Formats of presets, which run untrained.", flag_values=values)
    flags.DEFINE_string(
        "yardstick", None, "Preset or file that the others are compared with; the first named by default.",
        flag_values=values,
    )  # fmt: skip
    flags.DEFINE_integer("threads", 1, "Threads of the interpreter.", 1, flag_values=values)
    flags.DEFINE_integer("runs", 30, "Timed pictures of each model.", 1, flag_values=values)
    flags.DEFINE_string(
        "cache", "runs/benchmark", "Folder of converted presets, which take minutes.", flag_values=values
    )
    flags.DEFINE_string("out", None, "Folder for benchmark.csv, benchmark.md and benchmark.png.", flag_values=values)


def run(values: flags.FlagValues, names: list[str]) -> dict[str, Any]:
    """Compare the models of these names, the yardstick first: files, shipped names or presets.

    Raises:
        CUNetError: see :func:`cunet_tf.export.benchmarking.benchmark`.
    """
    from cunet_tf.export.benchmarking import benchmark, landmarks_of

    skeleton = landmarks_of(names) if values.data else None
    data = request_source(values, skeleton) if skeleton is not None else None
    network = {option: values[option].value for option in NETWORK_OPTIONS if values[option].value is not None}
    options = {name: values[name].value for name in OPTIONS}
    with progress("rounds") as show:
        rows = benchmark(names, data=data, network=network, progress=show, **options)
    return {"rows": rows, "threads": values.threads, "runs": values.runs}


def describe(result: dict[str, Any]) -> str:
    """The result for the terminal."""
    from cunet_tf.export.benchmark_page import conditions, delegated

    first = result["rows"][0]
    head = ("model", "bytes", "median ms", "min ms", f"of {first['yardstick']}", "peak MiB", "delegated")
    rows: list[tuple] = [head]
    for row in result["rows"]:
        mark = "" if row["trained"] else " (untrained)"
        value = f", {row['metric']} {row['value']:.3f}" if row.get("value") is not None else ""
        rows.append((f"{row['model']} {row['format']}{mark}{value}", row["bytes"], f"{row['median_ms']:.2f}",
                     f"{row['min_ms']:.2f}", f"{row['ratio']:.3f}", f"{row['peak_mib']:.1f}",
                     delegated(row)))  # fmt: skip
    return f"{conditions(first)}\n\n{table(rows)}"
