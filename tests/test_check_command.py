import json

import cv2
import pytest

from cunet_tf.check_sheet import COLUMNS, LINE, SIDE, STRIP
from cunet_tf.cli import main
from cunet_tf.data.synthetic import load_synthetic
from cunet_tf.skeletons import FACE68
from tests.conftest import REAL_DATA, TINY_FLAGS
from tests.test_check import PLANTED, SPLIT, plant, write_face, write_sound


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    root = tmp_path_factory.mktemp("faulty")
    plant(root)
    return root


@pytest.fixture
def sound(tmp_path):
    write_sound(tmp_path / "faces" / "afw", 10)
    write_sound(tmp_path / "faces" / "ibug", 2, seed=7)
    return tmp_path / "faces"


def check(capsys, *flags):
    code = main(["check", *flags, "--json"])
    return code, json.loads(capsys.readouterr().out)


def on(root, split="afw"):
    return ["--data=300w", f"--root={root}", f"--split={split}"]


def test_faults_give_exit_code_1_and_all_are_reported(faulty, tmp_path, capsys):
    flags = [*on(faulty, SPLIT), "--allow_missing", "--against=ibug", f"--out={tmp_path}"]
    code, result = check(capsys, *flags)
    assert code == 1 and not result["ok"]
    assert {finding["file"].removeprefix(f"{faulty}/") for finding in result["findings"]} == set(PLANTED)
    severities = [severity for severity, _ in PLANTED.values()]
    assert (result["errors"], result["warnings"]) == (severities.count("error"), severities.count("warning"))
    assert result["kinds"]["error: point not a number"] == 2
    # Five .pts files are left out; the picture of helen/trainset is listed twice.
    assert (result["samples"], result["left_out"]) == (12 + 1 + 13 - 5 + 2, 5)
    assert {name: row["samples"] for name, row in result["subsets"].items()} == {
        "afw": 21,
        "helen": 1,
        "helen/trainset": 1,
    }
    assert result["subsets"]["afw"] == {"samples": 21, "errors": 12, "warnings": 3}
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["findings"] == result["findings"] and report["data"] == "300w"


def test_text_names_the_first_files_of_each_kind(faulty, capsys):
    assert main(["check", *on(faulty), "--limit=1"]) == 1
    text = capsys.readouterr().out
    assert "300w afw: 21 samples and 5 left out, tight boxes, full check: 11 errors, 3 warnings" in text
    assert "error: point not a number (2)" in text
    assert "afw/inf.pts: point 5 is not a number." in text and "afw/nan.pts" not in text
    assert str(faulty / "afw" / "cut.jpg") + ": the JPEG is truncated (2000 bytes)" in text


def test_contact_sheet_has_a_second_block_for_findings(faulty, sound, tmp_path, capsys):
    heights = []
    for root in (sound, faulty):
        check(capsys, *on(root), f"--out={tmp_path}")
        picture = cv2.imread(str(tmp_path / "contact_sheet.png"))
        assert picture.shape[1] == COLUMNS * SIDE and picture.std() > 20
        heights.append(picture.shape[0])
    tile = SIDE + LINE
    assert heights == [2 * STRIP + 2 * tile, 3 * STRIP + 4 * tile + 2 * (tile + LINE)]


def test_sound_faces_and_warnings_give_exit_code_0(sound, capsys):
    code, result = check(capsys, *on(sound), "--against=ibug")
    assert code == 0 and result["ok"] and result["findings"] == []
    code, result = check(capsys, *on(sound, "afw,ibug,lfpw/trainset"), "--allow_missing")
    assert code == 0 and result["kinds"] == {"warning: absent subset": 1}


def test_what_the_other_split_could_not_compare_is_named(sound, capsys):
    (sound / "ibug" / "sound00.pts").write_text("")
    code, result = check(capsys, *on(sound), "--against=ibug,lfpw/testset", "--allow_missing")
    assert code == 0 and result["kinds"] == {"warning: not compared": 2}
    files = [finding["file"] for finding in result["findings"]]
    assert files == ["lfpw/testset", str(sound / "ibug" / "sound00.pts")]


def test_quick_check_skips_the_pictures(faulty, capsys):
    code, result = check(capsys, *on(faulty), "--quick")
    kinds = {finding["kind"] for finding in result["findings"]}
    assert code == 1 and result["check"] == "quick"
    assert "truncated picture" in kinds and "degenerate box" in kinds and "duplicate picture" not in kinds


def test_nothing_left_still_gives_a_report(tmp_path, capsys):
    (tmp_path / "afw").mkdir()
    (tmp_path / "afw" / "a.pts").write_text("")
    code, result = check(capsys, *on(tmp_path), f"--out={tmp_path / 'out'}")
    assert code == 1 and result["samples"] == 0 and result["subsets"]["afw"]["errors"] == 1
    assert (tmp_path / "out" / "contact_sheet.png").exists()


def test_drawn_data_takes_the_presets_landmarks(capsys):
    code, result = check(capsys, "--data=synthetic", "--split=7:20", "--preset=pose-mobile")
    assert code == 0 and result["samples"] == 20 and result["box"] == "tight"


def test_another_number_of_landmarks_than_the_preset(sound, capsys):
    code, result = check(capsys, *on(sound), "--preset=pose-mobile")
    assert code == 1 and [finding["kind"] for finding in result["findings"]] == ["wrong number of points"]
    assert "68 landmarks (face68), the preset 14 (lsp14)" in result["findings"][0]["message"]


@pytest.mark.parametrize(
    "flags, words",
    [
        ([], "--data"),
        (["--data=300-w"], "Did you mean '300w'?"),
        (["--data=synthetic"], "--preset"),
        (["--data=synthetic", "--preset=face-mobil"], "Did you mean 'face-mobile'?"),
        (["--data=300w"], "--root"),
        (["--data=300w", "--root=nowhere"], "no such folder"),
        (["--data=synthetic", "--preset=face-mobile", "--box=large"], "Known: tight, given, official"),
        (["--data=synthetic", "--preset=face-mobile", "--against=test", "--quick"], "leave out --quick"),
        (["--data=synthetic", "extra"], "unexpected argument"),
    ],
)
def test_bad_options_are_one_line(flags, words, capsys):
    assert main(["check", *flags]) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == ""


@pytest.mark.parametrize("bad", ["training", "validation"])
def test_training_does_not_start_on_faulty_data(sound, bad, tmp_path, capsys):
    sample = load_synthetic(FACE68, "8:1").samples[0]
    write_face(sound / ("afw" if bad == "training" else "ibug") / "dot", sample, sample.points * 0 + 5)
    flags = ["train", *on(sound), "--val_split=ibug", *TINY_FLAGS, f"--workdir={tmp_path / 'w'}"]
    assert main(flags) == 2
    error = capsys.readouterr().err
    assert "1 error: " in error and "dot.png: every point lies on (5, 5)" in error and "cunet check" in error
    assert not (tmp_path / "w").exists()


def test_real_people(capsys):
    if not (REAL_DATA / "lspet").is_dir():
        pytest.skip("real data (../shared/data/lspet) is not here")
    code, result = check(
        capsys, "--data=lspet", f"--root={REAL_DATA / 'lspet'}", "--split=7055-7354", "--against=1-300"
    )
    assert code == 0 and result["samples"] == 300
