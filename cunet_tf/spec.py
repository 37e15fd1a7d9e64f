"""The self-description that every model file carries, ``cunet_spec``."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from cunet_tf.boxes import BoxMap
from cunet_tf.confidence import Confidence
from cunet_tf.config import NetworkConfig
from cunet_tf.config_baselines import network_config_from_dict
from cunet_tf.errors import CUNetError
from cunet_tf.quantize.names import QuantConfig
from cunet_tf.skeletons import Skeleton
from cunet_tf.spec_schema import SPEC_NAME, require_valid

SPEC_VERSION = 1


@dataclass(frozen=True)
class OutputGrid:
    """What the integers of a file's int8 heat maps stand for: ``scale * (q - zero_point)``.

    Attributes:
        scale: distance of neighbouring heat-map values, a float32.
        zero_point: the integer of 0.0, -128 to 127.
    """

    scale: float
    zero_point: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "OutputGrid":
        """Inverse of :meth:`to_dict`."""
        return cls(float(fields["scale"]), fields["zero_point"])


# Objects that may be absent: measured on a trained model, or of an exported file alone.
PARTS: dict[str, type[Confidence] | type[BoxMap] | type[OutputGrid]] = {
    "confidence": Confidence, "detector": BoxMap, "output": OutputGrid,
}  # fmt: skip


@dataclass(frozen=True)
class ModelSpec:
    """What a program needs to know to use a model file without any other file.

    Attributes:
        name: the model's own name.
        preset: name of the preset it started from.
        config: the architecture, of a CU-Net or a baseline.
        skeleton: landmark names, flip pairs and edges.
        crop_factor: the tight box is enlarged by this factor to make the crop.
        sigma: of the Gaussian targets, or radius of the disks, in heat-map pixels.
        quant: name of the quantization, ``"float"`` when there is none.
        decoder: how heat maps become points, see :func:`cunet_tf.heatmaps.decode`.
        input_range: values of the RGB input.
        data: what it was trained on.
        license: terms of the weights.
        confidence: how far results can be trusted; ``None`` where it was not measured.
        detector: whose boxes can be used, and how; ``None`` where that was not measured.
        output: of a file whose heat maps are int8; ``None`` where they are float, and in files written before.
        version: of this description.
    """

    name: str
    preset: str
    config: NetworkConfig
    skeleton: Skeleton
    crop_factor: float
    sigma: float
    quant: str = "float"
    decoder: str = "dark"
    input_range: tuple[float, float] = (0.0, 1.0)
    data: str = ""
    license: str = ""
    confidence: Confidence | None = None
    detector: BoxMap | None = None
    output: OutputGrid | None = None
    version: int = SPEC_VERSION

    def __post_init__(self) -> None:
        if self.config.landmarks != self.skeleton.size:
            raise CUNetError(
                f"model {self.name}: landmarks={self.config.landmarks}, but skeleton "
                f"{self.skeleton.name} has {self.skeleton.size} points: make them equal."
            )

    @property
    def input_size(self) -> int:
        """Side of the square input in pixels."""
        return self.config.input_size

    @property
    def quantization(self) -> QuantConfig:
        """The quantization that ``quant`` names.

        Raises:
            CUNetError: it names none.
        """
        return QuantConfig.parse(self.quant)

    def replace(self, **changes: Any) -> "ModelSpec":
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def with_skeleton(self, skeleton: Skeleton) -> "ModelSpec":
        """The same network for other landmarks: one heat map for each of them."""
        if skeleton == self.skeleton:
            return self
        config = self.config.replace(landmarks=skeleton.size)
        return dataclasses.replace(self, config=config, skeleton=skeleton, confidence=None, detector=None, output=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; ``input_size`` is written out for readers that ignore config."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["config"] = self.config.to_dict()
        fields["skeleton"] = self.skeleton.to_dict()
        fields["input_range"] = list(self.input_range)
        for name in PARTS:
            part = fields.pop(name)
            fields |= {name: part.to_dict()} if part else {}
        return {**fields, "input_size": self.input_size}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "ModelSpec":
        """Inverse of :meth:`to_dict`.

        Raises:
            CUNetError: a field is missing, of another type or out of range, or the version is newer than this code.
        """
        version = fields.get("version") if isinstance(fields, dict) else None
        if isinstance(version, int) and version > SPEC_VERSION:
            raise CUNetError(
                f"{SPEC_NAME} has version {version}, this cunet-tf reads up to {SPEC_VERSION}: update cunet-tf."
            )
        require_valid(fields)
        try:
            known = {field.name for field in dataclasses.fields(cls)}
            values = {name: value for name, value in fields.items() if name in known}
            values["config"] = network_config_from_dict(values["config"])
            values["skeleton"] = Skeleton.from_dict(values["skeleton"])
            values["input_range"] = tuple(values.get("input_range", (0.0, 1.0)))
            values |= {name: kind.from_dict(values[name]) for name, kind in PARTS.items() if values.get(name)}
            return cls(**values)
        except CUNetError:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CUNetError(f"{SPEC_NAME} is incomplete: {error}. Export the model again.") from None

    def to_json(self) -> str:
        """One JSON object, as stored in model files."""
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "ModelSpec":
        """Inverse of :meth:`to_json`.

        Raises:
            CUNetError: the text is not a complete description.
        """
        try:
            fields = json.loads(text)
            json.dumps(fields, ensure_ascii=False).encode()  # half a character could not be printed
        except (ValueError, RecursionError) as error:
            raise CUNetError(f"{SPEC_NAME} is not JSON ({error}). Export the model again.") from None
        return cls.from_dict(fields)
