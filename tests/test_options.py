import builtins
import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.models.saved import load_keras
from cunet_tf.trainers.options import Options, enable_determinism
from cunet_tf.trainers.recipes import FACE_MOBILE
from tests.conftest import TINY_FLAGS


@pytest.fixture(autouse=True)
def full_precision():
    yield
    keras.config.set_dtype_policy("float32")


def test_everything_is_off_by_default(tmp_path):
    assert Options().optimizer_options() == {} and Options().callbacks(tmp_path) == []


def test_optimizer_options_reach_the_optimizer():
    optimizer = FACE_MOBILE.optimizer(10, 2, **Options(clipnorm=0.5, ema=0.9).optimizer_options())
    assert optimizer.global_clipnorm == 0.5 and optimizer.use_ema and optimizer.ema_momentum == 0.9


@pytest.mark.parametrize("fields", [{"ema": 1.0}, {"ema": -0.1}, {"clipnorm": -1.0}, {"patience": -1}])
def test_bad_values(fields):
    with pytest.raises(CUNetError, match=f"--{next(iter(fields))}"):
        Options(**fields)


def test_tensorboard_missing_is_one_clear_error(monkeypatch, tmp_path):
    original = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "tensorboard":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CUNetError, match=r"pip install 'cunet-tf\[tensorboard\]'"):
        Options(tensorboard=True).callbacks(tmp_path)


def test_a_run_with_all_of_it(tmp_path, eagerly):
    """bfloat16, clipped gradients, disks, covered pictures; best.keras holds the averaged weights."""
    workdir = tmp_path / "run"
    flags = ["--levels=1", "--stacks=1", "--batch_size=8", "--epochs=1", "--targets=disk", "--mixed_precision",
             "--clipnorm=1", "--ema=0.9", "--occlude=1", "--blur=1"]  # fmt: skip
    data = ["--data=synthetic", "--split=5:18", "--val_share=0.1", f"--workdir={workdir}"]
    assert main(["train", *TINY_FLAGS, *data, *flags]) == 0
    best, last = (load_keras(workdir / f"{name}.keras", compile=name == "last") for name in ("best", "last"))
    assert best.spec.decoder == "plateau" and best.spec.sigma == 2.0
    assert best.get_layer("unet0_down0").compute_dtype == "bfloat16"
    averages = [v for v in last.optimizer.variables if "average" in v.path]
    assert len(averages) == len(last.trainable_variables)
    kernel = best.get_layer("unet0_head").kernel
    (average,) = [v for v in averages if v.shape == kernel.shape]
    np.testing.assert_allclose(kernel, average, atol=1e-6)
    assert not np.allclose(kernel, last.get_layer("unet0_head").kernel, atol=1e-6)


def test_a_training_leaves_what_is_global_as_it_was():
    policy = keras.config.dtype_policy().name
    random.seed(7)
    np.random.seed(7)
    expected = random.random(), np.random.random()
    random.seed(7)
    np.random.seed(7)
    with pytest.raises(ZeroDivisionError), Options(mixed_precision=True).applied():
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        keras.utils.set_random_seed(0)
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == policy
    assert (random.random(), np.random.random()) == expected


def test_determinism_is_asked_for_once_and_said(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: calls.append(1))
    enable_determinism.cache_clear()
    for _ in range(2):
        with Options(deterministic=True).applied():
            pass
    enable_determinism.cache_clear()
    assert calls == [1] and capsys.readouterr().err.count("deterministic") == 1


def test_a_warm_up_may_be_asked_for_with_fresh_weights_too():
    assert Options(warmup=200).warmup_steps(10_000, started=False) == 200
    assert Options().warmup_steps(10_000, started=False) == 0 and Options().warmup_steps(1000, started=True) == 100
    schedule = FACE_MOBILE.optimizer(100, 10, Options(warmup=200).warmup_steps(1000, started=False)).get_config()
    rate = keras.optimizers.deserialize({"class_name": "RMSprop", "config": schedule})._learning_rate
    assert [float(rate(step)) for step in (0, 99)] == pytest.approx([5e-6, 5e-4 * 0.976], rel=2e-2)


def test_minutes_are_not_negative():
    with pytest.raises(CUNetError, match="--save_every=-1.0: give minutes; 0 saves after epochs only"):
        Options(save_every=-1.0)


@pytest.mark.parametrize(
    "fields, flag", [({"save_every": 5.0}, "--save_every"), ({"deterministic": True}, "--deterministic")]
)
def test_what_needs_tensorflow_is_refused_elsewhere_and_changes_nothing(fields, flag, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    words = f"^{flag} works with the TensorFlow backend only"
    with pytest.raises(CUNetError, match=words), Options(mixed_precision=True, **fields).applied():
        pass
    assert keras.config.dtype_policy().name == "float32"
    with Options().applied():  # what is off needs nothing
        pass


@pytest.mark.parametrize(
    "options, started, steps",
    [
        (Options(init_optimizer=True), True, 0),
        (Options(init_optimizer=True, warmup=30), True, 30),
        (Options(warmup=0), True, 0),
        (Options(), True, 50),
    ],
)
def test_averages_that_were_taken_over_need_no_warm_up(options, started, steps):
    assert options.warmup_steps(500, started) == steps


def test_one_option_of_the_optimizer_does_not_bring_another():
    assert Options(ema=0.99).optimizer_options() == {"use_ema": True, "ema_momentum": 0.99}
    assert Options(clipnorm=2.0).optimizer_options() == {"global_clipnorm": 2.0}
