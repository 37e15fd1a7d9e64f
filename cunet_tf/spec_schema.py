"""Types and ranges of ``cunet_spec``, checked by msgspec before anything is made of it."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cunet_tf.errors import CUNetError

SPEC_NAME = "cunet_spec"
MOST_LANDMARKS = 4096
LONGEST = 10_000  # characters of a text
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
    confidence: dict[str, Any] | None = None
    detector: dict[str, Any] | None = None
    version: Annotated[int, Meta(ge=0)] = 0


def require_valid(fields: Any) -> None:
    """Check a description, as JSON gives it.

    Raises:
        CUNetError: names the field, what it is and what it should be; also for values that are valid and not honoured.
    """
    try:
        found = msgspec.convert(fields, SpecFields)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$.").removeprefix("$")
        raise CUNetError(f"{SPEC_NAME}{'.' if field else ''}{field}: {what.lower()}: export the model again.") from None
    if found.input_range != (0.0, 1.0):
        raise CUNetError(
            f"{SPEC_NAME}.input_range: {list(found.input_range)} is not honoured, pictures are given as 0 to 1: "
            "make the model so, and export it again."
        )
