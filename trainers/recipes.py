"""How networks are trained: optimizer, schedule, augmentation, targets (paper, section 5)."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import keras

from cunet_tf.codec import Codec, GaussianCodec, codec_names, regression_of
from cunet_tf.data.augment import Augmentation
from cunet_tf.heatmaps import REFERENCE_SIGMA
from cunet_tf.optimizers import AveragingRMSprop, ClippingRMSprop
from cunet_tf.schedules import Later, WarmUp
from cunet_tf.spec import ModelSpec
from cunet_tf.trainers.recipe_views import FACE_CROPS, POSE_CROP, VIEWS, is_pose, recipe_name


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the network and the data.

    Attributes:
        name: ``"paper"`` or ``"mobile"``.
        epochs, batch_size: defaults of the command line.
        learning_rate: at the start.
        drops: (epoch, factor) pairs, the rate is multiplied at the start of that epoch
            (0-based); without drops it follows a cosine down to zero.
        augmentation: random views.
        crop_factor: enlargement of the tight box.
        codecs: supervision, sized for this recipe's resolution; one, or one for each pass.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    augmentation: Augmentation
    crop_factor: float
    codecs: tuple[Codec, ...]
    drops: tuple[tuple[int, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; ``sigma`` is the size of the last pass' codec, ``targets`` names all."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "codecs"}
        augmentation = asdict(self.augmentation)
        return {**values, "augmentation": augmentation, "sigma": self.codecs[-1].size,
                "targets": codec_names(self.codecs), **regression_of(self.codecs).terms,
                "foreground": self.codecs[-1].foreground}  # fmt: skip

    def schedule(self, steps_per_epoch: int, epochs: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Learning rate as a function of the optimizer's step."""
        if not self.drops:
            return keras.optimizers.schedules.CosineDecay(self.learning_rate, steps_per_epoch * epochs)
        rates = [self.learning_rate]
        for _, factor in self.drops:
            rates.append(rates[-1] * factor)
        borders = [epoch * steps_per_epoch for epoch, _ in self.drops]
        return keras.optimizers.schedules.PiecewiseConstantDecay(borders, rates)

    def optimizer(
        self, steps_per_epoch: int, epochs: int, warmup: int = 0, start: int = 0, **options: Any
    ) -> keras.optimizers.Optimizer:
        """RMSprop under this schedule; the rate rises over the first ``warmup`` steps.

        ``start`` is the counter of an optimizer that is taken over: the schedule begins there. ``options`` go to
        Keras' constructor.
        """
        schedule = self.schedule(steps_per_epoch, epochs)
        schedule = WarmUp(schedule, warmup) if warmup > 1 else schedule
        return rmsprop(Later(schedule, start) if start else schedule, **options)


def rmsprop(
    rate: float | keras.optimizers.schedules.LearningRateSchedule, **options: Any
) -> keras.optimizers.Optimizer:
    """RMSprop, rho 0.99, as the reference, with the project's own average of the weights where one is asked for.

    The reference adds epsilon 1e-8 outside the square root; Keras adds it inside, where 1e-16 has the same effect.
    Keras' defaults (rho 0.9, epsilon 1e-7) would slow most layers down 3 to 30 times: gradients here have an RMS of
    1e-5 to 1e-4. ``options`` go to Keras' constructor.
    """
    clips = ClippingRMSprop if options.get("global_clipnorm") else keras.optimizers.RMSprop
    kind = AveragingRMSprop if options.get("use_ema") else clips
    return kind(rate, rho=0.99, epsilon=1e-16, **options)


# Faces at 256 px, the paper's recipe: learning rate /5 at epoch 30, /2 at 60 and 90; it names no total, ours is 120.
# metric   300-W full, CU-Net-4: NME 3.38 in the paper; not run here
# hours    not measured; a GPU
# command  cunet train --data=300w --root=DIR --preset=face-4 --workdir=runs/face-4
FACE_PAPER = Recipe(
    name="paper", epochs=120, batch_size=24, learning_rate=2.5e-4,
    drops=((30, 0.2), (60, 0.5), (90, 0.5)),
    augmentation=VIEWS["paper"], crop_factor=FACE_CROPS["paper"], codecs=(GaussianCodec(REFERENCE_SIGMA),),
)  # fmt: skip

# Faces at 128 px, on a CPU.
# metric   helen/testset: NME 3.227 (docs/results/face_mobile.csv)
# hours    0.6 on two cores
# command  cunet train --data=300w --root=DIR --preset=face-mobile --workdir=runs/face-mobile
FACE_MOBILE = Recipe(
    name="mobile", epochs=100, batch_size=16, learning_rate=1e-3,
    augmentation=VIEWS["mobile"], crop_factor=FACE_CROPS["mobile"], codecs=(GaussianCodec(1.2),),
)  # fmt: skip

# Bodies at 256 px, the published reference's schedule: 5e-5 from epoch 101 (1-based), halved at 141 and 161.
# metric   MPII validation, CU-Net-2: PCKh@0.5 86.0 in the paper; not run here
# hours    not measured; a GPU
# command  cunet train --data=mpii --root=DIR --preset=pose-2 --workdir=runs/pose-2
POSE_PAPER = replace(FACE_PAPER, epochs=200, drops=((100, 0.2), (140, 0.5), (160, 0.5)), crop_factor=POSE_CROP)

# Bodies at 128 px, on a CPU.
# metric   LSPET 7055-8054: PCK@0.2 of 14 joints 55.6 after these and 24 more epochs from their best weights
# hours    1 on two cores; what ships was trained longer: trainers/study/reproduce/models.py
# command  cunet train --data=lspet --root=DIR --preset=pose-mobile --workdir=runs/pose-mobile
POSE_MOBILE = replace(FACE_MOBILE, epochs=28, crop_factor=POSE_CROP)

FACE = {recipe.name: recipe for recipe in (FACE_PAPER, FACE_MOBILE)}
POSE = {recipe.name: recipe for recipe in (POSE_PAPER, POSE_MOBILE)}


def recipe_for(spec: ModelSpec, name: str | None = None) -> Recipe:
    """A recipe by name, or by the network's resolution.

    Skeletons with a torso take the pose recipes, all others the face ones.

    Raises:
        CUNetError: unknown name.
    """
    return (POSE if is_pose(spec) else FACE)[recipe_name(spec, name)]
