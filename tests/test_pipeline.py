import dataclasses
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from cunet_tf.config import CUNetConfig
from cunet_tf.data.augment import Augmentation, View, random_stream
from cunet_tf.data.geometry import apply, from_heatmap, invert
from cunet_tf.data.pipeline import Examples, make_example
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w
from cunet_tf.errors import CUNetError
from cunet_tf.heatmaps import decode, gaussian_maps
from cunet_tf.presets import preset
from cunet_tf.skeletons import FACE68, LSP14
from cunet_tf.spec import ModelSpec

SMALL_CONFIG = CUNetConfig(stacks=2, main_channels=8, growth=4, landmarks=14, input_size=64)
SMALL = preset("pose-mobile").replace(config=SMALL_CONFIG)  # 64 px, maps of 16
AUGMENTATION = Augmentation(scale=(0.8, 1.25), rotation=20.0, rotation_normal=True, flip=0.5, gain=(0.6, 1.4))


def examples_of(count: int, augmentation: Augmentation = AUGMENTATION, seed: int = 0) -> Examples:
    return Examples(load_synthetic(LSP14, f"9:{count}"), SMALL, augmentation, seed)


def make(sample: Sample, view: View, spec: ModelSpec = SMALL) -> tuple[np.ndarray, np.ndarray]:
    return make_example(sample, view, spec, spec.skeleton.flip_permutation)


def by_name(target: np.ndarray) -> dict[str, list[float]]:
    return dict(zip(LSP14.names, target.tolist(), strict=True))


def other_side(name: str) -> str:
    side, _, joint = name.partition("_")
    return {"right": f"left_{joint}", "left": f"right_{joint}"}.get(side, name)


@pytest.fixture
def sample() -> Sample:
    return load_synthetic(LSP14, "9:1").samples[0]


@pytest.fixture
def mirrored(sample) -> Sample:
    """The same person in a mirror: pixels reversed, and every point under the name of the other side."""
    picture = np.ascontiguousarray(sample.load()[:, ::-1])
    there = {name: (picture.shape[1] - 1 - x, y) for name, (x, y) in zip(LSP14.names, sample.points, strict=True)}
    points = np.array([there[other_side(name)] for name in LSP14.names], np.float32)
    box = np.array([*points.min(axis=0), *points.max(axis=0)], np.float64)
    return dataclasses.replace(sample, points=points, box=box, picture=lambda: picture)


# One example --------------------------------------------------------------------------------


def test_an_example_is_an_image_in_0_to_1_and_points_in_heat_map_pixels(sample):
    image, target = make(sample, View())
    assert image.shape == (64, 64, 3) and image.dtype == np.float32
    assert target.shape == (14, 3) and target.dtype == np.float32
    assert image.min() >= 0.0 and 0.5 < image.max() <= 1.0
    side = 1.25 * max(sample.box[2:] - sample.box[:2])
    centre = (sample.box[:2] + sample.box[2:]) / 2
    np.testing.assert_allclose(target[:, :2], (sample.points - centre) / side * 16 + 7.5, atol=1e-4)
    np.testing.assert_array_equal(target[:, 2], 1.0)


def test_a_mirror_image_matches_name_by_name(sample, mirrored):
    image, target = make(sample, View(flip=True))
    expected_image, expected_target = make(mirrored, View())
    np.testing.assert_allclose(image, expected_image, atol=2 / 255)
    for name, place in by_name(target).items():
        assert place == pytest.approx(by_name(expected_target)[name], abs=1e-4)


def test_flip_reverses_columns_and_swaps_sides(sample):
    image, target = make(sample, View())
    flipped_image, flipped_target = make(sample, View(flip=True))
    np.testing.assert_allclose(flipped_image, image[:, ::-1], atol=2 / 255)
    for name, (x, y, mask) in by_name(target).items():
        assert by_name(flipped_target)[other_side(name)] == pytest.approx([15 - x, y, mask], abs=1e-4)


@pytest.mark.parametrize("flip, name", [(False, "left_wrist"), (True, "right_wrist")])
def test_a_bright_spot_stays_under_its_landmark(sample, flip, name):
    picture = np.zeros((160, 160, 3), np.uint8)
    x, y = np.round(sample.points[LSP14.names.index("left_wrist")]).astype(int)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    points = sample.points.copy()
    points[LSP14.names.index("left_wrist")] = x, y
    spot = dataclasses.replace(sample, points=points, picture=lambda: picture)
    image, target = make(spot, View(scale=0.9, rotation=30.0, shift=(0.05, -0.03), flip=flip))
    found = cv2.moments(image[..., 0])
    there = from_heatmap(np.array(by_name(target)[name][:2]))
    np.testing.assert_allclose(there, [found["m10"] / found["m00"], found["m01"] / found["m00"]], atol=0.2)


def test_points_that_leave_the_heat_map_are_masked(sample):
    _, target = make(sample, View(shift=(0.5, 0.0)))
    inside = (target[:, 0] > -0.5) & (target[:, 0] < 15.5)
    assert 0 < inside.sum() < 14
    np.testing.assert_array_equal(target[:, 2], inside)


@pytest.mark.parametrize("side", [0, 1], ids=["x", "y"])
@pytest.mark.parametrize("beyond, kept", [(-0.6, 0), (-0.4, 1), (15.4, 1), (15.6, 0)])
def test_the_heat_map_ends_half_a_pixel_outside_its_centres(sample, side, beyond, kept):
    place = np.full(2, 7.0)
    place[side] = beyond
    matrix = View().matrix(sample.box, SMALL.crop_factor, 64)
    points = sample.points.copy()
    points[4] = apply(invert(matrix), from_heatmap(place))
    _, target = make(dataclasses.replace(sample, points=points), View())
    assert target[4, 2] == kept


@pytest.mark.parametrize("flip, hidden", [(False, "right_knee"), (True, "left_knee")])
def test_unannotated_points_stay_masked_under_their_name(sample, flip, hidden):
    mask = np.array([name != "right_knee" for name in LSP14.names], np.float32)
    _, target = make(dataclasses.replace(sample, mask=mask), View(flip=flip))
    assert [name for name, (_, _, counts) in by_name(target).items() if not counts] == [hidden]


def test_gain_multiplies_channels_and_stops_at_one(sample):
    plain, _ = make(sample, View())
    coloured, _ = make(sample, View(gain=(0.5, 1.0, 1.4)))
    np.testing.assert_allclose(coloured, np.minimum(plain * [0.5, 1.0, 1.4], 1.0), atol=1e-6)
    assert coloured.dtype == np.float32


def test_white_becomes_one_and_black_stays_zero(sample):
    for level, expected in ((255, 1.0), (0, 0.0), (51, 0.2)):
        even = np.full((160, 160, 3), level, np.uint8)
        image, _ = make(dataclasses.replace(sample, picture=lambda even=even: even), View())
        np.testing.assert_allclose(image[20:44, 20:44], expected, atol=1e-6)


def test_making_an_example_leaves_the_sample_alone(sample):
    before = sample.points.copy(), sample.mask.copy(), sample.box.copy()
    make(sample, View(flip=True, shift=(0.4, 0.4), gain=(0.5, 0.5, 0.5)))
    for kept, value in zip(before, (sample.points, sample.mask, sample.box), strict=True):
        np.testing.assert_array_equal(kept, value)


def test_examples_depend_on_seed_epoch_and_index_alone():
    first, second = examples_of(4), examples_of(4)
    second.make(0, 1)
    for epoch, index in [(0, 2), (3, 2)]:
        for one, two in zip(first.make(epoch, index), second.make(epoch, index), strict=True):
            np.testing.assert_array_equal(one, two)
    assert (first.make(0, 2)[1] != first.make(1, 2)[1]).any()
    assert (first.make(0, 2)[1] != examples_of(4, seed=1).make(0, 2)[1]).any()


# Batches ------------------------------------------------------------------------------------


def tf_batches(examples: Examples, count: int, batch_size: int, **options) -> list:
    dataset = examples.dataset(batch_size, **options)
    return [(image.numpy(), [one.numpy() for one in target]) for image, target in islice(dataset, count)]


def numpy_batches(examples: Examples, epochs: int, batch_size: int, **options) -> list:
    data = examples.batches(batch_size, **options)
    found = []
    for _ in range(epochs):
        found += [data[item] for item in range(data.num_batches)]
        data.on_epoch_end()
    return found


def assert_same(first: list, second: list) -> None:
    assert len(first) == len(second) > 0
    for (image, target), (other_image, other_target) in zip(first, second, strict=True):
        np.testing.assert_array_equal(image, other_image)
        assert len(target) == len(other_target)
        for one, two in zip(target, other_target, strict=True):
            np.testing.assert_array_equal(one, two)


# 10 samples in batches of 4: a partial batch is left over.
def test_validation_batches_are_the_same_with_and_without_tensorflow():
    examples = examples_of(10, Augmentation())
    batches = numpy_batches(examples, 1, 4)
    assert_same(tf_batches(examples, 99, 4), batches)
    assert [len(image) for image, _ in batches] == [4, 4, 2]
    inorder = np.concatenate([target[0] for _, target in batches])
    np.testing.assert_array_equal(inorder, [examples.make(0, index)[1] for index in range(10)])


def test_training_batches_are_the_same_with_and_without_tensorflow_epoch_after_epoch():
    examples = examples_of(10)
    steps = examples.steps(4)
    assert_same(tf_batches(examples, 3 * steps, 4, training=True), numpy_batches(examples, 3, 4, training=True))


@pytest.mark.parametrize("make_batches", [tf_batches, numpy_batches])
def test_a_resumed_run_gets_the_batches_of_an_unbroken_one(make_batches):
    examples = examples_of(10)
    unit = examples.steps(4) if make_batches is tf_batches else 1
    unbroken = make_batches(examples, 3 * unit, 4, training=True)
    resumed = make_batches(examples, unit, 4, training=True, epoch=2)
    assert_same(resumed, unbroken[-len(resumed) :])


def test_an_epoch_of_training_shows_no_sample_twice():
    examples = examples_of(10, Augmentation())
    seen = [points.tobytes() for _, (target, _) in tf_batches(examples, 2, 4, training=True) for points in target]
    assert len(seen) == len(set(seen)) == 8


def test_training_shuffles_anew_in_every_epoch():
    examples = examples_of(10)
    orders = [tuple(examples.order(epoch, True)) for epoch in range(5)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len(set(orders)) == 5
    assert examples.order(3, False).tolist() == list(range(10))
    assert examples.order(3, True).tolist() == examples_of(10).order(3, True).tolist()


def test_validation_stays_as_it_is():
    batches = numpy_batches(examples_of(5), 2, 5)
    assert_same(batches[:1], batches[1:])


@pytest.mark.parametrize("heads, expected", [(None, 2), (1, 1), (3, 3)])
def test_the_target_is_repeated_for_every_head(heads, expected):
    examples = examples_of(4)
    for batches in (tf_batches(examples, 1, 4, heads=heads), numpy_batches(examples, 1, 4, heads=heads)):
        (_, target), *_ = batches
        assert len(target) == expected
        np.testing.assert_array_equal(target[0], target[-1])


def test_dataset_has_static_shapes_and_the_length_of_an_epoch():
    dataset = examples_of(10).dataset(4)
    image, target = dataset.element_spec
    assert tuple(image.shape) == (None, 64, 64, 3)
    assert [tuple(one.shape) for one in target] == [(None, 14, 3)] * 2
    assert int(dataset.cardinality()) == 3
    training, _ = examples_of(10).dataset(4, training=True).element_spec
    assert tuple(training.shape) == (4, 64, 64, 3)


@pytest.mark.parametrize(
    "count, batch_size, training, whole", [(10, 4, 2, 3), (8, 4, 2, 2), (4, 4, 1, 1), (5, 1, 5, 5)]
)
def test_steps(count, batch_size, training, whole):
    examples = examples_of(count)
    assert (examples.steps(batch_size), examples.steps(batch_size, False)) == (training, whole)
    assert examples.batches(batch_size, training=True).num_batches == training
    assert examples.batches(batch_size).num_batches == whole


def test_a_batch_larger_than_the_training_data_is_refused():
    with pytest.raises(CUNetError, match="batch_size=5 exceeds the 4 training samples"):
        examples_of(4).steps(5)
    assert examples_of(4).steps(5, training=False) == 1


def test_data_with_other_landmarks_are_refused():
    with pytest.raises(CUNetError, match=r"the model finds 14 landmarks \(lsp14\), synthetic has 68 \(face68\)"):
        Examples(load_synthetic(FACE68, "0:1"), SMALL)


def test_data_without_samples_are_refused():
    with pytest.raises(CUNetError, match="synthetic, split none: no samples"):
        Examples(Source("synthetic", "none", LSP14, []), SMALL)


# Points -> crop -> heat map -> points ---------------------------------------------------------


def round_trip_errors(source: Source, spec: ModelSpec, decoder: str) -> np.ndarray:
    """Distances in heat-map pixels between the annotated points and those that come back."""
    examples = Examples(source, spec, AUGMENTATION, seed=1)
    targets = np.stack([examples.make(0, index)[1] for index in range(len(source))])
    found, _ = decode(np.asarray(gaussian_maps(targets, spec.sigma, spec.config.heatmap_size)), decoder, spec.sigma)
    errors = []
    for index, (sample, points, target) in enumerate(zip(source, found, targets, strict=True)):
        view = AUGMENTATION.draw(random_stream(1, 0, index))
        matrix = view.matrix(sample.box, spec.crop_factor, spec.input_size)
        back = apply(invert(matrix), from_heatmap(points))
        truth = sample.points[spec.skeleton.flip_permutation] if view.flip else sample.points
        zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        errors.append((np.linalg.norm(back - truth, axis=1) * zoom / 4)[target[:, 2] > 0])
    return np.concatenate(errors)


@pytest.fixture(scope="module", params=["drawn faces", "drawn people", "real faces"])
def material(request) -> tuple[Source, ModelSpec]:
    if request.param == "drawn people":
        return load_synthetic(LSP14, "9:20"), preset("pose-mobile")
    if request.param == "drawn faces":
        return load_synthetic(FACE68, "9:20"), preset("face-mobile")
    root = request.getfixturevalue("w300_root")
    return load_300w(str(root), "afw").subset(range(0, 200, 10)), preset("face-mobile")


@pytest.mark.parametrize("decoder, bound, typical", [("dark", 0.1, 0.01), ("quarter", 0.3, 0.25)])
def test_points_come_back_through_crop_and_heat_map(material, decoder, bound, typical):
    errors = round_trip_errors(*material, decoder)
    assert len(errors) > 0.9 * 20 * material[1].skeleton.size
    assert errors.mean() < bound
    assert np.median(errors) < typical


# Faults -------------------------------------------------------------------------------------


def test_a_picture_that_cannot_be_read_is_kept_for_the_message():
    source = load_synthetic(LSP14, "9:3")
    lost = dataclasses.replace(source.samples[1], picture=Path("lost.jpg"))
    examples = Examples(dataclasses.replace(source, samples=[source.samples[0], lost, source.samples[2]]), SMALL)
    examples.make(0, 0)
    assert examples.failures == []
    with pytest.raises(CUNetError, match="lost.jpg") as caught:
        examples.make_batch(0, np.array([0, 1, 2]))
    assert examples.failures == [caught.value]


def test_mirrored_pictures_need_pairs():
    unpaired = dataclasses.replace(LSP14, flip_pairs=None)
    source = dataclasses.replace(load_synthetic(LSP14, "9:1"), skeleton=unpaired)
    spec = SMALL.with_skeleton(unpaired)
    with pytest.raises(CUNetError, match="mirrored pictures"):
        Examples(source, spec, Augmentation(flip=0.5))
    assert Examples(source, spec, Augmentation(rotation=20.0)).make(0, 0)[1].shape == (14, 3)


def test_a_batch_holds_the_examples_of_its_indices_also_twice():
    examples = examples_of(4)
    images, targets = examples.make_batch(2, np.array([3, 0, 3]))
    for place, index in enumerate((3, 0, 3)):
        image, target = examples.make(2, index)
        np.testing.assert_array_equal(images[place], image)
        np.testing.assert_array_equal(targets[place], target)


def test_points_that_are_not_annotated_may_be_anything(sample):
    points, mask = sample.points.copy(), sample.mask.copy()
    points[3], mask[3] = np.nan, 0
    _, target = make(dataclasses.replace(sample, points=points, mask=mask), View(rotation=10.0, flip=True))
    assert np.isfinite(target).all() and target[:, 2].sum() == 13
