"""Where a model is: a path, a run's folder, or the name of one that comes with the package."""

from pathlib import Path

from cunet_tf.errors import CUNetError, did_you_mean

WEIGHTS = Path(__file__).parents[1] / "weights"


def shipped_models() -> dict[str, Path]:
    """Models that come with the package, by name."""
    return {file.stem: file for file in sorted(WEIGHTS.glob("*.cunet"))}


def find_model(name: str) -> Path:
    """A model file by path, or one shipped with the package by name (``face-mobile``).

    Raises:
        CUNetError: neither a file nor a shipped name.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = shipped_models()
    if name in shipped:
        return shipped[name]
    if Path(name).suffix or "/" in name:
        raise CUNetError(f"--model={name}: no such file.")
    raise CUNetError(f"--model={name}: neither a file nor a shipped model. {did_you_mean(name, shipped)}")


def find_weights(name: str | Path) -> Path:
    """The ``.keras`` file of a float network: by path, in a run's folder, or shipped with the package by name.

    Raises:
        CUNetError: no such file, or one that holds integers only.
    """
    path = Path(name)
    shipped = {file.stem: file for file in sorted(WEIGHTS.glob("*.keras"))}
    if path.is_dir() and (path / "best.keras").is_file():
        return path / "best.keras"
    if path.suffix == ".keras" and path.is_file():
        return path
    if str(name) in shipped:
        return shipped[str(name)]
    if path.is_file():
        raise CUNetError(
            f"{name}: this file can be run, not trained on: start from a .keras file, a run's folder, or a shipped "
            f"name ({', '.join(shipped)})."
        )
    if path.suffix:
        raise CUNetError(f"{name}: no such model file.")
    raise CUNetError(
        f"{name}: neither a .keras file, nor a run's folder, nor a shipped network. {did_you_mean(str(name), shipped)}"
    )
