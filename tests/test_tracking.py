import numpy as np

from cunet_tf.boxes import Detection
from cunet_tf.data.drawn_clip import draw_clip
from cunet_tf.data.geometry import tight_box
from cunet_tf.landmarks import Landmarks
from cunet_tf.localizer import Localizer
from cunet_tf.smoothing import OneEuroFilter
from cunet_tf.tracking import PATIENCE, track, track_all

POINTS = np.array([[10.0, 20.0], [50.0, 25.0], [30.0, 70.0]])
BOX = np.array([5.0, 5.0, 60.0, 80.0])


class Scripted:
    """A localizer that answers from a list of (points, score) and remembers where it looked."""

    def __init__(self, *answers):
        self.answers, self.boxes = list(answers), []

    def locate(self, image, box):
        self.boxes.append(box)
        points, score = self.answers[len(self.boxes) - 1]
        searched = np.array([-0.5, -0.5, 99.5, 99.5]) if box is None else box
        return Landmarks(points, np.full(len(points), score, np.float32), searched)


def frames_of(count):
    return [(index / 30.0, np.zeros((100, 100, 3), np.uint8)) for index in range(count)]


def followed(*answers, box=BOX, smoothing=None, **options):
    localizer = Scripted(*answers)
    frames = list(track(localizer, frames_of(len(answers)), box, smoothing, **options))
    assert [(frame.index, frame.time) for frame in frames] == [(i, i / 30.0) for i in range(len(answers))]
    return [frame.objects[0] for frame in frames], localizer.boxes


def test_each_frame_is_searched_where_the_last_points_were():
    moved = [POINTS + 4.0 * index for index in range(3)]
    tracked, boxes = followed(*[(points, 0.8) for points in moved])
    np.testing.assert_array_equal(boxes[0], BOX)
    np.testing.assert_array_equal(boxes[1], tight_box(moved[0]))
    np.testing.assert_array_equal(boxes[2], tight_box(moved[1]))
    assert all(one.smoothed is None and not one.lost for one in tracked)


def test_without_a_box_the_whole_picture_comes_first():
    assert followed((POINTS, 0.8), (POINTS, 0.8), box=None)[1][0] is None


def test_smoothing_changes_points_but_not_the_search():
    moved = [POINTS + 4.0 * index for index in range(4)]
    tracked, boxes = followed(*[(points, 0.8) for points in moved], smoothing=OneEuroFilter(1.0, 0.0))
    expected = OneEuroFilter(1.0, 0.0)
    for index, (one, points) in enumerate(zip(tracked, moved, strict=True)):
        np.testing.assert_array_equal(one.raw.points, points)
        np.testing.assert_array_equal(one.smoothed.points, expected(points, index / 30.0))
        np.testing.assert_array_equal(one.smoothed.scores, one.raw.scores)
    np.testing.assert_array_equal(boxes[3], tight_box(moved[2]))


def test_a_search_may_close_in_on_the_object_under_low_scores():
    nearer = [POINTS + index for index in range(4)]
    tracked, boxes = followed(*zip(nearer, [0.2, 0.2, 0.3, 0.8], strict=True), box=None)
    assert [one.lost for one in tracked] == [True, True, True, False]
    np.testing.assert_array_equal(boxes[1:], [tight_box(points) for points in nearer[:3]])


def test_a_lost_object_is_searched_in_the_first_box_then_everywhere_in_turn():
    count = 3 * PATIENCE + 2
    _, boxes = followed((POINTS, 0.8), *[(POINTS, 0.1)] * count, (POINTS, 0.8), (POINTS, 0.8))
    starts = {index: box for index, box in enumerate(boxes) if box is None or box is BOX}
    assert starts == {0: BOX, 1 + PATIENCE: BOX, 1 + 2 * PATIENCE: None, 1 + 3 * PATIENCE: BOX}
    np.testing.assert_array_equal(boxes[-1], tight_box(POINTS))


def test_a_good_frame_renews_the_patience():
    answers = [(POINTS, 0.1)] * (PATIENCE - 1) + [(POINTS, 0.8)] + [(POINTS, 0.1)] * PATIENCE
    assert sum(box is BOX for box in followed(*answers)[1]) == 1


def test_the_threshold_is_adjustable():
    assert [one.lost for one in followed((POINTS, 0.3), (POINTS, 0.3), min_score=0.2)[0]] == [False, False]
    assert [one.lost for one in followed((POINTS, 0.3), (POINTS, 0.3), min_score=0.4)[0]] == [True, True]


def test_points_on_one_spot_give_no_box():
    assert followed((POINTS * 0.0, 0.9), (POINTS, 0.9))[1][1] is None


def test_the_shipped_model_closes_in_on_a_small_face():
    pictures, points, _ = draw_clip(0, 12, 120)
    frames = []
    for index, picture in enumerate(pictures):
        canvas = np.full((240, 240, 3), 128, np.uint8)
        canvas[90:210, 110:230] = picture
        frames.append((index / 30.0, canvas))
    (last,) = list(track(Localizer.load("face-mobile"), frames))[-1].objects
    assert not last.lost
    apart = np.linalg.norm(last.raw.points - points[-1] - [110, 90], axis=-1)
    assert apart.mean() < 0.08 * np.linalg.norm(points[-1, 36] - points[-1, 45])


def test_a_lost_frame_empties_the_filter():
    far = POINTS + 300.0
    tracked, _ = followed((POINTS, 0.8), (POINTS, 0.1), (far, 0.8), smoothing=OneEuroFilter(0.1, 0.0))
    np.testing.assert_array_equal(tracked[1].smoothed.points, POINTS)
    np.testing.assert_array_equal(tracked[2].smoothed.points, far)


def test_a_used_filter_starts_anew():
    smoothing = OneEuroFilter()
    smoothing(POINTS[:2], 100.0)
    assert len(followed((POINTS, 0.8), smoothing=smoothing)[0]) == 1


def test_frames_are_taken_one_by_one():
    def endless():
        while True:
            yield 0.0, np.zeros((8, 8, 3), np.uint8)

    tracked = track(Scripted(*[(POINTS, 0.8)] * 3), endless())
    assert [next(tracked).index for _ in range(3)] == [0, 1, 2]


def test_a_models_own_confidence_decides_where_there_is_one():
    class Sure(Scripted):
        def locate(self, image, box):
            found = super().locate(image, box)
            return Landmarks(found.points, found.scores, found.box, confidence=0.1, found=False)

    (one,) = next(track(Sure((POINTS, 0.9)), frames_of(1), BOX)).objects
    assert one.lost


class Crowd:
    """A localizer of people that stand where a list of frames says; each has its points and its box."""

    def __init__(self, *frames):
        self.frames, self.time = frames, -1

    def show(self):
        for index in range(len(self.frames)):
            self.time = index
            yield index / 30.0, np.zeros((100, 400, 3), np.uint8)

    def locate(self, image, box):
        """The nearest person; nobody within reach is not found."""
        centre = box.reshape(2, 2).mean(axis=0)
        places = [POINTS + [x, 0] for x in self.frames[self.time]]
        apart = [np.linalg.norm(place.mean(axis=0) - centre) for place in places]
        if not apart or min(apart) > 40:
            return Landmarks(box.reshape(2, 2)[[0, 1, 0]], np.zeros(3, np.float32), box, confidence=0.0, found=False)
        return Landmarks(places[int(np.argmin(apart))], np.ones(3, np.float32), box, confidence=0.9)

    def locate_all(self, image, detector):
        return [self.locate(image, each.box) for each in detector(image)]

    def __call__(self, image):
        return [Detection(tight_box(POINTS + [x, 0]), 0.9) for x in self.frames[self.time]]


def ids(crowd):
    return [[each.id for each in frame.objects if not each.lost] for frame in track_all(crowd, crowd.show(), crowd)]


def test_several_people_keep_their_ids():
    crowd = Crowd(*[(10 + 5 * i, 250 - 5 * i) for i in range(6)])
    frames = list(track_all(crowd, crowd.show(), crowd))
    assert [[each.id for each in frame.objects] for frame in frames] == [[0, 1]] * 6
    for frame in frames:
        np.testing.assert_array_equal(frame.objects[0].raw.points, POINTS + [10 + 5 * frame.index, 0])


def test_a_newcomer_is_found_and_gets_an_id_of_its_own():
    assert ids(Crowd((), (), (10,), (10,))) == [[], [], [0], [0]]
    assert ids(Crowd(*[(10,)] * 2, *[(10, 250)] * 20))[-1] == [0, 1]


def test_somebody_who_leaves_is_given_up_and_is_new_when_back():
    seen = ids(Crowd((10,), *[()] * (PATIENCE + 1), (10,)))
    assert seen[0] == [0] and seen[-1] == [1] and not any(seen[1:-1])


def test_two_searches_that_meet_become_one():
    assert ids(Crowd((10, 250), (10, 250), (10,), (10,)))[-1] == [0]
