"""How the recipes vary and crop pictures; apart from them, since nothing here needs Keras."""

from cunet_tf.data.augment import Augmentation
from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.spec import ModelSpec

MOBILE_SIZE = 128  # inputs up to this many pixels take the mobile recipe by default
VIEWS = {
    "paper": Augmentation(scale=(0.75, 1.25), rotation=30.0, flip=0.5, gain=(0.6, 1.4)),
    "mobile": Augmentation(
        scale=(0.8, 1.25), rotation=20.0, rotation_normal=True, shift=0.05, flip=0.5, gain=(0.6, 1.4)
    ),
}
FACE_CROPS = {"paper": 1.1, "mobile": 1.15}  # enlargement of the box
POSE_CROP = 1.25


def is_pose(spec: ModelSpec) -> bool:
    """Whether a network's landmarks, which have a torso, take the pose recipes."""
    return "torso" in spec.skeleton.normalizers


def recipe_name(spec: ModelSpec, name: str | None = None) -> str:
    """The recipe's name, by default by the network's resolution.

    Raises:
        CUNetError: unknown name.
    """
    name = name or ("mobile" if spec.input_size <= MOBILE_SIZE else "paper")
    if name not in VIEWS:
        raise CUNetError(f"--recipe={name}: {did_you_mean(name, VIEWS)}")
    return name


def crop_factor(spec: ModelSpec, name: str) -> float:
    """Enlargement of the box in a recipe."""
    return POSE_CROP if is_pose(spec) else FACE_CROPS[name]
