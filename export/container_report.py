"""Where the bytes of packed models are, and the processor time that expanding takes.

``python -m export.container_report FILE.tflite ...`` prints a table in Markdown.
"""

import statistics
import sys
import time
import zlib
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.tflite_file import read_model
from export.container import expand, pack, size_report
from trainers.markdown import markdown_table, number

REPEATS = 15


def measure(tflite: bytes) -> dict[str, float]:
    """Bytes of a model as it is, deflated and packed, the packed ones by kind; median CPU milliseconds to expand."""
    container = pack(tflite)
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        expand(container)
        times.append((time.process_time() - start) * 1e3)
    report = {".tflite": len(tflite), "deflated (zlib 9)": len(zlib.compress(tflite, 9)), ".cunet": len(container)}
    return {**report, **size_report(container), "to expand, ms of CPU": round(statistics.median(times))}


def table(columns: dict[str, dict[str, float]]) -> str:
    """Markdown: a column for each file, a row for each number."""
    names = list(columns)
    rows = [[row, *(number(columns[name][row]) for name in names)] for row in columns[names[0]]]
    return markdown_table([["bytes", *names], *rows])


def main(files: list[str]) -> int:
    """Command line."""
    if not files:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(table({Path(file).stem: measure(read_model(file)) for file in files}))
    except CUNetError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
