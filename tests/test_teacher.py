"""A teacher's heat maps in the targets: what it sees, what it gives, and that nothing of it stays in the student."""

import json

import keras
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.codec import GaussianCodec, codecs_of_heads, parse_codecs, with_terms
from cunet_tf.errors import CUNetError
from cunet_tf.losses import HeatmapLoss
from cunet_tf.models.build import build_network
from cunet_tf.models.saved import load_keras
from cunet_tf.skeletons import FACE68, LSP14
from cunet_tf.trainers.fit import compile_model
from cunet_tf.trainers.teacher import Teacher, Teaching, moved, moved_back, resized
from tests import networks
from tests.conftest import TINY_FLAGS


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A network of one U-Net of 8 channels at 64 px."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.keras"
    network().save(path)
    return path


def spec_of(quant="float", shape="small"):
    return networks.spec_of(quant, shape)


def network():
    return networks.network(shape="small")


def teacher_of(file, spec=None, **options):
    return Teacher(Teaching(str(file), **options), spec or spec_of())


def targets_of(rng, count=2, landmarks=68, side=16):
    points = rng.random((count, landmarks, 3)) * [side - 1, side - 1, 0] + [0, 0, 1]
    return points.astype("float32")


# What it gives -------------------------------------------------------------------------------


def test_one_view_is_the_networks_last_head(file):
    expected = np.asarray(network()(networks.crops())[-1])
    np.testing.assert_allclose(teacher_of(file)(networks.crops()), expected, atol=1e-5)


def test_two_views_are_the_flip_test(file):
    from cunet_tf.engines import KerasEngine
    from cunet_tf.localizer import Localizer

    expected = Localizer(KerasEngine(network()), spec_of(), flip_test=True).heatmaps(networks.crops())
    np.testing.assert_allclose(teacher_of(file, views=2)(networks.crops()), expected, atol=1e-5)


def test_four_views_of_a_mirror_image_are_swapped_as_two_are(file):
    """The mean of two views is symmetric, and the shifted ones come back to their place: no more than this is exact."""
    two, four = (np.asarray(teacher_of(file, views=views)(networks.crops())) for views in (2, 4))
    shifted = np.asarray(teacher_of(file, views=2)(np.asarray(moved(networks.crops()))))
    np.testing.assert_allclose(four[:, 1:, 1:], (two[:, 1:, 1:] + shifted[:, :-1, :-1]) / 2, atol=1e-5)
    np.testing.assert_allclose(four[:, 0], two[:, 0], atol=1e-5)


def test_moved_maps_come_back_to_their_place(rng):
    maps = rng.random((1, 6, 6, 2), dtype=np.float32)
    images = np.repeat(np.repeat(maps[..., :1], 4, axis=1), 4, axis=2)
    away = np.asarray(moved(images))
    np.testing.assert_array_equal(away[:, ::4, ::4][:, :5, :5], maps[:, 1:, 1:, :1])
    assert not away[:, -4:].any() and not away[:, :, -4:].any()
    shifted = np.pad(maps[:, 1:, 1:], ((0, 0), (0, 1), (0, 1), (0, 0)))
    np.testing.assert_array_equal(moved_back(shifted, maps), maps)


def test_a_smaller_student_gets_maps_of_its_own_size(file):
    """Pictures of one colour, so that the teacher sees the same one at any size."""
    spec = spec_of().replace(config=networks.SHAPES["small"].replace(input_size=32), sigma=0.6)
    ours, given = (
        np.asarray(teacher_of(file, described)(np.full((1, size, size, 3), 0.4, "float32")))
        for described, size in ((None, 64), (spec, 32))
    )
    np.testing.assert_allclose(given, ours.reshape(1, 8, 2, 8, 2, 68).mean(axis=(2, 4)), atol=1e-5)


@pytest.mark.parametrize(
    "before, after, antialias", [(32, 16, False), (16, 32, False), (128, 64, True), (24, 32, True)]
)
def test_resizing_keeps_the_square_that_is_covered(before, after, antialias):
    """What grows evenly from edge to edge still does."""
    columns, rows = np.meshgrid(*2 * [(np.arange(before) + 0.5) / before])
    given = np.asarray(resized(np.stack([columns, rows], axis=-1)[None].astype("float32"), after, antialias))
    inner = np.s_[:, 2:-2, 2:-2]
    expected = np.stack(np.meshgrid(*2 * [(np.arange(after) + 0.5) / after]), axis=-1)[None]
    np.testing.assert_allclose(given[inner], expected[inner], atol=1e-5)


# What it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        ({"weight": 0.0}, "--teacher_weight=0: give a share"),
        ({"weight": 1.5}, "--teacher_weight=1.5"),
        ({"views": 3}, "--teacher_views=3: give 1, 2 or 4"),
    ],
)
def test_options_out_of_range_are_refused(options, words):
    with pytest.raises(CUNetError, match=words):
        Teaching("x.keras", **options)


def test_what_is_no_keras_network_is_refused(tmp_path):
    tflite = tmp_path / "int8.tflite"
    tflite.write_bytes(b"")
    for network, words in ((tflite, "runs inside the training step"), (tmp_path / "no.keras", "no such model file"),
                           ("face-mobil", "Did you mean 'face-mobile'")):  # fmt: skip
        with pytest.raises(CUNetError, match=words) as caught:
            Teacher(Teaching(str(network)), spec_of())
        assert str(caught.value).startswith(f"--teacher={network}")


def test_teachers_of_something_else_are_refused(file, tmp_path):
    spec = spec_of()
    with pytest.raises(CUNetError, match=r"finds 68 landmarks \(face68\), the student 14 \(lsp14\)"):
        teacher_of(file, spec.with_skeleton(LSP14))
    with pytest.raises(CUNetError, match="not the same ones in the same order"):
        teacher_of(file, spec.with_skeleton(FACE68.reordered([1, 0, *range(2, 68)])))
    unknown = FACE68.from_dict({**FACE68.to_dict(), "flip_pairs": None})
    with pytest.raises(CUNetError, match="--teacher_views=2: the landmarks of face68 have no flip_pairs"):
        teacher_of(file, spec.replace(skeleton=unknown), views=2)

    detector, bare = tmp_path / "disk.keras", tmp_path / "bare.keras"
    build_network(spec.replace(decoder="plateau", sigma=2.0)).save(detector)
    build_network(spec.config).save(bare)
    with pytest.raises(CUNetError, match="logits of disks"):
        teacher_of(detector)
    with pytest.raises(CUNetError, match="does not describe itself"):
        teacher_of(bare)


def test_other_gaussians_are_worth_a_notice(file, capsys):
    teacher_of(file)
    assert "notice" not in capsys.readouterr().err
    teacher_of(file, spec_of().replace(sigma=2.0))
    assert "sigma 1.2 in the student's heat-map pixels, the student's targets have 2" in capsys.readouterr().err


# In a training step --------------------------------------------------------------------------


def student(spec, targets="gaussian", weight=0.5):
    keras.utils.set_random_seed(1)
    model = build_network(spec)
    codecs = with_terms(parse_codecs(targets, like=GaussianCodec(1.2)), "--teacher", teacher=weight)
    compile_model(model, spec, keras.optimizers.SGD(0.0), codecs)
    return model


def test_the_training_loss_has_the_teachers_maps_and_validation_has_not(file, rng, eagerly):
    spec, targets = spec_of(shape="plain"), targets_of(rng)
    model, images = student(spec), networks.crops()
    plain = [float(model.test_on_batch(images, [targets] * 2)[0])]
    model.teacher = teacher_of(file, weight=1.0)
    plain.append(float(model.test_on_batch(images, [targets] * 2)[0]))
    assert plain[0] == plain[1]

    with_teacher = float(model.train_on_batch(images, [targets] * 2)[0])
    maps = np.asarray(network()(images)[-1])
    draw = np.asarray(GaussianCodec(1.2).encode(targets, 16))
    outputs = student(spec)(images, training=True)
    expected = sum(1000 * np.mean((np.asarray(out) - 0.5 * (maps + draw)) ** 2) for out in outputs)
    assert with_teacher == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("quant, memory", [("float", "none"), ("float", "both"), ("TW-QIG(828)", "none")])
def test_nothing_of_the_teacher_stays_in_the_student(quant, memory, file, tmp_path, rng, eagerly):
    from cunet_tf.memory.strategy import set_memory

    spec = spec_of(quant)
    model = set_memory(student(spec), memory)
    before = [variable.path for variable in model.variables], model.count_params()
    model.teacher = teacher_of(file, views=2)
    weights = [np.array(value) for value in model.teacher.network.get_weights()]
    model.train_on_batch(networks.crops(), [targets_of(rng)])
    assert (before[0], before[1]) == ([variable.path for variable in model.variables], model.count_params())
    for old, new in zip(weights, model.teacher.network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)

    model.save(tmp_path / "student.keras")
    student(spec).save(tmp_path / "plain.keras")
    sizes = [(tmp_path / name).stat().st_size for name in ("student.keras", "plain.keras")]
    assert abs(sizes[0] - sizes[1]) < 2048
    again = load_keras(tmp_path / "student.keras", compile=True)
    assert again.teacher is None and len(again.variables) == len(model.variables)


def test_both_passes_of_a_refined_network_are_taught(file, rng, eagerly):
    spec, targets, images = spec_of(shape="two passes"), targets_of(rng, 4), rng.random((4, 64, 64, 3))
    images = images.astype("float32")
    plain, taught = student(spec), student(spec)
    taught.teacher = teacher_of(file)
    losses = [float(model.train_on_batch(images, [targets] * 4)[0]) for model in (plain, taught)]
    assert abs(losses[0] - losses[1]) > 0.01 * losses[0] and np.isfinite(losses).all()


def test_a_detecting_pass_is_not_taught_and_a_detector_has_no_teacher():
    config = networks.SHAPES["two passes"]
    disk, _, _, regression = codecs_of_heads(
        with_terms(parse_codecs("disk,gaussian"), "--teacher", teacher=0.5), config
    )
    assert isinstance(regression.loss(), HeatmapLoss) and regression.loss().teacher == 0.5
    assert not hasattr(disk.loss(), "teacher")
    with pytest.raises(CUNetError, match="--teacher=x: --targets=disk regresses to no heat maps"):
        with_terms(parse_codecs("disk"), "--teacher=x", teacher=0.5)


def test_in_bfloat16_the_teacher_computes_as_it_was_saved(file, rng):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        given = np.asarray(teacher_of(file)(networks.crops()))
    finally:
        keras.config.set_dtype_policy(policy)
    np.testing.assert_allclose(given, np.asarray(network()(networks.crops())[-1]), atol=1e-5)


# The command ---------------------------------------------------------------------------------

TRAIN = ["train", "--data=synthetic", "--split=5:20", *TINY_FLAGS, "--stacks=1", "--batch_size=8", "--epochs=1",
         "--val_share=0.1", "--quant=W4-QIG(848)"]  # fmt: skip
TERMS = ["--coordinate_loss=2", "--contour_along=0.3", "--foreground=20", "--side_tolerance=0.4"]


@pytest.mark.slow  # two trainings; the terms have tests of their own
def test_command_trains_with_all_terms_and_resumes_with_the_same_teacher_only(file, tmp_path, capsys, eagerly):
    run, other = tmp_path / "run", tmp_path / "other.keras"
    flags = [*TRAIN, *TERMS, f"--workdir={run}"]
    assert main([*flags, f"--teacher={file}", "--teacher_views=2", "--teacher_weight=0.25"]) == 0
    config = json.loads((run / "config.json").read_text())
    assert config["teacher"].keys() == {"sha256", "weight", "views"} and config["teacher"]["views"] == 2
    recipe = config["recipe"]
    assert (recipe["coordinate_loss"], recipe["contour_along"], recipe["contours"]) == (2.0, 0.3, list(range(17)))
    tolerant = load_keras(run / "last.keras", compile=True).loss[0]
    assert recipe["side_tolerance"] == tolerant.tolerance == 0.4 and tolerant.permutation[0] == 16
    loss = tolerant.loss
    assert loss.terms[0].teacher == 0.25 and loss.terms[1].neighbours[3] == [2, 4]

    same = ["--teacher_views=2", "--teacher_weight=0.25", "--resume"]
    other.write_bytes(file.read_bytes())
    assert main([*flags, f"--teacher={other}", *same]) == 0  # the same bytes at another place
    networks.network("TW-QIG(828)").save(other)
    for given, words in (([f"--teacher={other}", *same], "--resume: teacher was {'sha256'"),
                         ([f"--teacher={file}", "--resume"], "--resume: teacher was {'sha256'"),
                         (["--resume"], "--side_tolerance needs --teacher")):  # fmt: skip
        assert main([*flags, *given]) == 2
        assert words in capsys.readouterr().err
    assert main([*TRAIN, f"--workdir={run}", f"--teacher={file}", *same]) == 2
    assert "--resume: recipe was" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--teacher=nowhere.keras"], "--teacher=nowhere.keras: no such model file"),
        (["--teacher_views=2"], "--teacher_views needs --teacher"),
        (["--side_tolerance=0.5"], "--side_tolerance needs --teacher"),
        (["--teacher=face-mobile", "--targets=disk"], "--targets=disk regresses to no heat maps"),
        (["--coordinate_loss=1", "--targets=disk"], "--targets=disk regresses to no heat maps"),
        (["--coordinate_loss=1", "--targets=reference"], "whole-pixel centres"),
        (["--contour_along=0.3"], "--contour_along=0.3 needs --coordinate_loss"),
        (["--coordinate_loss=1", "--contour_along=0.3", "--contours=chin"], "have no group 'chin'"),
    ],
)
def test_bad_flags_leave_no_run(flags, words, tmp_path, capsys):
    assert main([*TRAIN, *flags, f"--workdir={tmp_path / 'w'}"]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "w" / "config.json").exists()
