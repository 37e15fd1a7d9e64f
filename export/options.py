"""What ``cu.export_model`` and ``cunet export`` can be asked for."""

from dataclasses import dataclass
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.export.deploy import DEPTHWISE
from cunet_tf.export.formats import Exported, require_format
from cunet_tf.export.onnx_file import require_packages
from cunet_tf.files.described import is_exported
from cunet_tf.files.formats import FLOAT
from cunet_tf.outputs import begins_with, claim
from cunet_tf.rows import write_csv
from cunet_tf.writing import replace_file


@dataclass(frozen=True)
class ExportOptions:
    """Where the file goes, and how it is made; see :func:`cunet_tf.export.exporting.export_model` for the fields.

    Raises:
        CUNetError: an unknown format or ending, options that the format does not have, or files in the way that are
            not ours.
        MissingPackage: what the format needs is not installed.
    """

    out: str
    format: str = "float16"
    name: str | None = None
    license: str | None = None
    parity_pictures: int = 32
    calibration_pictures: int = 64
    norms: str | None = None
    quant: str | None = None
    norm_pictures: int = 480
    calibration: str | None = None
    inputs: str | None = None

    def __post_init__(self) -> None:
        require_format(self.format, self.out)
        if self.format == "onnx":
            require_packages()
        claim([self.out], "--out", is_exported)
        if self.norms and self.floats:
            raise CUNetError("--norms: a float format has its normalisations as they are: choose an integer format.")
        if self.calibration:
            if self.floats:
                raise CUNetError("--calibration: a float format has no grids: choose an integer format.")
            claim([self.calibration], "--calibration", begins_with("tensor", "scale"))

    @property
    def floats(self) -> bool:
        """Whether the format's arithmetic is float."""
        return self.format in FLOAT

    @property
    def of_floats(self) -> bool:
        """Whether it is made of a float network rather than of an integer file, where a name stands for both."""
        return self.floats or bool(self.quant)

    @property
    def needs_grids(self) -> bool:
        """Whether pictures choose what training left open."""
        return not self.floats or bool(self.quant)

    @property
    def how_norms(self) -> str:
        """The way of normalisations; by default each is a depthwise convolution."""
        return self.norms or DEPTHWISE

    def write(self, exported: Exported, ok: bool) -> None:
        """The file where it is within tolerance, and its grids where they are asked for."""
        if ok:
            replace_file(Path(self.out), lambda target: target.write_bytes(exported.data))
        if self.calibration:
            write_csv(Path(self.calibration), exported.calibration, digits=6)
