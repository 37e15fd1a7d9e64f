import io

import h5py
import numpy as np
import pytest

from cunet_tf.errors import CUNetError
from cunet_tf.models.stored_weights import check_weights


def stored(fill) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        fill(file)
    return stream.getvalue()


def _virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    file.create_virtual_dataset("x", layout)


def test_arrays_are_counted():
    def fill(file):
        file["a/b/x"], file["a/y"] = np.ones((3, 4), np.float32), np.int32(7)
        file.create_dataset("z", data=np.zeros((100, 100), np.float16), compression="gzip", shuffle=True)

    assert check_weights(stored(fill)) == (3, 10_013)


BAD = {
    "a link to another file": (lambda file: file.__setitem__("x", h5py.ExternalLink("other.h5", "/")), "another place"),
    "a link": (lambda file: file.__setitem__("x", h5py.SoftLink("/")), "another place"),
    "bytes of another file": (lambda file: file.create_dataset("x", (9,), "u1", external=[("/etc/passwd", 0, 9)]),
                              "no array of this file"),
    "an array of other files": (_virtual, "no array of this file"),
    "nothing": (lambda file: file.__setitem__("x", h5py.Empty("f4")), "no array of this file"),
    "text": (lambda file: file.__setitem__("x", "text"), "no plain numbers"),
    "complex numbers": (lambda file: file.__setitem__("x", np.complex64(1)), "no plain numbers"),
    "a terabyte": (lambda file: file.create_dataset("x", (2**38,), "f4", chunks=(2**20,)), "has 0 bytes"),
    "a packed terabyte": (lambda file: file.create_dataset("x", (2**38,), "f4", compression="gzip"), "has 0 bytes"),
    "a circle": (lambda file: file.__setitem__("x", file["/"]), "levels deep"),
    "another packing": (lambda file: file.create_dataset("x", data=np.zeros(9), compression="lzf"), "does not use"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused(case):
    fill, words = BAD[case]
    with pytest.raises(CUNetError, match=f"model.weights.h5: .*{words}"):
        check_weights(stored(fill))


@pytest.mark.parametrize("data", [b"", b"text", stored(lambda file: None)[:100]])
def test_no_hdf5(data):
    with pytest.raises(CUNetError, match="model.weights.h5 is damaged"):
        check_weights(data)
