"""Faces from data to a file for the phone: look, train, evaluate, export, find.

    python examples/train_faces.py --root=300w --out=runs/faces         300-W
    python examples/train_faces.py --out=runs/drawn --epochs=7          drawn faces, no data needed

Each step is what a verb of the command line does (cunet check, train, evaluate, export), with objects for names.
"""

import argparse
from pathlib import Path

import cunet_tf as cu


def main(arguments: list[str] | None = None) -> None:
    """Train ``face-mobile`` and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", help="folder of 300-W; drawn faces without it")
    parser.add_argument("--out", type=Path, default=Path("runs/faces"), help="folder of the run and its files")
    parser.add_argument("--epochs", type=int, help="the recipe's by default")
    parser.add_argument("--images", type=int, help="use so many pictures; all by default")
    given = parser.parse_args(arguments)

    spec = cu.preset("face-mobile")
    if given.root:
        faces, test = cu.load_300w(given.root, "train"), cu.load_300w(given.root, "helen/testset")
    else:
        faces, test = cu.load_synthetic(spec.skeleton, "0:1600"), cu.load_synthetic(spec.skeleton, "1:200")
    report = cu.check(faces, quick=True)  # without quick=True every picture is decoded and compared
    print(f"{report['samples']} samples, {report['errors']} errors, {report['warnings']} warnings")

    cu.train(spec, faces, given.out / "run", epochs=given.epochs, images=given.images, foreground=20, resume=True)

    best, file = given.out / "run/best.keras", given.out / "face.cunet"
    made = cu.export_model(best, file, format="packed", data=test, calibration_data=faces, quant="W4")
    worse = made["parity"]["metric"]["difference"]
    print(f"{file}: {made['bytes']:,} bytes, NME {worse:+.3f} % beside the network")
    for model in (best, file):
        figures = cu.evaluate(model, test)
        print(f"{model.name}: NME {figures['nme_interocular']:.3f} % of the distance of the outer eye corners")

    sample = test.samples[0]
    found = cu.Localizer.load(str(file)).locate(sample.load(), sample.box)  # needs no TensorFlow
    print(f"first of {found.points.shape[0]} points: {found.points[0].round(1)}, labelled {sample.points[0].round(1)}")


if __name__ == "__main__":
    main()
