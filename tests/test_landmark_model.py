"""What Keras models of the project add: names of metrics, and ``fit`` in two passes."""

import keras
import numpy as np
import pytest

import cunet_tf as cu
from cunet_tf.skeletons import FACE68

SMALL = cu.CUNetConfig(1, 0, 8, 4, 68, levels=1, input_size=32)


def spec_of(**changes):
    return cu.preset("face-mobile").replace(config=SMALL.replace(**changes), skeleton=FACE68)


def batch(rng, count=4, heads=1):
    points = np.concatenate([rng.uniform(1, 6, (count, 68, 2)), np.ones((count, 68, 1))], axis=-1)
    return rng.random((count, 32, 32, 3), dtype=np.float32), [points.astype("float32")] * heads


NETWORKS = pytest.mark.parametrize(
    "changes, heads", [({}, 1), ({"stacks": 2}, 2), ({"stacks": 2, "supervisions": 1}, 1), ({"refinement": 4}, 2)]
)


@NETWORKS
def test_metrics_are_named_alike_for_every_number_of_heads(changes, heads, rng):
    spec = spec_of(**changes)
    model = cu.build_network(spec)
    model.compile(keras.optimizers.SGD(1e-3), cu.HeatmapLoss(spec.sigma), metrics=cu.last_head_metrics(spec),
                  run_eagerly=True)  # fmt: skip
    images, points = batch(rng, heads=heads)
    logs = model.fit(images, points, validation_data=(images, points), batch_size=2, verbose=0).history
    losses = [f"{name}_loss" for name in spec.config.head_names] if heads > 1 else []
    ours = {"loss", "nme", *losses}
    assert set(logs) == ours | {f"val_{name}" for name in ours}
    assert set(model.evaluate(images, points, verbose=0, return_dict=True)) == ours


def test_metrics_of_other_heads_keep_their_names(rng):
    spec = spec_of(stacks=2)
    model = cu.build_network(spec)
    metrics = [cu.last_head_metrics(spec)[-1] for _ in range(2)]
    model.compile("sgd", cu.HeatmapLoss(), metrics=metrics, run_eagerly=True)
    logs = model.evaluate(*batch(rng, heads=2), verbose=0, return_dict=True)
    assert set(logs) == {"loss", "unet0_head_loss", "unet1_head_loss", "unet0_head_nme", "nme"}


def traces_of(model):
    """A list that grows by one whenever the training step is traced."""
    step, seen = model.train_step, []
    model.train_step = lambda data: seen.append(data) or step(data)
    return seen


def test_a_step_of_several_heads_is_traced_once_by_a_plain_compile_and_fit(rng):
    """The optimizer's variables or the losses' trackers, made inside the first trace, would ask for a second one."""
    model = cu.build_network(spec_of(stacks=2))
    model.compile("rmsprop", cu.HeatmapLoss(), jit_compile=False)
    traces = traces_of(model)
    assert set(model.fit(*batch(rng, heads=2), verbose=0).history) == {"loss", "unet0_head_loss", "unet1_head_loss"}
    assert len(traces) == 1


# Two passes ---------------------------------------------------------------------------------


def refined(optimizer=None, **options):
    keras.utils.set_random_seed(0)
    model = cu.build_cunet(SMALL.replace(refinement=4))
    model.compile(optimizer or keras.optimizers.SGD(1e-2), cu.HeatmapLoss(), **options)
    return model


def values_of(model):
    return {variable.path: np.array(variable) for variable in model.trainable_variables}


def moved(model, *data, **options):
    """Paths of the variables that ``fit`` moved."""
    before = values_of(model)
    model.fit(*data, verbose=0, **options)
    return {path for path, value in values_of(model).items() if (value != before[path]).any()}


def steadied():
    inner = keras.optimizers.Adam(1e-3, use_ema=True, global_clipnorm=1.0, weight_decay=1e-4)
    return keras.optimizers.LossScaleOptimizer(inner)


@pytest.mark.parametrize(
    "optimizer, eagerly", [(lambda: "rmsprop", False), (steadied, True)], ids=["by name", "ema and loss scale"]
)
def test_two_passes_train_with_a_plain_compile_and_fit(optimizer, eagerly, rng):
    """The first is traced, and compiled by XLA."""
    model = refined(optimizer(), run_eagerly=eagerly)
    traces = traces_of(model)
    assert moved(model, *batch(rng, 4, 2), batch_size=2) == set(values_of(model))
    assert int(model.optimizer.iterations) == 2 * 2
    assert len(traces) == (2 if eagerly else 1)


def test_a_saved_model_of_two_passes_goes_on(rng, tmp_path):
    model = refined(keras.optimizers.Adam(1e-3), run_eagerly=True)
    data = batch(rng, 4, 2)
    model.fit(*data, verbose=0)
    model.save(tmp_path / "m.keras")
    again = cu.load_keras(tmp_path / "m.keras", compile=True)
    again.run_eagerly = True
    for mine, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert moved(again, *data)


@pytest.mark.parametrize("each_head", [False, True])
def test_sample_weights_are_those_of_each_half(each_head, rng):
    """Only pictures of weight above 0 are learned from, so the others may be anything."""
    images, points = batch(rng, 4, 2)
    weights = np.array([1, 0, 0, 1], "float32")
    other = [values.copy() for values in points]
    for values in other:
        values[1:3, :, :2] = 0.0
    found = []
    for targets in (points, other):
        model = refined(run_eagerly=True)
        logs = model.fit(images, targets, sample_weight=[weights] * 2 if each_head else weights, shuffle=False,
                         batch_size=4, verbose=0)  # fmt: skip
        found.append((logs.history["loss"], list(values_of(model).values())))
    assert found[0][0] == found[1][0]
    assert all(np.array_equal(a, b) for a, b in zip(found[0][1], found[1][1], strict=True))
    model = refined(run_eagerly=True)
    assert model.fit(images, points, shuffle=False, batch_size=4, verbose=0).history["loss"] != found[0][0]


def test_weight_zero_moves_nothing(rng):
    model = refined(run_eagerly=True)
    assert not moved(model, *batch(rng, 4, 2), sample_weight=np.zeros(4, "float32"))
    model = refined(run_eagerly=True, loss_weights=[1.0, 0.0])
    assert not any("pass2_" in path or path.startswith("refine") for path in moved(model, *batch(rng, 4, 2)))


@pytest.mark.slow  # compiles two trainings
def test_a_last_batch_of_one_picture_is_both_halves(rng):
    images, points = batch(rng, 3, 2)
    model = refined()  # compiled: eagerly a batch of one is a batch size of one
    logs = model.fit(images, points, batch_size=2, verbose=0, shuffle=False).history
    assert int(model.optimizer.iterations) == 4 and np.isfinite(logs["loss"]).all()
    twice = refined()
    twice.fit(images[[0, 1, 2, 2]], [values[[0, 1, 2, 2]] for values in points], batch_size=2, verbose=0, shuffle=False)
    for path, value in values_of(twice).items():
        np.testing.assert_allclose(values_of(model)[path], value, atol=1e-6, err_msg=path)


def test_of_an_odd_batch_the_second_half_has_one_more(rng):
    images, points = batch(rng, 3, 2)
    one, other = refined(run_eagerly=True), refined(run_eagerly=True)
    one.fit(images, points, batch_size=3, verbose=0, shuffle=False)
    other.step_first(images[:1], [points[0][:1]])
    other.step_second(images[1:], [points[1][1:]])
    for path, value in values_of(other).items():
        np.testing.assert_allclose(values_of(one)[path], value, atol=1e-6, err_msg=path)


@pytest.mark.parametrize("eagerly", [True, False])
def test_batches_of_one_picture_are_refused(eagerly, rng):
    with pytest.raises(cu.CUNetError, match="batch_size=1: iterative refinement") as caught:
        refined(run_eagerly=eagerly).fit(*batch(rng, 2, 2), batch_size=1, verbose=0)
    assert "\n" not in str(caught.value)


def test_what_two_passes_refuse(rng):
    images, points = batch(rng, 2, 2)
    with pytest.raises(cu.CUNetError, match="y has 1 entries: give one for each of the 2 heads"):
        refined(run_eagerly=True).train_step((images, points[:1]))
    with pytest.raises(cu.CUNetError, match="gradient_accumulation_steps"):
        refined(keras.optimizers.SGD(1e-2, gradient_accumulation_steps=2))
