"""The HDF5 part of a ``.keras`` file, looked at before anything is read of it.

HDF5 can say that a terabyte lies in a few bytes, or in another file of the computer. Here every entry is a plain
array of numbers within the file, and as large as its bytes allow.
"""

import io
import math

import h5py

from cunet_tf.errors import CUNetError, reason
from cunet_tf.files.keras_archive import WEIGHTS

MOST_ENTRIES = 200_000  # arrays and groups; the shipped networks have about 700
DEEPEST = 32
LARGEST = 1 << 32  # bytes of all arrays
SMALL = 1 << 16  # bytes that an array may always have
EXPANSION = 1100  # unpacked by packed bytes: deflate reaches 1032
PACKINGS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}


def check_weights(data: bytes) -> tuple[int, int]:
    """How many arrays an HDF5 file holds, and how many values in all.

    Raises:
        CUNetError: damaged, or something else than plain arrays.
    """
    try:
        with h5py.File(io.BytesIO(data)) as file:
            return _count(file, len(data))
    except CUNetError:
        raise
    except Exception as error:  # h5py raises whatever a damaged header leads to
        raise CUNetError(f"{WEIGHTS} is damaged ({reason(error)}): save the model again.") from None


def _count(file: h5py.File, stored: int) -> tuple[int, int]:
    """Walk through all groups with a list of what is left, since damaged groups can contain themselves."""
    groups, entries, arrays, values, size = [(file, 0)], 0, 0, 0, 0
    while groups:
        group, depth = groups.pop()
        for name in group:
            entries += 1
            if entries > MOST_ENTRIES or depth > DEEPEST:
                raise _refused(f"more than {MOST_ENTRIES:,} entries, or nested more than {DEEPEST} levels deep")
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise _refused(f"{name[:100]!r} leads to another place")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                groups.append((entry, depth + 1))
                continue
            size += _check_array(name, entry, stored)
            arrays += 1
            values += math.prod(entry.shape)
            if size > LARGEST:
                raise _refused(f"its arrays have more than {LARGEST:,} bytes")
    return arrays, values


def _check_array(name: str, entry: h5py.Dataset, stored: int) -> int:
    """Bytes of an array of numbers."""
    if not isinstance(entry, h5py.Dataset) or entry.shape is None or entry.external or entry.is_virtual:
        raise _refused(f"{name[:100]!r} is no array of this file")
    if entry.dtype.kind not in "fiub" or entry.dtype.itemsize > 8:
        raise _refused(f"{name[:100]!r} holds {entry.dtype}, no plain numbers")
    size, packed = math.prod(entry.shape) * entry.dtype.itemsize, entry.id.get_storage_size()
    made = entry.id.get_create_plist()
    packings = {made.get_filter(index)[0] for index in range(made.get_nfilters())}
    chunk = math.prod(entry.chunks or (0,)) * entry.dtype.itemsize
    if packed > stored or max(size, chunk) > max(SMALL, packed * (EXPANSION if packings else 1)):
        raise _refused(f"{name[:100]!r} of the shape {entry.shape} has {packed:,} bytes")
    if entry.chunks and len(entry.chunks) != len(entry.shape):  # ends h5py's process
        raise _refused(f"{name[:100]!r} of the shape {entry.shape} lies in pieces of {entry.chunks}")
    if not packings <= PACKINGS:
        raise _refused(f"{name[:100]!r} is packed in a way that Keras does not use")
    return size


def _refused(what: str) -> CUNetError:
    return CUNetError(f"{WEIGHTS}: {what}: save the model again.")
