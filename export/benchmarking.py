"""``cu.benchmark``: models side by side, as ``cunet benchmark`` compares them, with the same options."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cunet_tf.data.matching import matched
from cunet_tf.data.sample import Source
from cunet_tf.errors import CUNetError, did_you_mean, require_package
from cunet_tf.evaluation import evaluate
from cunet_tf.export.benchmark import Candidate, compare
from cunet_tf.export.benchmark_page import page, plot
from cunet_tf.files.described import exported_spec
from cunet_tf.files.formats import ENDINGS, FLOAT
from cunet_tf.files.onnx import read_onnx
from cunet_tf.files.onnx_run import try_session
from cunet_tf.files.shipped import find_model, shipped_models
from cunet_tf.files.tflite import read_model
from cunet_tf.localizer import Localizer
from cunet_tf.outputs import claim, claim_pages, page_text
from cunet_tf.presets import PRESETS, preset
from cunet_tf.quiet import import_quietly
from cunet_tf.rows import Row, write_csv
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec import ModelSpec
from cunet_tf.writing import replace_text

CSV_NAME, MARKDOWN_NAME, PLOT_NAME = "benchmark.csv", "benchmark.md", "benchmark.png"
KINDS = {".cunet": "packed", ".gz": "gz", ".onnx": "onnx"}


def benchmark(
    models: Sequence[str | Path],
    *,
    data: Source | None = None,
    yardstick: str | None = None,
    threads: int = 1,
    runs: int = 30,
    formats: Sequence[str] = ("float32", "int8"),
    network: Mapping[str, int | str] | None = None,
    cache: str | Path = "runs/benchmark",
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Bytes, latency, memory, delegation and metric of models, all run in turn.

    Args:
        models: files (``.tflite``, ``.cunet``, ``.tflite.gz``, ``.onnx``), shipped names, or presets, which run
            untrained: ``PRESET``, ``PRESET+QUANT:FORMAT`` such as ``face-8+BW-a-QIG(818):packed``,
            ``PRESET,OPTION=VALUE`` such as ``face-mobile,norm_order=conv_first``.
        data: annotated samples for the metric of trained models.
        yardstick: the model that others are compared with; the first by default.
        threads: of the interpreter; with one, times are the processor's.
        runs: timed pictures of each model.
        formats: of presets that name none.
        network: options of all presets that have them, such as ``{"stacks": 4}``.
        cache: folder of converted presets, which take minutes.
        out: folder for ``benchmark.csv``, ``.md`` and ``.png``.
        progress: called with the rounds done and in all.

    Returns:
        A row for each model, see :func:`cunet_tf.export.benchmark.compare`, with ``metric`` and ``value`` where there
        is data.

    Raises:
        CUNetError: two models of one name, one that is unknown or cannot be run, or files in ``out`` that are not ours.
    """
    if out:
        require_package("matplotlib")  # of the plot, drawn at the end
        claim_pages(str(out), [Path(CSV_NAME).stem], "--out")
        claim([Path(out, PLOT_NAME)], "--out")
    names = [str(model) for model in models]
    chosen = list(dict.fromkeys([yardstick, *names] if yardstick else names))
    skeleton = landmarks_of(names)
    untrained = Untrained(tuple(formats), dict(network or {}), Path(cache))
    candidates = [each for name in chosen for each in candidates_of(name, skeleton, untrained)]
    _require_names(candidates)
    rows = compare(candidates, threads, runs, progress)
    if data is not None:
        rows = [row | _metric(candidate, data) for row, candidate in zip(rows, candidates, strict=True)]
    if out:
        _write(Path(out), rows, data)
    return rows


@dataclass(frozen=True)
class Untrained:
    """How presets are built, and where their files are kept; fields as of :func:`benchmark`."""

    formats: tuple[str, ...] = ("float32", "int8")
    network: dict[str, int | str] = field(default_factory=dict)
    cache: Path = Path("runs/benchmark")


def _require_names(candidates: list[Candidate]) -> None:
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


def landmarks_of(names: Sequence[str]) -> Skeleton | None:
    """Those of the first model that has a description.

    Raises:
        CUNetError: no such model.
    """
    return next((spec.skeleton for spec in map(_spec, names) if spec is not None), None)


def _spec(name: str) -> ModelSpec | None:
    return exported_spec(find_model(name)) if _is_file(name) else preset(_preset_name(name))


def candidates_of(name: str, skeleton: Skeleton | None, untrained: Untrained) -> list[Candidate]:
    """A file as it is; a preset, with the landmarks of the other models, in each of the formats.

    Raises:
        CUNetError: no such model, or one that a phone does not run.
    """
    if _is_file(name):
        path = find_model(name)
        if path.suffix == ".keras":
            raise CUNetError(f"{name}: export it first; a .keras file is not what a phone runs.")
        data = _content(path)
        if path.suffix == ".onnx":
            try_session(path)
        return [Candidate(path.name.split(".")[0], KINDS.get(path.suffix, "tflite"), data, path.stat().st_size)]
    name, _, fmt = name.partition(":")
    base, _, quant = name.partition("+")
    base, *own = base.split(",")
    spec = preset(base)
    spec = spec.with_skeleton(skeleton) if skeleton and skeleton != spec.skeleton else spec
    changes = {option: value for option, value in untrained.network.items() if option in spec.config.field_names()}
    config = spec.config.replace(**changes).replace(**dict(map(_option, own)))
    spec = spec.replace(quant=quant or spec.quant, config=config)
    name += "".join(f",{option}={value}" for option, value in changes.items())
    return [
        Candidate(name, fmt, *_converted(spec, name, fmt, untrained.cache), trained=False)
        for fmt in ([fmt] if fmt else untrained.formats)
    ]


def _option(text: str) -> tuple[str, int | str]:
    """``stacks=4`` as a name and its value."""
    name, _, value = text.partition("=")
    return name, int(value) if value.isdecimal() else value


def _converted(spec: ModelSpec, name: str, fmt: str, cache: Path) -> tuple[bytes, int]:
    """The bytes that run of an untrained preset, and its size on disk, from the cache where it is there."""
    if fmt not in ENDINGS:
        raise CUNetError(f"--format={fmt}: use one of {', '.join(ENDINGS)}. {did_you_mean(fmt, ENDINGS)}")
    hourglass = spec.config.architecture == "hourglass"
    ending = ENDINGS["int8" if hourglass and fmt not in FLOAT else fmt]
    file = cache / f"{name}-{spec.skeleton.size}-{fmt}{ending}"
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


def _metric(candidate: Candidate, data: Source) -> Row:
    """NME or PCK of a trained model; empty for others."""
    engine = candidate.engine()
    if not candidate.trained or engine.spec is None:
        return {"metric": None, "value": None}
    result = evaluate(Localizer(engine), matched(data, engine.spec.skeleton))
    name = "pck" if result["pck"] is not None else f"nme_{result['normalizer']}"
    return {"metric": name, "value": result[name]}


def _write(folder: Path, rows: list[Row], data: Source | None) -> None:
    write_csv(folder / CSV_NAME, rows)
    words = f"{data.name} {data.split}" if data is not None else ""
    replace_text(folder / MARKDOWN_NAME, page_text(page(rows, words)))
    plot(rows, folder / PLOT_NAME, words)
