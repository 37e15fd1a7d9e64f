import json
import subprocess
import sys

import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.synthetic import draw, load_synthetic
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
    assert set(record) == {"written_by", "image", "width", "height", "box", "skeleton", "landmarks", "scores"}
    assert (record["width"], record["height"], record["skeleton"]) == (160, 160, "face68")
    assert np.array(record["landmarks"]).shape == (68, 2) and len(record["scores"]) == 68
    assert (tmp_path / "out" / "face_0_found.jpg").exists()


def test_box_is_used(pictures, tmp_path):
    box = load_synthetic(FACE68, "8:1").samples[0].box
    text = ",".join(f"{value:.2f}" for value in box)
    out = tmp_path / "out"
    assert main(["predict", "--model=face-mobile", f"--out={out}", f"--box={text}", str(pictures / "face_0.png")]) == 0
    np.testing.assert_allclose(json.loads((out / "face_0.json").read_text())["box"], box, atol=0.01)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["{p}/face_0.png", "--box=10,10,5,20"], "x0 < x1"),
        (["{p}/face_0.png", "--box=1,2,3"], "x0,y0,x1,y1"),
        (["{p}/nothing.png"], "nothing.png: no such file"),
        (["{p}/face_0.png", "{p}/../twin/face_0.png"], "would write the same result"),
        (["{p}/cut.jpg"], "cut.jpg"),
        (["{p}/../empty"], "no picture in this folder"),
    ],
)
def test_bad_input(pictures, tmp_path, arguments, words, capsys):
    (tmp_path / "twin").mkdir()
    (tmp_path / "twin" / "face_0.png").write_bytes((pictures / "face_0.png").read_bytes())
    (tmp_path / "empty").mkdir()
    (pictures / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 50)
    arguments = [argument.format(p=pictures) for argument in arguments]
    assert main(["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_bad_pictures_can_be_passed_over(pictures, tmp_path, capsys):
    (pictures / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\x00" * 50)
    flags = ["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", "--allow_bad", str(pictures), "--json"]
    assert main(flags) == 0
    result = json.loads(capsys.readouterr().out)
    assert len(result["pictures"]) == 2 and result["skipped"][0].endswith("cut.jpg")


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
