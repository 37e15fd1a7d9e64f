from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from cunet_tf import input_speed
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w
from cunet_tf.input_speed import consumption, jpeg_only, pipeline_speed, reading_speed, tensorflow_ops_speed
from cunet_tf.presets import preset
from cunet_tf.trainers.recipes import FACE_MOBILE

NEEDED = 120  # pictures/s at 128 px on two cores: three times what training face-mobile was to consume


def test_input_feeds_training_on_real_faces(w300_root):
    examples = Examples(load_300w(w300_root, "afw"), preset("face-mobile"), FACE_MOBILE.augmentation)
    assert jpeg_only(examples)
    assert pipeline_speed(examples, 16, 1.0) > NEEDED
    assert tensorflow_ops_speed(examples, 16, 0.3) > 0


def test_drawn_pictures_have_no_files():
    examples = Examples(load_synthetic(preset("face-mobile").skeleton, "0:32"), preset("face-mobile"))
    assert not jpeg_only(examples)
    assert np.isfinite(pipeline_speed(examples, 8, 0.2))


@pytest.fixture
def ticking(monkeypatch):
    """A clock that is a second later at each look."""
    seconds = count()
    monkeypatch.setattr(input_speed, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))


def of_files(*names):
    source = load_synthetic(preset("face-mobile").skeleton, f"0:{len(names)}")
    samples = [replace(sample, picture=Path(name)) for sample, name in zip(source, names, strict=True)]
    return Examples(replace(source, samples=samples), preset("face-mobile"))


@pytest.mark.parametrize(
    "names, all_are", [(["a.jpg", "b.JPEG"], True), (["a.jpg", "b.png"], False), (["a.jpg", "jpg"], False)]
)
def test_one_other_picture_is_enough_to_leave_tensorflows_ops_out(names, all_are):
    assert jpeg_only(of_files(*names)) == all_are


def test_tensorflows_ops_make_the_same_example(tmp_path, monkeypatch):
    """Where the crop is hardly reduced: OpenCV averages areas, these do not."""
    source = load_synthetic(preset("face-mobile").skeleton, "4:1")
    picture = cv2.GaussianBlur(source.samples[0].load(), (0, 0), 2.0)
    cv2.imwrite(str(tmp_path / "a.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    source = replace(source, samples=[replace(source.samples[0], picture=tmp_path / "a.jpg")])
    examples = Examples(source, preset("face-mobile"), FACE_MOBILE.augmentation, seed=2)
    monkeypatch.setattr(input_speed, "_speed", lambda batches, size, seconds: next(batches).numpy())
    batch = tensorflow_ops_speed(examples, 2, 0.0)
    assert batch.shape == (2, 128, 128, 3)
    np.testing.assert_array_equal(batch[0], batch[1])
    apart = np.abs(batch[0] - examples.make(0, 0)[0])
    assert apart.mean() < 0.01 and np.quantile(apart, 0.99) < 0.05


def test_batches_that_warm_up_do_not_count(ticking):
    drawn = iter(range(99))
    # Looks at the clock: the start, one before each batch, the one that ends it, and the end.
    assert input_speed._speed(drawn, 4, 3.0) == pytest.approx(2 * 4 / 4)
    assert next(drawn) == 5 + 2


def test_one_thread_reads_as_many_as_asked_going_round(ticking, monkeypatch):
    examples, read = of_files("0.jpg", "1.jpg", "2.jpg"), []
    monkeypatch.setattr(input_speed, "make_example", lambda sample, *_: read.append(sample.picture.stem))
    assert reading_speed(examples, 7) == 7.0 and "".join(read) == "0120120"


def test_the_first_step_of_training_does_not_count(ticking):
    heads = [SimpleNamespace(shape=(None, 16, 16, 5))] * 2
    seen = []
    model = SimpleNamespace(
        input_shape=(None, 64, 64, 3),
        outputs=heads,
        train_on_batch=lambda images, targets: seen.append((images, targets)),
    )
    assert consumption(model, 8, steps=3) == 24.0 and len(seen) == 4
    images, targets = seen[-1]
    assert images.shape == (8, 64, 64, 3) and [target.shape for target in targets] == [(8, 5, 3)] * 2
    assert targets[0][..., :2].min() >= 0 and targets[0][..., :2].max() <= 16 and (targets[0][..., 2] == 1).all()
