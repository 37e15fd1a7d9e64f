"""Damaged, cut and oversized pictures: which of them each check finds."""

import cv2
import numpy as np
import pytest

from cunet_tf.cli import main
from cunet_tf.data.check import full_check, quick_check, require_sound
from cunet_tf.data.picture_header import jpeg_header
from cunet_tf.data.sample import MEGAPIXELS, FaultyFile, Source, decode_image, limit_megapixels, read_image
from cunet_tf.data.synthetic import draw
from cunet_tf.errors import CUNetError
from tests.picture_files import png_header
from tests.test_check import SQUARE, person, write_sound

DRAWN = draw("face68", 6, 0)[..., ::-1]
JPEG, PNG = (cv2.imencode(ending, DRAWN)[1].tobytes() for ending in (".jpg", ".png"))


def middle(data: bytes, new: bytes, drop: int) -> bytes:
    half = len(data) // 2
    return data[:half] + new + data[half + drop :]


DAMAGED = {
    "zeros.jpg": middle(JPEG, bytes(1500), 1500),
    "twice.jpg": middle(JPEG, JPEG[1000:2500], 0),
    "hole.jpg": middle(JPEG, b"", 800),
    "marker.jpg": middle(JPEG, b"\xff\xd4", 2),
    "half.jpg": JPEG[: len(JPEG) // 2] + b"\xff\xd9",
    "film.jpg": JPEG[: len(JPEG) // 2] + b"\xff\xd9" + bytes(5000) + JPEG,
    "bit.png": middle(PNG, bytes([PNG[len(PNG) // 2] ^ 1]), 1),
    "half.png": PNG[: len(PNG) // 2],
}


def findings(check, file):
    source = Source("mine", "all", SQUARE, [person(picture=file)])
    return [(finding.severity, finding.kind) for finding in check(source)]


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_inside_a_picture_is_an_error(tmp_path, name, capfd):
    file = tmp_path / name
    file.write_bytes(DAMAGED[name])
    assert findings(quick_check, file) == []  # decodes nothing
    kind = "damaged picture" if name.endswith(".jpg") else "unreadable picture"
    assert findings(full_check, file) == [("error", kind)]
    assert "Corrupt" not in capfd.readouterr().err  # it is in the finding


@pytest.mark.parametrize("name", ["half.jpg", "film.jpg", "hole.jpg", "zeros.jpg", "bit.png", "half.png"])
def test_pictures_that_break_off_or_hold_zeros_are_refused_by_every_verb(tmp_path, name):
    file = tmp_path / name
    file.write_bytes(DAMAGED[name])
    with pytest.raises(CUNetError, match=rf"{name}: (the picture is damaged inside|not a picture)"):
        read_image(file)


@pytest.mark.parametrize("behind", [b"\0\0\0\x18ftypmp42" + bytes(90_000), JPEG, JPEG[:3000]])
def test_a_picture_with_a_film_behind_it_is_sound(tmp_path, behind):
    (tmp_path / "motion.jpg").write_bytes(JPEG + behind)
    assert findings(full_check, tmp_path / "motion.jpg") == []


def test_an_oversized_picture_is_found_without_decoding_it(tmp_path, monkeypatch):
    file = tmp_path / "a.png"
    file.write_bytes(png_header(20_000, 6_000))
    monkeypatch.setattr(cv2, "imdecode", lambda *arguments: pytest.fail("decoded"))
    assert findings(quick_check, file) == [("error", "oversized picture")] == findings(full_check, file)
    with pytest.raises(CUNetError, match="20,000 x 6,000 pixels are 120 megapixels, above the limit of 100"):
        require_sound(Source("mine", "all", SQUARE, [person(picture=file)]))


def test_the_flag_moves_the_limit_of_check_and_of_every_process_of_predict(tmp_path, capsys):
    try:
        write_sound(tmp_path / "set" / "afw", 2)
        flags = ["--data=300w", f"--root={tmp_path / 'set'}", "--split=afw"]
        assert main(["check", *flags, "--max_megapixels=0.02"]) == 1  # drawn faces have 160 x 160 pixels
        assert "160 x 160 pixels are 0.0256 megapixels, above the limit of 0.02" in capsys.readouterr().out
        assert main(["check", *flags]) == 0
        predict = ["predict", "--model=face-mobile", f"--out={tmp_path / 'out'}", "--jobs=2", str(tmp_path / "set/afw")]
        assert main([*predict, "--max-megapixels=0.02"]) == 1
        assert capsys.readouterr().err.count("above the limit of 0.02") == 2
        assert main(predict) == 0
        assert main([*predict, "--max_megapixels=2000"]) == 2
    finally:
        limit_megapixels(MEGAPIXELS)


def test_findings_of_many_threads_belong_to_their_files(tmp_path):
    noise = np.random.default_rng(0)
    samples = []
    for index in range(24):
        data = cv2.imencode(".jpg", noise.integers(0, 256, (60, 60, 3)).astype(np.uint8))[1].tobytes()
        file = tmp_path / f"{index}.jpg"
        file.write_bytes(middle(data, bytes(600), 600) if index % 3 == 0 else data)
        samples.append(person(str(index), picture=file))
    found = full_check(Source("mine", "all", SQUARE, samples))
    assert {finding.sample for finding in found} == {str(index) for index in range(0, 24, 3)}


# Rates on photographs -----------------------------------------------------------------------


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """64 bits of the scan turned over."""
    changed = bytearray(data)
    for place in rng.integers(jpeg_header(data).scan, len(data) - 2, 64):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def over(data: bytes, new: bytes) -> bytes:
    """Bytes written over the middle, never over the end marker."""
    half = len(data) // 2
    new = new[: len(data) - 2 - half]
    return data[:half] + new + data[half + len(new) :]


KINDS = {  # what is done to a file, and the lowest share that check must find, that every verb must find
    "nothing": (lambda data, rng: data, 0, 0),
    "5,000 bytes and a JPEG behind it": (lambda data, rng: data + bytes(5000) + data, 0, 0),
    "3,000 bytes zeroed": (lambda data, rng: over(data, bytes(3000)), 1, 1),
    "500 bytes zeroed": (lambda data, rng: over(data, bytes(500)), 1, 1),
    "64 bits turned over": (flipped, 0.9, 0),
    "cut in half, end marker put behind": (lambda data, rng: data[: len(data) // 2] + b"\xff\xd9", 1, 1),
    "2,000 bytes twice": (lambda data, rng: middle(data, data[len(data) // 2 :][:2000], 0), 0.99, 0),
    "2,000 bytes written over the next": (lambda data, rng: over(data, data[: len(data) // 2][-2000:]), 0.88, 0),
    "2,000 bytes missing": (lambda data, rng: middle(data, b"", 2000), 0.99, 0.99),
}


def refused(data: bytes, strict: bool) -> bool:
    try:
        decode_image("face.jpg", data, strict)
    except FaultyFile:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_of_damaged_photographs_that_are_found(w300_root, kind, capfd):
    rng = np.random.default_rng(0)
    files = sorted(w300_root.rglob("*.jpg"))
    damage, *lowest = KINDS[kind]
    data = [damage(files[index].read_bytes(), rng) for index in rng.permutation(len(files))[:200]]
    rates = [np.mean([refused(each, strict) for each in data]) for strict in (True, False)]
    capfd.readouterr()
    print(f"{kind}: check {rates[0]:.1%}, every verb {rates[1]:.1%}")
    assert all(rate >= low for rate, low in zip(rates, lowest, strict=True))
    assert lowest[0] or rates == [0, 0]
