import numpy as np
import tensorflow as tf

from cunet_tf.memory.waiting import held_back, zero_of


def test_the_zero_waits_for_its_gradient_and_is_zero():
    for value in (-3.0, 0.0, 1e30):
        assert float(zero_of(tf.constant([value, 1.0]))) == 0.0
    assert np.isnan(zero_of(tf.constant([np.nan])))


def test_held_back_is_the_identity(rng):
    x = tf.constant(rng.normal(size=(2, 4, 4, 3)), tf.float32)
    assert held_back([x]) == [x]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        plain, held = tf.add_n([x, 2 * x]) ** 2, tf.add_n(held_back([x, 2 * x])) ** 2
    np.testing.assert_allclose(tape.gradient(held, x), tape.gradient(plain, x), rtol=1e-6)
