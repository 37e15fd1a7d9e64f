"""A user's own function on training views."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.augment import Augmentation
from cunet_tf.data.own_views import load_vary, varied, vary_digest, vary_name
from cunet_tf.data.pipeline import Examples
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.errors import CUNetError
from tests import networks
from tests.conftest import TINY_FLAGS

PAGE = Path(__file__).parents[1] / "docs/training.md"
SPEC = networks.spec_of()
AUGMENTATION = Augmentation((0.8, 1.25), rotation=20.0, flip=0.5, gain=(0.6, 1.4))


def examples(augment=None, seed: int = 3) -> Examples:
    return Examples(load_synthetic(SPEC.skeleton, "5:6"), SPEC, AUGMENTATION, seed, augment)


def same(image, points, rng):
    return image, points


def noisy(image, points, rng):
    return image + rng.normal(0.0, 0.1, image.shape), points


def eight_pixels_right(image, points, rng):
    return np.roll(image, 8, axis=1), points + [8.0, 0.0]


def fails(image, points, rng):
    raise KeyError("eyes")


def test_a_function_that_changes_nothing_leaves_every_bit():
    for index in range(6):
        for plain, own in zip(examples().make(1, index), examples(same).make(1, index), strict=True):
            np.testing.assert_array_equal(plain, own)


def test_points_are_pixels_of_the_crop():
    (plain, target), (image, moved) = examples().make(0, 2), examples(eight_pixels_right).make(0, 2)
    np.testing.assert_array_equal(image[:, 8:], plain[:, :-8])
    np.testing.assert_allclose(moved[:, 0], target[:, 0] + 2.0, atol=1e-5)  # a heat-map pixel is 4 of the crop
    outside = target[:, 0] + 2.0 > SPEC.config.heatmap_size - 0.5
    np.testing.assert_array_equal(moved[:, 2], target[:, 2] * ~outside)


def test_random_numbers_depend_on_seed_epoch_and_sample_alone():
    def picture(seed, epoch, index):
        return examples(noisy, seed).make(epoch, index)[0]

    np.testing.assert_array_equal(picture(3, 1, 2), picture(3, 1, 2))
    drawn = []

    def note(image, points, rng):
        drawn.append(rng.random())
        return image, points

    for seed, epoch, index in [(3, 1, 2), (4, 1, 2), (3, 2, 2), (3, 1, 3), (3, 1, 2)]:
        examples(note, seed).make(epoch, index)
    assert len(set(drawn)) == 4 and drawn[0] == drawn[4]


def test_missing_landmarks_come_as_nan_and_go_as_nan():
    seen = []

    def hide_first(image, points, rng):
        seen.append(np.isnan(points).all(axis=1))
        points[0] = np.nan
        points[-1] = 5.0  # of a landmark without annotation: a function cannot invent one
        return image, points

    source = load_synthetic(SPEC.skeleton, "5:1")
    mask = np.ones(SPEC.skeleton.size, np.float32)
    mask[-1] = 0.0
    source.samples[0] = dataclasses.replace(source.samples[0], mask=mask)
    _, target = Examples(source, SPEC, augment=hide_first).make(0, 0)
    assert seen[0].tolist() == [False] * (len(mask) - 1) + [True]
    assert target[0, 2] == target[-1, 2] == 0.0 and target[:, 2].sum() > 0 and np.isfinite(target).all()


def test_an_error_names_function_picture_and_line():
    own = examples(fails)
    with pytest.raises(
        CUNetError, match=r"test_own_views\.py:fails, picture .*KeyError: 'eyes' \(line \d+ of"
    ) as raised:
        own.make(0, 4)
    assert own.source.samples[4].name in str(raised.value) and own.failures == [raised.value]


@pytest.mark.parametrize(
    "returned, words",
    [(lambda i, p: i, "not \\(image, points\\)"), (lambda i, p: ((i * 255).astype("uint8"), p), "image uint8"),
     (lambda i, p: (i[:8], p), "image float32"), (lambda i, p: (i * 255, p), "no numbers in 0..1"),
     (lambda i, p: (i * np.nan, p), "no numbers"), (lambda i, p: (i, p[:3]), "points float64")],
)  # fmt: skip
def test_what_is_returned_is_looked_at(returned, words):
    image, points = np.full((16, 16, 3), 0.5, np.float32), np.zeros((5, 2))
    with pytest.raises(CUNetError, match=words):
        varied(lambda i, p, rng: returned(i, p), image, points, np.random.default_rng(0), "one.jpg")


@pytest.mark.parametrize(
    "text, words",
    [("views.py", "give FILE.py:function"), ("other.py:f", "no file"), ("views.py:dark", "Did you mean 'darker'"),
     ("broken.py:f", "cannot be imported"), ("views.txt:f", "no Python file")],
)  # fmt: skip
def test_a_function_that_cannot_be_found(text, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("views.py").write_text("def darker(image, points, rng):\n    return image / 2, points\n")
    Path("broken.py").write_text("import no_such_module_anywhere\n")
    Path("views.txt").write_text("")
    with pytest.raises(CUNetError, match=words):
        load_vary(text)
    found = load_vary("views.py:darker")
    assert vary_name(found) == "views.py:darker" and len(vary_digest(found)) == 64


def test_the_page_s_example_trains(tmp_path, capsys, eagerly):
    """The example of the docs, through the command; another function is refused, a failing one ends the training."""
    (example,) = re.findall(r"```python\n(.*?night_and_bar.*?)```", PAGE.read_text(), re.DOTALL)
    file, work = tmp_path / "views.py", tmp_path / "run"
    file.write_text(example + "\n\ndef late(image, points, rng):\n    assert len(points) == 3\n")
    flags = ["train", "--data=synthetic", "--split=5:10", *TINY_FLAGS, "--stacks=1", "--batch_size=4", "--epochs=1",
             "--val_share=0.2"]  # fmt: skip
    assert main([*flags, f"--workdir={work}", f"--augment={file}:night_and_bar"]) == 0
    config = json.loads((work / "config.json").read_text())
    assert config["augment"] == "views.py:night_and_bar" and len(config["versions"]["augment"]) == 64
    assert "--augment=views.py:night_and_bar" in config["command"]
    assert config["flags"]["augment"] == f"{file}:night_and_bar"
    capsys.readouterr()
    assert main([*flags, f"--workdir={work}", "--resume"]) == 2
    assert "augment was 'views.py:night_and_bar'" in capsys.readouterr().err
    assert main([*flags, f"--workdir={tmp_path / 'other'}", f"--augment={file}:late"]) == 2
    assert "views.py:late, picture" in capsys.readouterr().err
