"""Noise for rounding: uniform, independent between entries, in steps of any power of two; the compiled rounding."""

import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.quantize.dither import compiled_dither, noise_bits, noise_of, rounding_noise


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 2)])
def test_noise_of_two_entries_is_independent(shape):
    """Also of entries of two pictures: the variance of a sum over the batch is that of independent numbers."""
    draws = 4000

    @tf.function
    def drawn():
        def draw(index):
            return rounding_noise(tf.constant(shape), tf.stack([index, 7 * index]), len(shape))

        return tf.map_fn(draw, tf.range(draws), fn_output_signature=tf.float32)

    noise = drawn().numpy().reshape(draws, -1)
    assert -0.5 < noise.min() < -0.49 and 0.49 < noise.max() < 0.5
    np.testing.assert_allclose(noise.var(0), 1 / 12, rtol=0.1)
    others = np.corrcoef(noise.T)[~np.eye(noise.shape[1], dtype=bool)]
    assert abs(others).max() < 5.5 / draws**0.5


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4, 2)])
@pytest.mark.parametrize("exponent", [-114, -7, 5, 120])
def test_noise_of_another_step_is_as_much_larger(shape, exponent):
    seed, size = tf.constant([3, 4]), tf.constant(shape)
    one = rounding_noise(size, seed, len(shape)).numpy()
    assert one.shape == shape
    np.testing.assert_array_equal(noise_of(noise_bits(size, seed, len(shape), exponent)), one * 2.0**exponent)
    assert np.all(one * 2.0**23 % 2 == 1)  # odd multiples: never 0 or a half


@pytest.mark.parametrize("shape", [(6,), (6, 3, 4, 2)])
def test_a_part_of_the_batch_gets_the_numbers_of_the_whole(shape):
    seed, whole = tf.constant([3, 4]), tf.constant(shape)
    part = tf.constant((2, *shape[1:]))
    numbers = noise_of(noise_bits(part, seed, len(shape), 0, (tf.constant(3), tf.constant(6))))
    np.testing.assert_array_equal(numbers, rounding_noise(whole, seed, len(shape))[3:5])


def test_dither_rounds_to_steps_within_the_ends(rng):
    x = rng.normal(0.0, 2.0, (3, 4, 5, 2)).astype("float32")
    bits = noise_bits(tf.constant(x.shape), tf.constant([1, 2]), 4, -2)
    noise = noise_of(bits).numpy()
    expected = 0.25 * np.round(np.clip(x + noise, -3.0, 3.0) / 0.25)
    np.testing.assert_array_equal(compiled_dither()(x, bits, 0.25, 3.0), expected)
