import cv2
import numpy as np
import pytest

from cunet_tf.data.drawn_clip import FPS, NOISE, draw_clip, pose
from cunet_tf.data.geometry import apply, invert

SIDE = 96


@pytest.fixture(scope="module")
def clip():
    return draw_clip(3, 40, SIDE)


def test_frames_points_and_rate(clip):
    frames, points, fps = clip
    assert fps == FPS == 30.0
    assert len(frames) == 40 and points.shape == (40, 68, 2) and points.dtype == np.float64
    assert all(frame.shape == (SIDE, SIDE, 3) and frame.dtype == np.uint8 for frame in frames)


def test_the_seed_decides_and_a_longer_clip_begins_with_the_shorter_one(clip):
    frames, points, _ = draw_clip(3, 5, SIDE)
    np.testing.assert_array_equal(points, clip[1][:5])
    np.testing.assert_array_equal(frames, clip[0][:5])
    assert (draw_clip(4, 1, SIDE)[1] != points[:1]).all()


@pytest.mark.parametrize("seed", range(8))
def test_the_face_stays_in_the_picture(seed):
    rng = np.random.default_rng((seed, 1))
    points = draw_clip(seed, 1, SIDE)[1][0]
    phases = rng.uniform(0.0, 2.0 * np.pi, 4)
    still = apply(invert(pose(0.0, phases, SIDE)), points)
    everywhere = np.stack([apply(pose(time, phases, SIDE), still) for time in np.arange(0.0, 40.0, 1.0 / FPS)])
    inside = ((everywhere > -0.5) & (everywhere < SIDE - 0.5)).all(axis=-1)
    assert inside.mean() > 0.99


def test_the_identity_is_fixed(clip):
    """Turning, scaling and shifting keep the ratios of all distances."""
    points = clip[1]
    distances = np.linalg.norm(points[:, :, None] - points[:, None, :], axis=-1)
    shape = distances / distances.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(shape, np.broadcast_to(shape[:1], shape.shape), atol=1e-9)


def test_the_path_is_smooth_and_has_all_three_movements(clip):
    points = clip[1]
    step = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    bend = np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1)
    assert 0.3 < step.mean() < 0.1 * SIDE and bend.max() < 0.3 * step.max()
    across = points[:, 45] - points[:, 36]
    assert np.ptp(np.linalg.norm(across, axis=1)) > 1.0
    assert np.ptp(np.degrees(np.arctan2(across[:, 1], across[:, 0]))) > 5.0
    assert np.ptp(points.mean(axis=1), axis=0).min() > 0.03 * SIDE


def test_speed_stretches_time_and_0_stands_still(clip):
    np.testing.assert_allclose(draw_clip(3, 10, SIDE, speed=2.0)[1], clip[1][:20:2])
    frames, points, _ = draw_clip(3, 3, SIDE, speed=0.0)
    np.testing.assert_array_equal(points, np.broadcast_to(points[:1], points.shape))
    assert (frames[0] != frames[1]).mean() > 0.5


def test_noise_is_new_in_each_frame_and_of_the_named_size():
    frames = np.stack(draw_clip(5, 30, SIDE, speed=0.0)[0]).astype(float)
    middle = frames.mean(axis=0)
    unclipped = (middle > 40) & (middle < 215)
    assert frames.std(axis=0, ddof=1)[unclipped].mean() == pytest.approx(NOISE, rel=0.05)
    noise = (frames - middle)[:, unclipped]
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.1


def test_the_painting_moves_with_the_points(clip):
    """The first frame, moved by the known path, is the last one where the face is."""
    frames, points, _ = clip
    matrix = cv2.estimateAffinePartial2D(points[0], points[-1])[0]
    moved = cv2.warpAffine(frames[0], matrix, (SIDE, SIDE)).astype(float)
    mask = cv2.fillConvexPoly(np.zeros((SIDE, SIDE), np.uint8), cv2.convexHull(points[-1].astype(np.int32)), 1) > 0
    apart = np.abs(moved - frames[-1]).mean(axis=2)[mask]
    unmoved = np.abs(frames[0].astype(float) - frames[-1]).mean(axis=2)[mask]
    assert np.median(apart) < 2.0 * NOISE and apart.mean() < 0.6 * unmoved.mean()
