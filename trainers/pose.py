"""Pose recipes (paper, section 4.1; schedule of the published reference)."""

import dataclasses

from trainers import face

# 2.5e-4, then 5e-5 from epoch 101 (1-based), halved at 141 and 161.
PAPER = dataclasses.replace(
    face.PAPER, epochs=200, drops=((100, 0.2), (140, 0.5), (160, 0.5)), crop_factor=1.25
)  # fmt: skip

# 28 epochs of LSPET fit into an hour on two cores.
MOBILE = dataclasses.replace(
    face.MOBILE, epochs=28, crop_factor=1.25
)  # fmt: skip

RECIPES = {recipe.name: recipe for recipe in (PAPER, MOBILE)}
