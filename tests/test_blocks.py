import numpy as np
import tensorflow as tf

from cunet_tf.files.blocks import BLOCK, PADS, from_blocks, to_blocks


def test_a_kernel_on_blocks_computes_what_it_does_on_pixels(rng):
    kernel = rng.integers(-127, 128, (5, 7, 7, 3)).astype(np.float32)
    image = rng.integers(0, 256, (2, 16, 24, 3)).astype(np.float32)
    pixels = tf.pad(image, ((0, 0), (3, 3), (3, 3), (0, 0)))
    blocks = tf.pad(tf.nn.space_to_depth(image, BLOCK), ((0, 0), PADS, PADS, (0, 0)))
    expected = tf.nn.conv2d(pixels, np.moveaxis(kernel, 0, -1), 2, "VALID")
    np.testing.assert_array_equal(tf.nn.conv2d(blocks, np.moveaxis(to_blocks(kernel), 0, -1), 1, "VALID"), expected)


def test_there_and_back(rng):
    kernel = rng.integers(-127, 128, (5, 7, 7, 3)).astype(np.int8)
    np.testing.assert_array_equal(from_blocks(to_blocks(kernel)), kernel)
    assert (to_blocks(np.ones((1, 7, 7, 3))) == 0).sum() == 192 - 147


def test_weights_where_zeros_belong_are_no_kernel_of_pixels():
    kernel = to_blocks(np.ones((2, 7, 7, 3), np.int8))
    for place in ((0, 3, 0), (3, 0, 0)):  # the first row and the first column of pixels
        other = kernel.copy()
        other[1][place] = 1
        assert from_blocks(other) is None
