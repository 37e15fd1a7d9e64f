"""Every planted fault is found and named; sound data, drawn and real, stays without a finding."""

import dataclasses
import shutil

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from cunet_tf.data.check import finding_of, full_check, hidden_labels, quick_check, require_sound
from cunet_tf.data.geometry import tight_box
from cunet_tf.data.lsp import load_lsp
from cunet_tf.data.sample import Sample, Source
from cunet_tf.data.sources import Request, load_source
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.data.w300 import load_300w, write_pts
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68, LSP14, MPII16, Skeleton
from tests.conftest import REAL_DATA

SPLIT = "afw,helen,helen/trainset,lfpw/trainset"  # helen/trainset twice, lfpw/trainset absent

PLANTED = {
    "afw/missing.pts": ("error", "missing picture"),
    "afw/cut.jpg": ("error", "truncated picture"),
    "afw/text.png": ("error", "unreadable picture"),
    "afw/empty.png": ("error", "unreadable picture"),
    "afw/short.pts": ("error", "wrong number of points"),
    "afw/nan.pts": ("error", "point not a number"),
    "afw/inf.pts": ("error", "point not a number"),
    "afw/words.pts": ("error", "malformed annotation"),
    "afw/far.png": ("error", "point far outside"),
    "afw/near.png": ("warning", "point outside"),
    "afw/small.png": ("error", "degenerate box"),
    "afw/same.png": ("error", "all points identical"),
    "afw/swapped.png": ("warning", "left and right"),
    "afw/sound00_copy.png": ("warning", "duplicate picture"),
    "helen/trainset/twice.png": ("error", "same sample twice"),
    "lfpw/trainset": ("warning", "absent subset"),
    "afw/sound05.png": ("error", "in both splits"),
}


def write_sound(folder, count: int, seed: int = 6, stem: str = "sound") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(load_synthetic(FACE68, f"{seed}:{count}")):
        write_face(folder / f"{stem}{index:02}", sample)


def write_face(place, sample, points=None, suffix=".png") -> None:
    cv2.imwrite(f"{place}{suffix}", sample.load()[..., ::-1])
    write_pts(f"{place}.pts", sample.points if points is None else points)


def plant(root) -> None:
    """A 300-W-like tree: twelve sound faces, and one face for each entry of PLANTED."""
    afw = root / "afw"
    write_sound(afw, 12)
    write_sound(root / "ibug", 2, seed=7)
    (root / "helen" / "trainset").mkdir(parents=True)
    names = ["missing", "cut", "text", "empty", "short", "nan", "inf", "words", "far", "near", "small", "same",
             "swapped"]  # fmt: skip
    faces = dict(zip(names, load_synthetic(FACE68, f"8:{len(names)}"), strict=True))
    points = {name: sample.points.copy() for name, sample in faces.items()}
    points["short"] = points["short"][:67]
    points["nan"][3, 0], points["inf"][5, 1] = np.nan, np.inf
    points["far"][0, 0], points["near"][0, 0] = -0.5 - 81, -5.0
    points["small"] = 80 + (points["small"] - 80) / 20
    points["same"][:] = points["same"][0]
    points["swapped"] = points["swapped"][FACE68.flip_permutation]
    for name, sample in faces.items():
        write_face(afw / name, sample, points[name], ".jpg" if name == "cut" else ".png")
    (afw / "missing.png").unlink()
    (afw / "cut.jpg").write_bytes((afw / "cut.jpg").read_bytes()[:2000])
    (afw / "text.png").write_text("<html>not found</html>")
    (afw / "empty.png").write_bytes(b"")
    (afw / "words.pts").write_text("{\n" + "one two\n" * 68 + "}\n")
    for suffix in (".png", ".pts"):
        shutil.copy(afw / f"sound00{suffix}", afw / f"sound00_copy{suffix}")
        shutil.copy(afw / f"sound05{suffix}", root / "ibug" / f"leak{suffix}")
    write_face(root / "helen" / "trainset" / "twice", load_synthetic(FACE68, "9:1").samples[0])


def load_tree(root, split=SPLIT):
    problems: list[CUNetError] = []
    source = load_source("300w", Request(str(root), split, FACE68, allow_missing=True, problems=problems))
    return source, problems


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Folder and findings of the planted tree, by file below the folder."""
    root = tmp_path_factory.mktemp("planted")
    plant(root)
    source, problems = load_tree(root)
    findings = [finding_of(problem) for problem in problems]
    findings += full_check(source, against=load_300w(str(root), "ibug"))
    return root, findings


# A tree with many faults --------------------------------------------------------------------


@pytest.mark.parametrize("place", PLANTED)
def test_every_planted_fault_is_found_and_names_its_file(planted, place):
    root, findings = planted
    (found,) = [finding for finding in findings if finding.file in (str(root / place), place)]
    assert (found.severity, found.kind) == PLANTED[place]
    assert place in str(found)
    assert found.sample == ("" if place == "lfpw/trainset" else place.rpartition(".")[0])


def test_nothing_else_is_found(planted):
    root, findings = planted
    assert len(findings) == len(PLANTED)
    assert {finding.file.removeprefix(f"{root}/") for finding in findings} == set(PLANTED)


def test_loading_without_a_list_still_stops_at_the_first_fault(planted):
    with pytest.raises(CUNetError, match="inf.pts: point 5 is not a number"):
        load_300w(str(planted[0]), "afw")


def test_training_is_refused_with_the_count_and_the_first_three(planted):
    source, _ = load_tree(planted[0])
    with pytest.raises(CUNetError, match="^data 300w, split afw,.*: 5 errors: .*cunet check --data=300w") as error:
        require_sound(source)
    assert str(error.value).count(str(planted[0])) == 3
    with pytest.raises(CUNetError, match=r": 1 error: .*same.png: every point lies on"):
        require_sound(source.subset([[s.name for s in source].index("afw/same")]))


# Sound data ---------------------------------------------------------------------------------


@pytest.mark.parametrize("skeleton", [FACE68, LSP14, MPII16], ids=lambda skeleton: skeleton.name)
def test_drawn_data_is_sound(skeleton):
    source = load_synthetic(skeleton, "3:40")
    done = []
    assert full_check(source, against=load_synthetic(skeleton, "4:10"), progress=lambda *n: done.append(n)) == []
    assert done[39:41] == [(40, 40), (1, 10)]
    require_sound(source)


def test_quick_check_decodes_nothing(tmp_path, monkeypatch):
    write_sound(tmp_path / "afw", 3)
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("decoded"))
    assert quick_check(load_300w(str(tmp_path), "afw")) == []


@pytest.mark.parametrize("split, check", [("train", quick_check), ("common", full_check)])
def test_real_faces_have_no_error(w300_root, split, check):
    problems: list[CUNetError] = []
    source = load_300w(str(w300_root), split, allow_missing=True, problems=problems)
    findings = check(source)
    assert problems == [] and [str(f) for f in findings if f.severity == "error"] == []
    assert {finding.file for finding in findings if finding.kind != "near duplicate"} <= {"lfpw/testset"}


def test_real_people_have_no_error():
    if not (REAL_DATA / "lspet").is_dir():
        pytest.skip("real data (../shared/data/lspet) is not here")
    assert quick_check(load_lsp(str(REAL_DATA / "lspet"), "all", extended=True)) == []


# One sample, by hand ------------------------------------------------------------------------

SQUARE = Skeleton("square", ("right_a", "left_a", "right_b", "left_b"), ((0, 1), (2, 3)))
CORNERS = np.array([[10, 10], [40, 10], [10, 40], [40, 40]], np.float32)
GREY = np.full((50, 60, 3), 128, np.uint8)


def person(name="one", points=CORNERS, mask=None, box=None, picture=None) -> Sample:
    points = np.asarray(points, np.float32)
    mask = np.ones(len(points), np.float32) if mask is None else np.asarray(mask, np.float32)
    box = tight_box(points) if box is None else np.asarray(box, float)
    image = GREY + np.random.default_rng(list(name.encode())).integers(0, 9, GREY.shape, np.uint8)
    return Sample(name, "part", points, mask, box, picture or (lambda: image))


def findings_of(*samples, skeleton=SQUARE, missing=()):
    found = full_check(Source("mine", "all", skeleton, list(samples), missing=missing))
    beside = "point outside the box"  # see test_check_fit.py
    return [(finding.severity, finding.kind) for finding in found if finding.kind != beside]


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({"points": CORNERS[:3]}, "wrong number of points"),
        ({"mask": [1, 1, 1]}, "wrong number of points"),
        ({"mask": [1, 1, 1, 2]}, "mask value"),
        ({"mask": [1, 1, 1, 0.5]}, "mask value"),
        ({"mask": [1, 1, 1, np.nan]}, "mask value"),
        ({"points": [[10, 10], [40, 10], [10, np.nan], [40, 40]]}, "point not a number"),
        ({"points": [[10, 10]] * 4}, "all points identical"),
        ({"box": [10, 10, 10, 40]}, "degenerate box"),
        ({"box": [40, 10, 10, 40]}, "degenerate box"),
        ({"box": [10, 10, 17, 17.9]}, "degenerate box"),
        ({"box": [10, 10, np.nan, 40]}, "degenerate box"),
        ({"points": [*CORNERS[:3], [90, 40]], "box": [10, 10, 40, 40]}, "point far outside"),
        ({"points": [*CORNERS[:3], [40, -26]], "box": [10, 10, 40, 40]}, "point far outside"),
    ],
)
def test_one_fault_is_one_error(changes, kind):
    assert findings_of(person(**changes)) == [("error", kind)]


def test_one_point_in_a_box_is_enough_and_none_is_not():
    assert findings_of(person(mask=[0, 0, 0, 1])) == []
    none = [("error", "too few annotated points")]
    assert findings_of(person("one"), person("two", mask=[0, 0, 0, 0])) == none


def test_a_twin_of_a_picture_is_a_warning_unless_it_is_in_the_source(tmp_path):
    samples = []
    for index, ending in enumerate((".jpg", ".PNG")):
        cv2.imwrite(str(tmp_path / f"a{ending.lower()}"), GREY + np.uint8(40 * index))
        (tmp_path / f"a{ending.lower()}").rename(tmp_path / f"a{ending}")
        samples.append(person(f"a{ending}", picture=tmp_path / f"a{ending}"))
    assert findings_of(samples[0]) == [("warning", "two pictures")] and findings_of(*samples) == []


@pytest.mark.parametrize("x, found", [(59.5, []), (60.0, [("warning", "point outside")]), (-0.5, []),
                                      (89.5, [("warning", "point outside")])])  # fmt: skip
def test_pixels_reach_from_minus_a_half_to_the_width_minus_a_half(x, found):
    assert findings_of(person(points=[*CORNERS[:3], [x, 40]], box=[10, 10, 40, 40])) == found


def test_points_that_are_not_annotated_may_lie_anywhere():
    assert findings_of(person(points=[*CORNERS[:3], [-900, 0]], mask=[1, 1, 1, 0], box=[10, 10, 40, 40])) == []


def test_a_thin_person_is_no_degenerate_box():
    assert findings_of(person(box=[10, 10, 12, 40])) == []


def test_people_share_a_picture_but_not_a_box(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), GREY)
    group = [person(name, box=[10, 10, 40, x], picture=tmp_path / "a.png") for name, x in [("a", 40), ("b", 41)]]
    assert findings_of(*group) == []
    assert findings_of(*group, person("c", box=[10, 10, 40, 41], picture=tmp_path / "a.png")) == [
        ("error", "same sample twice")
    ]


def test_equal_drawn_pictures_are_duplicates():
    assert findings_of(person("a"), dataclasses.replace(person("a"), name="b")) == [("warning", "duplicate picture")]


def test_absent_subsets_are_named():
    assert findings_of(person(), missing=("lfpw", "ibug")) == [("warning", "absent subset")] * 2


# Loaders and files --------------------------------------------------------------------------


def test_lsp_reports_every_faulty_picture(tmp_path, rng):
    joints = np.concatenate([rng.uniform(5, 60, (14, 2, 5)), np.ones((14, 1, 5))], axis=1)
    joints[3, 0, 1] = np.nan
    joints[1:, 2, 3] = 0
    savemat(tmp_path / "joints.mat", {"joints": joints})
    (tmp_path / "images").mkdir()
    for index in (1, 2, 3, 4):
        cv2.imwrite(str(tmp_path / "images" / f"im{index:05}.jpg"), GREY)
    with pytest.raises(CUNetError, match="picture 2 has a joint that is NaN"):
        load_lsp(str(tmp_path), "all", extended=True)
    problems: list[CUNetError] = []
    source = load_source("lspet", Request(str(tmp_path), "all", LSP14, problems=problems))
    assert [sample.name for sample in source] == ["im00001", "im00003", "im00005"]
    found = [finding_of(problem) for problem in problems]
    assert [(finding.sample, finding.kind) for finding in found] == [
        ("im00002", "point not a number"), ("im00004", "too few annotated points"),
    ]  # fmt: skip
    assert all("joints.mat: picture" in str(finding) for finding in found)
    missing = [finding for finding in quick_check(source) if finding.kind == "missing picture"]
    assert [finding.sample for finding in missing] == ["im00005"]


def test_a_gone_picture_of_the_other_split_is_named(tmp_path):
    write_sound(tmp_path / "afw", 2)
    write_sound(tmp_path / "ibug", 2, seed=7)
    source, against = (load_300w(str(tmp_path), split) for split in ("afw", "ibug"))
    (tmp_path / "ibug" / "sound01.png").unlink()
    (found,) = full_check(source, against)
    assert (found.kind, found.file) == ("not compared", str(tmp_path / "ibug" / "sound01.png"))


def test_an_error_of_another_kind_keeps_its_message():
    finding = finding_of(CUNetError("train.json, entry 3: no centre."))
    assert (finding.kind, str(finding)) == ("malformed annotation", "train.json, entry 3: no centre.")


# Without labels -----------------------------------------------------------------------------


def test_hidden_labels_are_one_finding_and_no_training():
    source = Source("mine", "test", SQUARE, [person(name, mask=[0, 0, 0, 0]) for name in "abc"])
    assert hidden_labels(source)
    assert [(finding.kind, finding.file) for finding in quick_check(source)] == [("hidden labels", "test")]
    with pytest.raises(CUNetError, match="data mine, split test: no sample is annotated: choose another split"):
        require_sound(source)


def test_one_label_is_enough_and_of_nothing_none_is_hidden():
    some = Source("mine", "test", SQUARE, [person("a", mask=[0, 0, 0, 0]), person("b", mask=[0, 1, 0, 0])])
    assert not hidden_labels(some) and not hidden_labels(Source("mine", "test", SQUARE, []))
    with pytest.raises(CUNetError, match="split test: 1 error: "):
        require_sound(some)
