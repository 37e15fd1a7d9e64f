"""dlib's 68 points and MediaPipe's face mesh beside face files of ours: error, failures, bytes, processor time.

python -m cunet_tf.export.peers_faces --root=300w --csv=docs/results/peers.csv
    [--models=face-mobile,face-tiny,face-large] [--split=helen/testset] [--calibration=lfpw/trainset@heldout]

dlib and its weights, and the files of the mediapipe package, go into environments of their own below --cache, made by
venv and pip (150 MB). Maps between kinds of boxes, and constant offsets between rules of marking, are measured on
--calibration, never on the pictures of the table. Two minutes.
"""

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from absl import flags

from cunet_tf.data.w300 import load_300w
from cunet_tf.errors import CUNetError
from cunet_tf.export.peers_faces.rows import COLUMNS, Faces, rows_of
from cunet_tf.outputs import begins_with, claim
from cunet_tf.processor import processor
from cunet_tf.rows import markdown_table, number, write_csv

DIGITS = 4


def main(argv: list[str]) -> int:
    """Measure, write and print the table; returns 0, or 2 on bad input."""
    values = flags.FlagValues()
    flags.DEFINE_string("csv", None, "File for the table.", flag_values=values)
    flags.DEFINE_string("root", None, "Folder of 300-W.", flag_values=values)
    flags.DEFINE_string("split", "helen/testset", "Faces of the table.", flag_values=values)
    flags.DEFINE_string("calibration", "lfpw/trainset@heldout", "Faces for maps and offsets.", flag_values=values)
    flags.DEFINE_list(
        "models", ["face-mobile", "face-tiny", "face-large"], "Our files, or shipped names.", flag_values=values
    )
    flags.DEFINE_string("cache", "runs/peers", "Folder of the environments.", flag_values=values)
    try:
        values(argv)
        if not values.csv or not values.root:
            raise CUNetError("give --csv=FILE, the table, and --root, the folder of 300-W.")
        claim([values.csv], "--csv", begins_with(*COLUMNS))
        known, faces = (Faces(load_300w(values.root, split)) for split in (values.calibration, values.split))
        with tempfile.TemporaryDirectory() as folder:
            found = rows_of(values.models, known, faces, Path(values.cache), Path(folder))
        head = {"pictures": values.split, "images": len(faces.images), "cpu": processor()}
        rows = [{**head, **row} for row in found]
        rows = [{"version": version("cunet-tf"), **row} if row["by"] == "cunet-tf" else row for row in rows]
        write_csv(Path(values.csv), rows, COLUMNS, DIGITS)
    except (CUNetError, flags.Error) as error:
        print(f"peers_faces: error: {error}", file=sys.stderr)
        return 2
    shown = [name for name in COLUMNS if name not in ("pictures", "images", "cpu")]
    print(markdown_table([shown, *([number(row.get(name)) for name in shown] for row in rows)]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
