"""The part of cunet benchmark that compares model files and untrained presets."""

import sys
from pathlib import Path
from typing import Any

from absl import flags

from cunet_tf.errors import CUNetError, require_package
from cunet_tf.files.described import exported_spec
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.onnx_run import try_session
from cunet_tf.files.shipped import find_model, shipped_models
from cunet_tf.files.tflite import read_model
from cunet_tf.flags import NETWORK_OPTIONS, source_for
from cunet_tf.outputs import claim, claim_pages, page_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.progress import progress
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import table
from cunet_tf.spec import ModelSpec
from cunet_tf.writing import replace_text

CSV_NAME, MARKDOWN_NAME, PLOT_NAME = "benchmark.csv", "benchmark.md", "benchmark.png"


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
    flags.DEFINE_string("out", None, f"Folder for {CSV_NAME}, {MARKDOWN_NAME} and {PLOT_NAME}.", flag_values=values)


def run(values: flags.FlagValues, names: list[str]) -> dict[str, Any]:
    """Compare the models of these names, the yardstick first: files, shipped names or presets.

    Raises:
        CUNetError: two models of one name, one that is unknown or cannot be run, or an output that is not ours.
    """
    from cunet_tf.export.benchmark import compare

    if values.out:
        require_package("matplotlib")  # of the plot, drawn at the end
        claim_pages(values.out, [Path(CSV_NAME).stem], "--out")
        claim([Path(values.out, PLOT_NAME)], "--out")
    chosen = list(dict.fromkeys([values.yardstick, *names] if values.yardstick else names))
    skeleton = next((spec.skeleton for spec in map(_spec, names) if spec is not None), None)
    candidates = [each for name in chosen for each in candidates_of(values, name, skeleton)]
    _require_names(candidates)
    with progress("rounds") as show:
        rows = compare(candidates, values.threads, values.runs, show)
    if values.data:
        for row, candidate in zip(rows, candidates, strict=True):
            row |= _metric(values, candidate)
    if values.out:
        _write(Path(values.out), rows, values)
    return {"rows": rows, "threads": values.threads, "runs": values.runs}


def _require_names(candidates: list[Any]) -> None:
    """Refuse two models that one name would stand for in the tables.

    Raises:
        CUNetError: names them.
    """
    labels = [each.label for each in candidates]
    for label in labels:
        if labels.count(label) > 1:
            raise CUNetError(f"two models are called {label} (files by their name alone): rename one of the files.")


def _is_file(name: str) -> bool:
    """Files and shipped names go before presets of the same name."""
    return Path(name).is_file() or _preset_name(name) not in PRESETS or name in shipped_models()


def _preset_name(name: str) -> str:
    return name.partition(":")[0].partition("+")[0].partition(",")[0]


def _spec(name: str) -> ModelSpec | None:
    return exported_spec(find_model(name)) if _is_file(name) else preset(_preset_name(name))


def candidates_of(values: flags.FlagValues, name: str, skeleton: Any) -> list[Any]:
    """A file as it is; a preset, with the landmarks of the other models, in each of ``--formats``.

    ``PRESET+QUANT:FORMAT`` such as ``face-8+BW-a-QIG(818):packed`` is a quantized preset, in one format;
    ``PRESET,OPTION=VALUE`` such as ``face-mobile,norm_order=conv_first`` one with an option of its network (several,
    with commas). The options as flags (``--stacks`` ...) change all presets that have them.
    """
    from cunet_tf.export.benchmark import Candidate

    if _is_file(name):
        path = find_model(name)
        kind = {".cunet": "packed", ".gz": "gz", ".onnx": "onnx"}.get(path.suffix, "tflite")
        if path.suffix == ".keras":
            raise CUNetError(f"{name}: export it first; a .keras file is not what a phone runs.")
        data = _content(path)
        if kind == "onnx":
            try_session(path)
        return [Candidate(path.name.split(".")[0], kind, data, path.stat().st_size)]
    name, _, fmt = name.partition(":")
    base, _, quant = name.partition("+")
    base, *own = base.split(",")
    spec = preset(base)
    spec = spec.with_skeleton(skeleton) if skeleton and skeleton != spec.skeleton else spec
    changes = {option: values[option].value for option in NETWORK_OPTIONS if values[option].value is not None}
    changes = {option: value for option, value in changes.items() if option in spec.config.field_names()}
    config = spec.config.replace(**changes).replace(**dict(map(_option, own)))
    spec = spec.replace(quant=quant or spec.quant, config=config)
    name += "".join(f",{option}={value}" for option, value in changes.items())
    return [
        Candidate(name, fmt, *_converted(values, spec, name, fmt), trained=False)
        for fmt in ([fmt] if fmt else values.formats)
    ]


def _option(text: str) -> tuple[str, int | str]:
    """``stacks=4`` as a name and its value."""
    name, _, value = text.partition("=")
    return name, int(value) if value.isdecimal() else value


def _converted(values: flags.FlagValues, spec: ModelSpec, name: str, fmt: str) -> tuple[bytes, int]:
    """The bytes that run of an untrained preset, and its size on disk, from the cache where it is there."""
    from cunet_tf.export.formats import ENDINGS, FLOAT, require_format

    require_format(fmt, ENDINGS.get(fmt, ""))
    hourglass = spec.config.architecture == "hourglass"
    ending = ENDINGS["int8" if hourglass and fmt not in FLOAT else fmt]
    file = Path(values.cache) / f"{name}-{spec.skeleton.size}-{fmt}{ending}"
    if not file.is_file():
        print(f"converting {name} to {fmt} ...", file=sys.stderr)
        import_quietly("keras")
        from cunet_tf.export.untrained import export_untrained

        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(export_untrained(spec, fmt).data)
    return _content(file), file.stat().st_size


def _content(file: Path) -> bytes:
    """The model in an exported file, as a runtime takes it."""
    return read_onnx(file).data if file.suffix == ".onnx" else read_model(file)


def _metric(values: flags.FlagValues, candidate: Any) -> dict[str, Any]:
    """NME or PCK of a trained model on --data; empty for others."""
    from cunet_tf.evaluation import evaluate
    from cunet_tf.localizer import Localizer

    engine = candidate.engine()
    if not candidate.trained or engine.spec is None:
        return {"metric": None, "value": None}
    result = evaluate(Localizer(engine), source_for(values, engine.spec))
    name = "pck" if result["pck"] is not None else f"nme_{result['normalizer']}"
    return {"metric": name, "value": result[name]}


def _write(folder: Path, rows: list[dict[str, Any]], values: flags.FlagValues) -> None:
    from cunet_tf.export.benchmark_page import page, plot
    from cunet_tf.rows import write_csv

    write_csv(folder / CSV_NAME, rows)
    data = f"{values.data} {values.split}" if values.data else ""
    replace_text(folder / MARKDOWN_NAME, page_text(page(rows, data)))
    plot(rows, folder / PLOT_NAME, data)


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
