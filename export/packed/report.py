"""Where the bytes of packed models are, and the processor time that expanding takes.

``python -m cunet_tf.export.packed.report FILE.tflite ...`` prints a table in Markdown.
"""

import statistics
import sys
import time
import zlib
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.export.packed.writer import pack
from cunet_tf.files.packed.expand import expand
from cunet_tf.files.packed.layout import COPY, CRC_BYTES, header_bytes
from cunet_tf.files.packed.reader import read_header
from cunet_tf.files.tflite import read_model
from cunet_tf.rows import markdown_table, number
from cunet_tf.spec import SPEC_NAME

REPEATS = 15
KINDS = {
    SPEC_NAME: ("spec",),
    "program": ("program", "groups", "links"),
    "skeleton": COPY,
    "scales": ("scale_low", "scale_high"),
    "biases": ("bias_low", "bias_high"),
    "binary kernels": ("bits",),
    "ternary kernels": ("trits",),
    "int8 kernels": ("raw",),
    "k-bit kernels": ("levels",),
}


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


def size_report(container: bytes) -> dict[str, int]:
    """Bytes of a container by kind, as stored; together all of the file.

    ``skeleton`` is whatever no rule gives: the flatbuffer's tables, and the weights of a float model.

    Raises:
        CUNetError: not a container, a newer version, or damaged.
    """
    header = read_header(container)
    stored = {name: stored for name, (_, stored, _) in header.sections.items()}
    report = {"header": header_bytes(header.version)}
    report |= {kind: sum(stored.get(name, 0) for name in names) for kind, names in KINDS.items()}
    return {**report, "checksum": CRC_BYTES}


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
