"""Trained weights as a beginning: the shipped float networks, a run's best, or any file."""

import io
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np

from cunet_tf.files.keras_archive import WEIGHTS
from cunet_tf.files.shipped import find_weights
from cunet_tf.models.saved import load_keras, transfer_weights
from cunet_tf.writing import replace_file

SMALL = 64  # values; fewer are not worth compressing


def pretrained(name: str | Path) -> keras.Model:
    """A trained Keras network, ready to be called, exported or trained on.

    Args:
        name: a shipped name (``face-mobile``), a ``.keras`` file, or the folder of a run.

    Raises:
        CUNetError: there is no such network, or its file holds integers only.

    Example:
        >>> model = pretrained("face-mobile")  # doctest: +SKIP
    """
    return load_keras(find_weights(name))


def start_from(model: keras.Model, name: str | Path, source: keras.Model | None = None) -> str:
    """Give a network the weights of another one; what does not fit keeps its values.

    Args:
        model: of the same kind; other numbers of landmarks, U-Nets or supervisions are allowed.
        name: see :func:`pretrained`.
        source: the network of that name, where it is loaded already.

    Returns:
        A sentence that names the layers that are new.

    Raises:
        CUNetError: nothing fits.
    """
    kept = transfer_weights(pretrained(name) if source is None else source, model)
    layers = list(dict.fromkeys(path.rsplit("/", 1)[0] for path in kept))
    new = ", ".join(layers[:6]) + (f" and {len(layers) - 6} more" if len(layers) > 6 else "")
    return f"started from {name}; " + (f"new: {new}" if layers else "all weights were taken")


def save_half(model: keras.Model, file: Path) -> None:
    """Save a model with its kernels in float16, compressed; loading makes float32 of them again.

    Batch normalisations stay in float32: small variances would vanish. The optimizer is left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.keras")
        model.save(whole)
        with zipfile.ZipFile(whole) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    parts[WEIGHTS] = _halved(parts[WEIGHTS])

    def write(target: Path) -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    replace_file(file, write)


def _halved(data: bytes) -> bytes:
    stream = io.BytesIO()
    with h5py.File(io.BytesIO(data)) as source, h5py.File(stream, "w") as target:
        target.attrs.update(source.attrs)

        def copy(name: str, entry: h5py.Group | h5py.Dataset) -> None:
            if name.split("/")[0] == "optimizer":
                return
            if isinstance(entry, h5py.Dataset):
                values = entry[()]
                kernel = np.ndim(values) == 4
                packed = {"compression": "gzip", "shuffle": True} if np.size(values) > SMALL else {}
                made = target.create_dataset(name, data=values.astype(np.float16) if kernel else values, **packed)
            else:
                made = target.require_group(name)
            made.attrs.update(entry.attrs)

        source.visititems(copy)
    return stream.getvalue()
