"""Landmarks of your own, from a folder of pictures and points: fine-tune a shipped network, make a file, find.

    python examples/own_landmarks.py --out=runs/five                    draws fifty pictures first
    python examples/own_landmarks.py --folder=mine --out=runs/mine      your folder, see docs/own-landmarks.md

The folder has pictures and a ``landmarks.json``; ``cu.load_coco`` and ``cu.load_yolo`` read what tools export.
"""

import argparse
from pathlib import Path

import cunet_tf as cu
from cunet_tf.skeletons import MPII16

FIVE = ["head_top", "right_wrist", "left_wrist", "right_ankle", "left_ankle"]


def main(arguments: list[str] | None = None) -> None:
    """Fine-tune ``face-mobile`` to the folder's points and export ternary kernels with 8-bit features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="yours; drawn figures without it")
    parser.add_argument("--out", type=Path, default=Path("runs/own"), help="folder of the run and its files")
    parser.add_argument("--init", default="face-mobile", help="a shipped name, a .keras file or a run to start from")
    parser.add_argument("--epochs", type=int, default=150, help="about 300 updates are enough for fifty pictures")
    given = parser.parse_args(arguments)

    folder = given.folder
    if folder is None:
        folder = given.out / "pictures"
        cu.write_folder(cu.load_synthetic(MPII16, "3:50"), folder, FIVE, name="five")
    train, test = cu.load_folder(str(folder), "train"), cu.load_folder(str(folder), "test")
    report = cu.check(cu.load_folder(str(folder)), out=given.out / "check")
    print(f"look at {given.out / 'check/contact_sheet.png'}: {report['errors']} errors, {report['warnings']} warnings")

    # The network gets the folder's landmarks; the last layers are new, all others start from trained weights.
    spec = cu.preset("face-mobile").replace(quant="TW-QIG(828)")
    cu.train(spec, train, given.out / "run", init=given.init, epochs=given.epochs, resume=True)

    best, file = given.out / "run/best.keras", given.out / "own.cunet"
    made = cu.export_model(best, file, format="packed", data=test, calibration_data=train, name="own")
    print(f"{file}: {made['bytes']:,} bytes, {made['parity']['exact']['differences']} integers differ")
    print(f"{cu.evaluate(file, test)['nme_box']:.2f} % of the box is the mean error")


if __name__ == "__main__":
    main()
