"""Pose recipes (paper, section 4.1; schedule of the published reference)."""

from cunet_tf.data.augment import Augmentation
from cunet_tf.heatmaps import REFERENCE_SIGMA
from trainers.recipe import Recipe

PAPER = Recipe(
    name="paper", epochs=200, batch_size=24, learning_rate=2.5e-4,
    drops=((100, 0.2), (140, 0.5), (160, 0.5)),
    augmentation=Augmentation(scale=(0.75, 1.25), rotation=30.0, flip=0.5, gain=(0.6, 1.4)),
    crop_factor=1.25, sigma=REFERENCE_SIGMA,
)  # fmt: skip

MOBILE = Recipe(
    name="mobile", epochs=28, batch_size=16, learning_rate=1e-3,
    augmentation=Augmentation(
        scale=(0.8, 1.25), rotation=30.0, rotation_normal=True, shift=0.05, flip=0.5, gain=(0.6, 1.4)
    ),
    crop_factor=1.25, sigma=1.2,
)  # fmt: skip

RECIPES = {recipe.name: recipe for recipe in (PAPER, MOBILE)}
