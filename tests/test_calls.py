import keras
import numpy as np

from cunet_tf.models.calls import calls_of
from tests.networks import SHAPES, network

_L = keras.layers


def test_nested_models_lie_open_and_every_call_counts(rng):
    inner = keras.Sequential([keras.Input((4,)), _L.Dense(4, name="dense")], name="inner")
    image = keras.Input((4,), name="image")
    model = keras.Model(image, _L.Concatenate(name="join")([inner(inner(image)) * 2.0, image]))
    calls = calls_of(model)
    *dense, product, last = [call.path for call in calls.calls]
    assert dense == ["inner/dense"] * 2 and product.startswith("multiply") and last == "join"  # Keras counts products
    first, second, times, join = calls.calls
    assert first.layer is second.layer and second.inputs == first.outputs and join.shapes == [(8,)]
    assert join.taken == [(4,), (4,)] and join.inputs == [*times.outputs, *calls.inputs]
    assert calls.maker(times.outputs[0]) is times and calls.maker(calls.inputs[0]) is None
    assert calls.readers(calls.inputs[0]) == [first, join] and calls.outputs == join.outputs
    x = rng.normal(size=(2, 4)).astype(np.float32)
    values = {calls.inputs[0]: x}
    for call in calls.calls:
        call.run(call.layer, values)
    np.testing.assert_allclose(values[calls.outputs[0]], model(x), rtol=1e-6)


def test_a_layer_of_another_kind_gets_tensors_alone():
    image = keras.Input((4,))
    (call,) = calls_of(keras.Model(image, _L.BatchNormalization()(image, training=False))).calls
    values = {call.inputs[0]: np.ones((1, 4), np.float32)}
    call.run(_L.Activation("relu"), values)  # which takes no argument `training`
    np.testing.assert_array_equal(values[call.outputs[0]], np.ones((1, 4)))


def test_both_passes_of_a_refined_network():
    calls = [call.path for call in calls_of(network("TW-QIG(626)", "two passes")).calls]
    assert calls.count("unet1_neck") == SHAPES["two passes"].passes == 2
