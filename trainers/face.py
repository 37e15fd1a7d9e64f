"""Face recipes (paper, section 4.1)."""

from cunet_tf.data.augment import Augmentation
from cunet_tf.heatmaps import REFERENCE_SIGMA
from trainers.recipe import Recipe

# Learning rate /5 at epoch 30, /2 at 60 and 90. The paper names no total: ours is 120.
PAPER = Recipe(
    name="paper", epochs=120, batch_size=24, learning_rate=2.5e-4,
    drops=((30, 0.2), (60, 0.5), (90, 0.5)),
    augmentation=Augmentation(scale=(0.75, 1.25), rotation=30.0, flip=0.5, gain=(0.6, 1.4)),
    crop_factor=1.1, sigma=REFERENCE_SIGMA,
)  # fmt: skip

MOBILE = Recipe(
    name="mobile", epochs=100, batch_size=16, learning_rate=1e-3,
    augmentation=Augmentation(
        scale=(0.8, 1.25), rotation=20.0, rotation_normal=True, shift=0.05, flip=0.5, gain=(0.6, 1.4)
    ),
    crop_factor=1.15, sigma=1.2,
)  # fmt: skip

RECIPES = {recipe.name: recipe for recipe in (PAPER, MOBILE)}
