"""Which recipe a network is trained with."""

from cunet_tf.errors import CUNetError, did_you_mean
from cunet_tf.spec import ModelSpec
from trainers import face, pose
from trainers.recipe import Recipe

MOBILE_SIZE = 128  # inputs up to this many pixels take the mobile recipe by default


def recipe_for(spec: ModelSpec, name: str | None = None) -> Recipe:
    """A recipe by name, or by the network's resolution.

    Skeletons with a torso take the pose recipes, all others the face ones.

    Raises:
        CUNetError: unknown name.
    """
    recipes = pose.RECIPES if "torso" in spec.skeleton.normalizers else face.RECIPES
    name = name or ("mobile" if spec.input_size <= MOBILE_SIZE else "paper")
    if name not in recipes:
        raise CUNetError(f"--recipe={name}: {did_you_mean(name, recipes)}")
    return recipes[name]
