"""How fast pictures become batches, and how fast a network consumes them."""

import time
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from cunet_tf.aliases import Tensor
from cunet_tf.data.augment import random_stream
from cunet_tf.data.geometry import invert
from cunet_tf.data.pipeline import Examples, make_example


def pipeline_speed(examples: Examples, batch_size: int, seconds: float) -> float:
    """Pictures per second of the training data set alone, after a warm-up of a few batches."""
    return _speed(iter(examples.dataset(batch_size, training=True)), batch_size, seconds)


def tensorflow_ops_speed(examples: Examples, batch_size: int, seconds: float) -> float:
    """The same examples read and warped by TensorFlow's own ops instead of OpenCV.

    Only for files in JPEG; the augmentation is drawn by the same Python code.
    """
    import tensorflow as tf

    size = examples.spec.input_size

    def parameters(index: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        sample = examples.source.samples[int(index)]
        view = examples.augmentation.draw(random_stream(examples.seed, 0, int(index)))
        matrix = view.matrix(sample.box, examples.spec.crop_factor, size)
        row = np.concatenate([invert(matrix).ravel(), [0.0, 0.0]]).astype(np.float32)
        return str(sample.picture).encode(), row, np.asarray(view.gain, np.float32)

    def read(index: Tensor) -> Tensor:
        file, row, gain = tf.numpy_function(parameters, (index,), (tf.string, tf.float32, tf.float32))
        image = tf.cast(tf.io.decode_jpeg(tf.io.read_file(file), channels=3), tf.float32) / 255.0
        warped = tf.raw_ops.ImageProjectiveTransformV3(
            images=image[None], transforms=tf.reshape(row, (1, 8)), output_shape=(size, size),
            interpolation="BILINEAR", fill_mode="CONSTANT", fill_value=0.0,
        )  # fmt: skip
        return tf.minimum(warped[0] * gain, 1.0)

    data = tf.data.Dataset.range(len(examples.source)).shuffle(len(examples.source), seed=0).repeat()
    data = data.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size).prefetch(tf.data.AUTOTUNE)
    return _speed(iter(data), batch_size, seconds)


def reading_speed(examples: Examples, count: int) -> float:
    """Pictures per second of one thread, without any pipeline around it."""
    permutation = examples.spec.skeleton.flip_permutation
    start = time.perf_counter()
    for index in range(count):
        sample = examples.source.samples[index % len(examples.source)]
        make_example(sample, examples.augmentation.draw(random_stream(0, 0, index)), examples.spec, permutation)
    return count / (time.perf_counter() - start)


def consumption(model: keras.Model, batch_size: int, steps: int) -> float:
    """Pictures per second that training on ready batches consumes; the first step is not counted."""
    size, landmarks = model.input_shape[1], model.outputs[-1].shape[-1]
    rng = np.random.default_rng(0)
    images = rng.random((batch_size, size, size, 3), dtype=np.float32)
    target = np.concatenate(
        [rng.uniform(0, size / 4, (batch_size, landmarks, 2)), np.ones((batch_size, landmarks, 1))], -1
    )
    targets = [target.astype(np.float32)] * len(model.outputs)
    model.train_on_batch(images, targets)
    start = time.perf_counter()
    for _ in range(steps):
        model.train_on_batch(images, targets)
    return steps * batch_size / (time.perf_counter() - start)


def jpeg_only(examples: Examples) -> bool:
    """Whether every picture is a JPEG file, which :func:`tensorflow_ops_speed` needs."""
    return all(
        isinstance(sample.picture, Path) and sample.picture.suffix.lower() in (".jpg", ".jpeg")
        for sample in examples.source
    )


def _speed(batches: Iterator[Tensor], batch_size: int, seconds: float) -> float:
    for _ in range(5):
        next(batches)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        next(batches)
        count += batch_size
    return count / (time.perf_counter() - start)
