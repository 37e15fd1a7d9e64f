"""Types and ranges of ``cunet_spec``, checked by msgspec before anything is made of it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cunet_tf.errors import CUNetError
from cunet_tf.reading import misfit

SPEC_NAME = "cunet_spec"
MOST_LANDMARKS = 4096
LONGEST = 10_000  # characters of a text
LARGEST_STEP = 1e6  # of heat maps; their peaks are about 1
Text = Annotated[str, Meta(max_length=LONGEST)]
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
Index = Annotated[int, Meta(ge=0, lt=MOST_LANDMARKS)]
Pairs = list[tuple[Index, Index]]


class SkeletonFields(msgspec.Struct):
    """See :class:`cunet_tf.skeletons.Skeleton`."""

    names: Annotated[list[Name], Meta(min_length=1, max_length=MOST_LANDMARKS)]
    name: Text = "custom"
    flip_pairs: Pairs | None = None
    edges: Pairs = []
    groups: dict[str, list[Index]] = {}
    normalizers: dict[str, tuple[list[Index], list[Index]]] = {}
    scored: list[Index] = []


class ShapeFields(msgspec.Struct):
    """See :class:`cunet_tf.confidence.ShapeModel`; its numbers are stored as integers."""

    mean: Annotated[list[tuple[int, int]], Meta(min_length=1, max_length=MOST_LANDMARKS)]
    modes: Annotated[list[list[int]], Meta(max_length=MOST_LANDMARKS)]
    spread: list[Annotated[int, Meta(gt=0)]]


class ConfidenceFields(msgspec.Struct):
    """See :class:`cunet_tf.confidence.Confidence`."""

    features: list[Text]
    shape: ShapeFields
    one: list[float]
    two: list[float]
    threshold: Annotated[float, Meta(ge=0, le=1)]
    visible: float


class DetectorFields(msgspec.Struct):
    """See :class:`cunet_tf.boxes.BoxMap`."""

    name: Name
    shift: tuple[float, float]
    scale: Annotated[float, Meta(gt=0, le=100)]


class OutputFields(msgspec.Struct):
    """See :class:`cunet_tf.spec.OutputGrid`."""

    scale: Annotated[float, Meta(gt=0, le=LARGEST_STEP)]
    zero_point: Annotated[int, Meta(ge=-128, le=127)]


class SpecFields(msgspec.Struct):
    """See :class:`cunet_tf.spec.ModelSpec`; fields of later versions are passed over."""

    name: Text
    preset: Text
    config: dict[str, Any]
    skeleton: SkeletonFields
    crop_factor: Annotated[float, Meta(gt=0, le=100)]
    sigma: Annotated[float, Meta(gt=0, le=1000)]
    quant: Text = "float"
    decoder: Literal["dark", "quarter", "argmax", "plateau"] = "dark"
    input_range: tuple[float, float] = (0.0, 1.0)
    data: Text = ""
    license: Text = ""
    confidence: ConfidenceFields | None = None
    detector: DetectorFields | None = None
    output: OutputFields | None = None
    version: Annotated[int, Meta(ge=0)] = 0


def require_valid(fields: object) -> None:
    """Check a description, as JSON gives it.

    Raises:
        CUNetError: names the field, what it is and what it should be; also for values that are valid and not honoured.
    """
    try:
        found = msgspec.convert(fields, SpecFields)
    except msgspec.ValidationError as error:
        field, what = misfit(error)
        raise CUNetError(f"{SPEC_NAME}{'.' if field else ''}{field}: {what.lower()}: export the model again.") from None
    if found.input_range != (0.0, 1.0):
        raise CUNetError(
            f"{SPEC_NAME}.input_range: {list(found.input_range)} is not honoured, pictures are given as 0 to 1: "
            "make the model so, and export it again."
        )
