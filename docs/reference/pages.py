"""Writes the pages that Sphinx builds: public names on one page, and a page for each module.

    python docs/reference/pages.py FOLDER

Verbs have `cunet help`; studies behind docs/results, and comparisons with other packages, are run and not called.
"""

import importlib
import inspect
import pkgutil
import sys
from pathlib import Path

import cunet_tf
import cunet_tf.export
import cunet_tf.trainers

LEFT_OUT = (
    "cunet_tf.commands",
    "cunet_tf.trainers.study",
    "cunet_tf.export.peers",
    "cunet_tf.export.tfmot",
    "cunet_tf.__main__",
)
# Public names by what one does with them; a test holds that none is missing.
GROUPS = {
    "Describe": ["preset", "ModelSpec", "CUNetConfig", "DenseUNetConfig", "HourglassConfig", "Skeleton"],
    "Read data": ["load_300w", "load_lsp", "load_mpii", "load_folder", "load_coco", "load_yolo", "load_synthetic",
                  "matched", "write_folder", "read_image", "check"],
    "Build": ["build_network", "build_cunet", "build_dense_unet", "build_hourglass", "pretrained", "load_keras",
              "set_memory", "summary"],
    "Train": ["train", "Recipe", "Examples", "Augmentation", "Codec", "HeatmapLoss", "DetectionLoss",
              "NormalizedMeanError", "PercentageOfCorrectKeypoints", "last_head_metrics"],
    "Quantize": ["QuantConfig", "QuantConv2D", "QuantActivation", "bake"],
    "Use": ["export_model", "Localizer", "detect", "evaluate", "benchmark", "CUNetError"],
}  # fmt: skip


def modules() -> list[str]:
    """Names of the modules that have a page."""
    packages = [cunet_tf, cunet_tf.trainers, cunet_tf.export]  # folders of their own, where the install is editable
    found = {
        each.name for package in packages for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    }
    return sorted(name for name in found if not name.startswith(LEFT_OUT))


def title(text: str, line: str = "=") -> str:
    """A heading."""
    return f"{text}\n{line * len(text)}\n"


def index() -> str:
    """The first page: public names, each with a link to where it is described, and its first sentence."""
    parts = [title("cunet-tf"), f"{inspect.getdoc(cunet_tf)}\n"]
    for group, names in GROUPS.items():
        rows = "\n".join(f"- :py:obj:`cu.{name} <{cunet_tf.home(name)}.{name}>`: {_first(name)}" for name in names)
        parts += [title(group, "-"), f"{rows}\n"]
    pages = "\n".join(f"   {name}" for name in modules())
    return "\n".join([*parts, title("All modules", "-"), f".. toctree::\n   :maxdepth: 1\n\n{pages}\n"])


def _first(name: str) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(getattr(cunet_tf, name)) or "").partition("\n\n")[0].split())


def page(name: str) -> str:
    """A module with the classes and functions that it defines."""
    module = importlib.import_module(name)
    own = [each for each, value in vars(module).items()
           if not each.startswith("_") and getattr(value, "__module__", None) == name
           and (inspect.isclass(value) or inspect.isfunction(value))]  # fmt: skip
    members = f"   :members: {', '.join(own)}\n" if own else "   :no-members:\n"
    return f"{title(name)}\n.. automodule:: {name}\n{members}"


def main(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.rst").write_text(index())
    for name in modules():
        (folder / f"{name}.rst").write_text(page(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
