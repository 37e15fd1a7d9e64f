"""From samples to batches: one function that makes an example, two iterators around it.

No framework is imported here: processes that make pictures have none.

An example is ``(image, target)``: image float32 ``[H, W, 3]`` in 0..1; target float32
``[C, 3]``, x and y in heat-map pixels and a mask that is 1 where the point counts. Heat
maps are drawn from targets inside the loss, on the device that trains.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from cunet_tf.data.augment import NO_AUGMENTATION, Augmentation, View, random_stream
from cunet_tf.data.geometry import apply, to_heatmap, warp
from cunet_tf.data.matching import require_matching
from cunet_tf.data.own_views import Vary, own_stream, varied
from cunet_tf.data.reach import reach, require_reach, say_reduced
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.sharing import Share
from cunet_tf.errors import CUNetError
from cunet_tf.spec import ModelSpec

if TYPE_CHECKING:
    from cunet_tf.data.numpy_batches import NumpyBatches
    from cunet_tf.data.worker_pool import WorkerPool

Own = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]  # image and points of a crop to others


@dataclass(frozen=True)
class Examples:
    """Examples of a source for a model: crop, augment, scale to 0..1.

    Attributes:
        source: where the samples come from.
        spec: gives input size and crop factor.
        augmentation: random views; the defaults give the plain crop.
        seed: with epoch and index the only cause of randomness.
        augment: a function of the caller's own, applied after the augmentation, see
            :data:`cunet_tf.data.own_views.Vary`.
        failures: what went wrong while ``fit`` was reading; TensorFlow wraps such errors
            beyond recognition, :func:`cunet_tf.trainers.fit.fit_plan` raises the first of these instead.
    """

    source: Source
    spec: ModelSpec
    augmentation: Augmentation = NO_AUGMENTATION
    seed: int = 0
    augment: Vary | None = None
    permutation: np.ndarray = field(init=False, repr=False)
    failures: list[CUNetError] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        need = self.spec.skeleton
        require_matching(self.source, need)
        if not len(self.source):
            raise CUNetError(f"data {self.source.name}, split {self.source.split}: no samples.")
        if self.augmentation.flip:
            need.require_pairs("mirrored pictures")
        require_reach(self.source, self.spec.crop_factor * reach(self.augmentation), "these views")
        say_reduced(self.source, self.spec.input_size * self.augmentation.scale[1] / self.spec.crop_factor)
        object.__setattr__(self, "permutation", need.flip_permutation)

    def order(self, epoch: int, shuffle: bool) -> np.ndarray:
        """Sample indices of an epoch."""
        count = len(self.source)
        return np.random.default_rng((self.seed, epoch)).permutation(count) if shuffle else np.arange(count)

    def make(self, epoch: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The example of sample ``index`` in ``epoch``: image ``[H, W, 3]``, target ``[C, 3]``."""
        sample = self.source.samples[index]
        view = self.augmentation.draw(random_stream(self.seed, epoch, index))
        try:
            return make_example(sample, view, self.spec, self.permutation, self._own(sample, epoch, index))
        except CUNetError as error:
            self.failures.append(error)
            raise

    def make_batch(self, epoch: int, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Several examples: images ``[B, H, W, 3]``, targets ``[B, C, 3]``."""
        images, targets = zip(*(self.make(epoch, int(index)) for index in indices), strict=True)
        return np.stack(images), np.stack(targets)

    def _own(self, sample: Sample, epoch: int, index: int) -> Own | None:
        """The caller's own function with what belongs to one view."""
        if self.augment is None:
            return None
        return partial(varied, self.augment, rng=own_stream(self.seed, epoch, index), picture=sample.name)

    def dataset(
        self, batch_size: int, training: bool = False, heads: int | None = None, epoch: int = 0, skip: int = 0,
        share: Share | None = None,
    ) -> Any:  # fmt: skip
        """Batches for ``model.fit`` as a ``tf.data.Dataset``.

        Args:
            batch_size: pictures in a batch.
            training: shuffle, drop the last partial batch and go on endlessly, epoch after
                epoch: give ``fit`` ``steps_per_epoch=examples.steps(batch_size)``.
            heads: the target is repeated for so many heads; S of the model when ``None``.
            epoch: first epoch, when a run is continued.
            skip: batches of that epoch that were seen already.
            share: the replicas that are fed, when several devices train on parts of each batch: one element for each
                of them in turn.

        Returns:
            Dataset of ``(images [B, H, W, 3], (target [B, C, 3],) * heads)``, of a replica's own B with ``share``.

        Raises:
            CUNetError: batches, or what is validated on, cannot be shared.
        """
        import tensorflow as tf

        heads = heads or len(self.spec.config.head_names)
        size, landmarks = self.spec.input_size, self.spec.skeleton.size
        order, sizes = self._shared(batch_size, training, share)

        def make(number: Any, index: Any) -> tuple[Any, Any]:
            image, target = tf.numpy_function(self.make, (number, index), (tf.float32, tf.float32))
            return tf.ensure_shape(image, (size, size, 3)), tf.ensure_shape(target, (landmarks, 3))

        def indices(number: Any) -> Any:
            chosen = tf.numpy_function(lambda e: order(int(e)), (number,), tf.int64)
            return tf.data.Dataset.from_tensor_slices(chosen).map(lambda index: (number, index))

        epochs = tf.data.Dataset.range(epoch, np.iinfo(np.int64).max if training else epoch + 1)
        own = sum(sizes[: share.local if share else 1])  # samples of a step
        data = epochs.flat_map(indices).skip(skip * own).map(make, num_parallel_calls=tf.data.AUTOTUNE)
        data = data.batch(sizes[0], drop_remainder=training)
        if share and not training:
            data = data.rebatch(sizes)
        data = data.map(lambda images, target: (images, (target,) * heads))
        if not training:
            data = data.apply(tf.data.experimental.assert_cardinality(len(sizes)))
        return data.prefetch(tf.data.AUTOTUNE)

    def _shared(
        self, batch_size: int, training: bool, share: Share | None
    ) -> tuple[Callable[[int], np.ndarray], list[int]]:
        """The samples of an epoch in the order of the batches of the replicas fed; the sizes of these batches.

        In training all have one size, and no batch reaches into the next epoch.
        """
        if not training and share is None:
            return lambda _: np.arange(len(self.source)), [batch_size] * self.steps(batch_size, False)
        share = share or Share()
        if not training:
            batches = share.validation(len(self.source), batch_size)
            return lambda _: np.concatenate(batches), [len(each) for each in batches]
        used, each = self.steps(batch_size) * batch_size, share.size(batch_size)
        return lambda epoch: share.training(self.order(epoch, True)[:used], batch_size), [each] * share.local

    def steps(self, batch_size: int, training: bool = True) -> int:
        """Batches in one epoch."""
        count = len(self.source)
        if not training:
            return -(-count // batch_size)
        if count < batch_size:
            raise CUNetError(f"batch_size={batch_size} exceeds the {count} training samples: lower it.")
        return count // batch_size

    def batches(
        self, batch_size: int, training: bool = False, heads: int | None = None, epoch: int = 0, multiple: int = 1,
        pool: "WorkerPool | None" = None,
    ) -> "NumpyBatches":  # fmt: skip
        """The same batches without TensorFlow, as a :class:`keras.utils.PyDataset`.

        Args:
            batch_size, training, heads, epoch: see :meth:`dataset`.
            multiple: sizes are multiples of it; a last batch gets copies of a picture none of whose landmarks count.
            pool: processes that make the pictures, in place of threads of this one.
        """
        from cunet_tf.data.numpy_batches import NumpyBatches

        heads = heads or len(self.spec.config.head_names)
        return NumpyBatches(self, batch_size, training, heads, epoch, multiple, pool)


def make_example(
    sample: Sample, view: View, spec: ModelSpec, permutation: np.ndarray, own: Own | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Cut one view of a sample: image float32 ``[H, W, 3]`` in 0..1, target float32 ``[C, 3]``.

    A landmark that falls outside the heat map is masked out. ``own`` changes the crop and its points ``[C, 2]`` in
    the crop's pixels, NaN where the mask is 0.
    """
    size = spec.input_size
    matrix = view.matrix(sample.box, spec.crop_factor, size)
    image = view.colour(warp(sample.load(), matrix, size).astype(np.float32) / 255.0)
    points, mask = apply(matrix, sample.points), sample.mask
    if view.flip:
        points, mask = points[permutation], mask[permutation]
    if own:
        image, points = own(image, np.where(mask[:, None] > 0, points, np.nan))
    points = to_heatmap(points)
    inside = np.all((points > -0.5) & (points < spec.config.heatmap_size - 0.5), axis=1)
    points = np.where(np.isfinite(points), points, 0.0)  # of masked landmarks, which may be anything
    target = np.concatenate([points, (mask * inside)[:, None]], axis=1)
    return image, target.astype(np.float32)
