"""Packages for low-bit work beside this one: training, conversion, bytes, error and time of the same networks.

python -m cunet_tf.export.peers --csv=docs/results/low_bit_peers.csv [--only=hgq2,larq]
    [--model=face-mobile-float.keras --root=300w [--split=helen/testset]]

Each package gets an environment of its own below --cache, made by venv and pip (up to 2 GB each, minutes). With
--model and --root a float face network is compared too, in our formats and in ai-edge-quantizer's. Rows of packages
that --only leaves out stay in the table.
"""

import sys
import tempfile
from pathlib import Path

from absl import flags

from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.export.peers.environments import PEERS, Peer, prepare
from cunet_tf.export.peers.faces import face_rows
from cunet_tf.export.peers.small import EDGE, NETWORK, network_rows, shortened
from cunet_tf.export.peers.table import COLUMNS, merge, tables
from cunet_tf.outputs import begins_with, claim
from cunet_tf.processor import processor
from cunet_tf.rows import Row


def main(argv: list[str]) -> int:
    """Measure, write the table after each package, print it; returns 0, or 2 for a bad flag."""
    values = flags.FlagValues()
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)
    flags.DEFINE_list("only", [*PEERS], f"Packages: {', '.join(PEERS)}.", flag_values=values)
    flags.DEFINE_string("cache", "runs/peers", "Folder of the environments.", flag_values=values)
    flags.DEFINE_string("model", None, "A float face network, .keras.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of 300-W.", flag_values=values)
    flags.DEFINE_string("split", "helen/testset", "Part of 300-W to evaluate on.", flag_values=values)
    try:
        values(argv)
        _require(values)
        for name in values.only:
            with tempfile.TemporaryDirectory() as folder:
                rows = [{**row, "cpu": processor()} for row in _rows(PEERS[name], values, Path(folder))]
            written = merge(Path(values.csv), rows)
    except (CUNetError, flags.Error) as error:
        print(f"peers: error: {error}", file=sys.stderr)
        return 2
    print(tables(written, NETWORK))
    return 0


def _require(values: flags.FlagValues) -> None:
    """Look at the flags before any work."""
    unknown = [name for name in values.only if name not in PEERS]
    if unknown:
        raise CUNetError(f"--only={unknown[0]}: {did_you_mean(unknown[0], PEERS)}")
    if not values.csv or not values.only:
        raise CUNetError("give --csv=FILE, the table, and packages in --only, or leave that out for all.")
    if bool(values.model) != bool(values.root):
        raise CUNetError("--model and --root go together: a float face network, and the folder of 300-W.")
    claim([values.csv], "--csv", begins_with(*COLUMNS))
    if EDGE in values.only and not values.model:
        print("notice: without --model and --root no face network is compared.", file=sys.stderr)


def _rows(peer: Peer, values: flags.FlagValues, folder: Path) -> list[Row]:
    """What one package did; where it cannot be installed, a row that says so."""
    print(f"{peer.name} ...", file=sys.stderr)
    try:
        python = prepare(peer, Path(values.cache))
    except CUNetError as error:
        return [{"network": NETWORK, "package": peer.name, "outcome": shortened(error, Path(values.cache))}]
    rows = network_rows(peer, python, folder / "small")
    if peer.name == EDGE and values.model:
        (folder / "faces").mkdir()
        rows += face_rows(values.model, values.root, values.split, python, peer, folder / "faces")
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv))
