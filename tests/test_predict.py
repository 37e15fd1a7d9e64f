import json
import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.scene import background
from cunet_tf.data.synthetic import draw, load_synthetic
from cunet_tf.detector import FACES, PACKAGE
from cunet_tf.draw import save_png
from cunet_tf.skeletons import FACE68


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    for index in range(2):
        save_png(folder / f"face_{index}.png", draw("face68", 8, index))
    return folder


def test_shipped_model_without_tensorflow(pictures, tmp_path):
    code = (
        "import sys; from cunet_tf.cli import main; "
        f"rc = main(['predict', '--model=face-mobile', '--out={tmp_path / 'out'}', '{pictures}', '--json']); "
        "assert not {'tensorflow', 'keras', 'jax'} & set(sys.modules); sys.exit(rc)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["pictures"]) == 2
    record = json.loads((tmp_path / "out" / "face_0.json").read_text())
    keys = {"written_by", "image", "width", "height", "skeleton", "names", "settings", "objects"}
    assert set(record) == keys and record["names"] == list(FACE68.names)
    assert (record["width"], record["height"], record["skeleton"]) == (160, 160, "face68")
    (face,) = record["objects"]
    assert set(face) == {"box", "box_from", "landmarks", "scores", "visible", "confidence", "found"}
    assert face["box_from"] == "detector" and np.array(face["landmarks"]).shape == (68, 2) and len(face["scores"]) == 68
    assert (tmp_path / "out" / "face_0_found.jpg").exists()


def objects_of(file):
    return json.loads(file.read_text())["objects"]


def test_box_is_used(pictures, tmp_path):
    box = load_synthetic(FACE68, "8:1").samples[0].box
    text = ",".join(f"{value:.2f}" for value in box)
    out = tmp_path / "out"
    assert main(["predict", "--model=face-mobile", f"--out={out}", f"--box={text}", str(pictures / "face_0.png")]) == 0
    (face,) = objects_of(out / "face_0.json")
    np.testing.assert_allclose(face["box"], box, atol=0.01)
    assert face["box_from"] == "given"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["{p}/face_0.png", "--box=10,10,5,20"], "x0 < x1"),
        (["{p}/face_0.png", "--box=1,2,3"], "x0,y0,x1,y1"),
        (["--box", "1", "2", "3", "4", "{p}/face_0.png"], "write --box=1,2,3,4"),
        (["{p}/face_0.png", "--box=1,2,30,40", "--boxes=b.csv"], "not both"),
        (["{p}/face_0.png", "--boxes=nowhere.csv"], "nowhere.csv: cannot be read"),
        (["{p}/face_0.png", "--detector=nowhere.tflite"], "auto, none, or a .tflite"),
        (["{p}/face_0.png", "--model=pose-mobile", "--detector={face}"], "takes boxes of pose_detection"),
        (["{p}/face_0.png", "clip.mp4"], "clip.mp4 is a video: name it alone"),
        (["clip.mp4"], "clip.mp4: no such video"),
        (["{p}/face_0.png", "--draw=gif"], "jpg|png|none"),
        (["{p}/face_0.png", "--min_confidence=2"], "--min_confidence=2"),
        (["{p}/nothing.png"], "nothing.png: no such file"),
        (["{p}/face_0.png", "{p}/../twin/face_0.png"], "would write the same result"),
        (["{p}/../empty"], "no picture in this folder"),
    ],
)
def test_bad_input(pictures, tmp_path, arguments, words, capsys):
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "face_0.png").write_bytes((pictures / "face_0.png").read_bytes())
    (tmp_path / "empty").mkdir()
    (pictures / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 50)
    face = metadata.distribution(PACKAGE).locate_file(FACES[0])
    arguments = [argument.format(p=pictures, face=face) for argument in arguments]
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_bad_picture_is_named_and_the_others_go_on(pictures, tmp_path, capsys):
    (pictures / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 50)
    (pictures / "._face_0.png").write_bytes(b"\0\5\x16\7Mac OS X")
    (pictures / "notes.txt").write_text("no picture")
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", str(pictures), "--json"]) == 1
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert len(result["pictures"]) == 2 and len(result["skipped"]) == 1 and "cut.jpg" in result["skipped"][0]
    assert [name for name in ("._face_0.png", "notes.txt") if any(name in text for text in result["passed_over"])]
    assert "skipped" in printed.err and "notes.txt: no picture" in printed.err and "._face_0.png" in printed.err


def test_notes_of_macos_are_no_fault(pictures, tmp_path):
    (pictures / "._face_0.png").write_bytes(b"\0\5\x16\7Mac OS X")
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", str(pictures)]) == 0


def test_a_second_call_skips_what_is_done(pictures, tmp_path, capsys):
    out = tmp_path / "out"
    predict = [
        "predict",
        "--model=face-mobile",
        f"--out={out}",
        str(pictures),
        f"--csv={tmp_path / 'all.csv'}",
        "--json",
    ]

    def call(*flags):
        assert main([*predict, *flags]) == 0
        return json.loads(capsys.readouterr().out)["done_before"]

    assert [call(), call(), call("--again"), call("--draw=none"), call("--draw=none")] == [0, 2, 0, 0, 2]
    assert [call("--draw=none", "--crops=2"), call("--draw=none", "--crops=1")] == [0, 0]
    save_png(pictures / "face_1.png", draw("face68", 8, 5))
    assert call("--draw=none") == 1
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 3


def test_folders_keep_their_shape_and_endings_their_case(pictures, tmp_path):
    (pictures / "deep" / "er").mkdir(parents=True)
    (pictures / "face_1.png").rename(pictures / "deep" / "er" / "FACE_1.PNG")
    (pictures / "face_0.png").rename(pictures / "face_0.Png")
    out = tmp_path / "out"
    assert main(["predict", "--model=face-mobile", f"--out={out}", "--recursive", "--draw=png", str(pictures)]) == 0
    written = {str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()}
    assert written == {"face_0.json", "face_0_found.png", "deep/er/FACE_1.json", "deep/er/FACE_1_found.png"}


def test_boxes_of_a_file_several_to_a_picture(pictures, tmp_path, capsys):
    boxes = tmp_path / "boxes.csv"
    boxes.write_text("image,x0,y0,x1,y1\nface_0.png,40,30,130,120\nface_0.png,20,30,90,120\nother.png,1,1,2,2\n")
    out = tmp_path / "out"
    assert main(["predict", "--model=face-mobile", f"--out={out}", f"--boxes={boxes}", str(pictures)]) == 0
    assert [each["box"] for each in objects_of(out / "face_0.json")] == [[40, 30, 130, 120], [20, 30, 90, 120]]
    assert [each["box_from"] for each in objects_of(out / "face_1.json")] == ["detector"]
    assert "other.png: boxes without a picture" in capsys.readouterr().err
    boxes.with_suffix(".json").write_text(json.dumps({"face_0.png": [[1, 2, 3]]}))
    json_boxes = f"--boxes={boxes.with_suffix('.json')}"
    assert main(["predict", "--model=face-mobile", f"--out={out}", json_boxes, str(pictures)]) == 2
    assert "boxes.json, face_0.png: [1, 2, 3]: a box is" in capsys.readouterr().err


def test_two_processes_give_what_one_gives(pictures, tmp_path):
    for jobs in (1, 2):
        flags = [f"--out={tmp_path / str(jobs)}", f"--jobs={jobs}", f"--coco={tmp_path / f'{jobs}.json'}"]
        assert main(["predict", "--model=face-mobile", *flags, str(pictures)]) == 0
    assert files_of(tmp_path / "1") == files_of(tmp_path / "2")
    assert (tmp_path / "1.json").read_text() == (tmp_path / "2.json").read_text()


def test_an_empty_scene_gives_no_object_and_says_so(tmp_path, capsys):
    save_png(tmp_path / "empty.png", background(np.random.default_rng(0), 300))
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", str(tmp_path / "empty.png")]) == 0
    assert objects_of(tmp_path / "out" / "empty.json") == []
    printed = capsys.readouterr()
    assert "empty.png: nothing found by the detector" in printed.err and "0 objects found" in printed.out


def test_a_model_without_a_detector_takes_the_whole_picture_and_says_so(tmp_path, capsys):
    save_png(tmp_path / "body.png", draw("lsp14", 8, 0))
    assert main(["predict", "--model=pose-mobile", f"--out={tmp_path / 'out'}", str(tmp_path / "body.png")]) == 0
    (body,) = objects_of(tmp_path / "out" / "body.json")
    assert body["box_from"] == "whole picture" and body["box"] == [-0.5, -0.5, 159.5, 159.5]
    assert "no detector of boxes comes with pose-mobile" in capsys.readouterr().err


def test_home_is_expanded_behind_an_equals_sign(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert main(["predict", "--model=face-mobile", "--out=~/found", str(pictures / "face_0.png")]) == 0
    assert (tmp_path / "home" / "found" / "face_0.json").exists()


def files_of(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_results_beside_the_pictures_leave_them_alone(pictures, capsys):
    before = files_of(pictures)
    predict = ["predict", "--model=face-mobile", f"--out={pictures}", str(pictures)]
    for _ in range(2):  # the second call finds its own overlays in the folder, and takes them for no pictures
        assert main(predict) == 0
    after = files_of(pictures)
    assert set(after) - set(before) == {f"face_{i}{end}" for i in (0, 1) for end in (".json", "_found.jpg")}
    assert {name: after[name] for name in before} == before
    assert main([*predict[:-1], str(pictures / "face_0_found.jpg")]) == 2
    assert "cunet drew this picture" in capsys.readouterr().err


def test_pictures_that_share_a_stem_keep_their_whole_names(pictures, tmp_path):
    (pictures / "face_0.jpg").write_bytes((pictures / "face_0.png").read_bytes())
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", str(pictures)]) == 0
    names = {"face_0.png.json", "face_0.jpg.json", "face_1.json"}
    assert {name for name in files_of(tmp_path / "out") if name.endswith(".json")} == names
    assert "face_0.png_found.jpg" in files_of(tmp_path / "out")


@pytest.mark.parametrize("victim", ["face_1.json", "face_0_found.jpg"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_what_somebody_else_wrote_is_refused_before_any_work(pictures, tmp_path, victim, kind, capsys):
    out = tmp_path / "out"
    out.mkdir()
    precious = out / victim if kind == "file" else tmp_path / "precious"
    if kind != "dangling link":
        precious.write_text("precious")
    if kind != "file":
        (out / victim).symlink_to(precious)
    assert main(["predict", "--model=face-mobile", f"--out={out}", str(pictures)]) == 2
    assert f"{victim} exists and was not written by cunet" in capsys.readouterr().err
    assert [file.name for file in out.iterdir()] == [victim] and precious.exists() == (kind != "dangling link")


def test_out_that_is_a_file_is_one_line(pictures, capsys):
    face = pictures / "face_0.png"
    before = face.read_bytes()
    assert main(["predict", "--model=face-mobile", f"--out={face}", str(face)]) == 2
    assert "face_0.png is not a folder: --out" in capsys.readouterr().err
    assert face.read_bytes() == before


def test_decoders_say_nothing_beside_the_error(pictures, tmp_path, capfd):
    data = (pictures / "face_0.png").read_bytes()
    (pictures / "cut.png").write_bytes(data[: len(data) // 2])
    (pictures / "odd.png").write_bytes(data[:40] + bytes(40) + data[80:])
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", "--detector=none", str(pictures)]) == 1
    lines = [line for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert sum(line.startswith("skipped ") for line in lines) >= 1
    assert all(str(tmp_path) in line or line.startswith(("notice:", "skipped ")) for line in lines), lines
