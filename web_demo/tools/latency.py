"""How long a model takes in a browser, in int8 and in float, beside the same files run natively: one interleaved run.

    python web_demo/tools/latency.py [--rounds=15] [--runs=10] [--csv=docs/results/web_latency.csv]

Wall time of one crop in headless Chromium (WebAssembly, with one thread and with the page's own number) and of LiteRT
in Python (one thread, the machine's own instructions). Ratios are medians over the rounds of ratios to the first row's
time of the same round. Needs ``make web`` before.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import check

from cunet_tf.cli import main as cunet
from cunet_tf.engines import Engine, LiteRTEngine
from cunet_tf.files.tflite import read_model
from cunet_tf.processor import processor
from cunet_tf.rows import markdown_table, number, write_csv

NAMES = ("face-mobile", "face-tiny", "face-large", "pose-mobile")
FLOATS = {"float32": ".tflite"}
WHERE = {"native": "LiteRT, Python", "wasm": "WebAssembly, Chromium"}


def prepare(folder: Path) -> dict[str, tuple[Engine, int]]:
    """Files for the browser, with their list; name and format -> native engine and bytes."""
    listed, engines = [], {}
    for name in NAMES:
        packed = folder / f"{name}.cunet"
        shutil.copy(check.WEB / "build/models" / packed.name, packed)
        rows = {"int8": ""}
        for fmt, ending in FLOATS.items():
            rows[fmt] = f"{name}-{fmt}{ending}"
            if cunet(["export", f"--model={name}", f"--format={fmt}", f"--out={folder / rows[fmt]}"]):
                raise SystemExit(f"no {fmt} file of {name}")
        for fmt, file in rows.items():
            source = folder / (file or packed.name)
            listed.append({"name": f"{name} {fmt}", "tflite": file, "packed": packed.name})
            engines[f"{name} {fmt}"] = LiteRTEngine(read_model(source)), source.stat().st_size
    (folder / "list.json").write_text(json.dumps(listed))
    return engines


def native(engine: Engine, runs: int) -> float:
    """Milliseconds of one crop, the median."""
    side = engine.spec.input_size if engine.spec else 128
    crop = np.random.default_rng(0).random((1, side, side, 3), np.float32)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        engine(crop)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def measured(folder: Path, rounds: int, runs: int) -> dict[tuple[str, str, int], list[float]]:
    """(Model and format, where, threads) -> milliseconds of each round; and the bytes of the files."""
    engines = prepare(folder)
    words = [check.node(), "tools/latency.js", str(folder), str(runs)]
    found: dict[tuple[str, str, int], list[float]] = {}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": {**os.environ, "CHROMIUM": check.chromium()}}
    with subprocess.Popen(words, cwd=check.WEB, text=True, **pipes) as browser:
        assert browser.stdin and browser.stdout and browser.stdout.readline().strip() == "ready"
        for _ in range(rounds):
            browser.stdin.write("round\n")
            browser.stdin.flush()
            for row in json.loads(browser.stdout.readline()):
                found.setdefault((row["name"], "wasm", row["threads"]), []).append(row["ms"])
            for name, (engine, _) in engines.items():
                found.setdefault((name, "native", 1), []).append(native(engine, runs))
        browser.stdin.close()
    sizes = {name: size for name, (_, size) in engines.items()}
    (folder / "sizes.json").write_text(json.dumps(sizes))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--runs", type=int, default=10, help="in a round, of which the median counts")
    parser.add_argument("--csv")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        found = measured(Path(text), options.rounds, options.runs)
        sizes = json.loads((Path(text) / "sizes.json").read_text())
    first = found[f"{NAMES[0]} int8", "native", 1]
    rows = []
    for (name, where, threads), times in sorted(found.items(), key=lambda item: item[0][1:]):
        model, fmt = name.split()
        ratio = statistics.median(one / other for one, other in zip(times, first, strict=True))
        rows.append({"model": model, "format": fmt, "bytes": sizes[name], "where": WHERE[where], "threads": threads,
                     "ms": statistics.median(times), "ratio": ratio, "processor": processor()})  # fmt: skip
    head = ["model", "format", "bytes", "where", "threads", "ms", "ratio"]
    print(markdown_table([head, *([number(row[key]) for key in head] for row in rows)]))
    if options.csv:
        write_csv(Path(options.csv), rows, digits=4)


if __name__ == "__main__":
    main()
