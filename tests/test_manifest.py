"""A run says what it was made of, and can be made again from that."""

import dataclasses
import json

import pytest

import cunet_tf as cu
from cunet_tf.cli import main
from cunet_tf.errors import CUNetError
from cunet_tf.skeletons import FACE68
from cunet_tf.trainers import manifest
from cunet_tf.trainers.manifest import data_digest, flags_of, versions


def test_a_digest_sees_every_change_of_the_data(tmp_path):
    source = cu.load_synthetic(FACE68, "3:3")
    digest = data_digest(source)
    assert digest == data_digest(cu.load_synthetic(FACE68, "3:3"))
    moved = source.samples[1].points + [[0.01, 0]]
    changed = [
        source.subset([0, 2, 1]), source.subset([0, 1]),
        dataclasses.replace(source, samples=[source.samples[0], dataclasses.replace(source.samples[1], points=moved),
                                             source.samples[2]]),
    ]  # fmt: skip
    assert len({digest, *map(data_digest, changed)}) == 4
    (tmp_path / "a.jpg").write_bytes(b"one")
    held = dataclasses.replace(source, samples=[dataclasses.replace(source.samples[0], picture=tmp_path / "a.jpg")])
    before = data_digest(held)
    (tmp_path / "a.jpg").write_bytes(b"three")
    assert data_digest(held) != before


def test_versions_name_what_decides():
    assert {"cunet-tf", "python", "keras", "numpy"} <= set(versions())


def test_a_run_holds_its_call_and_its_data(trained_run):
    config = json.loads((trained_run / "config.json").read_text())
    assert config["command"].startswith("cunet train --") and "--data=synthetic" in config["command"]
    assert config["flags"]["epochs"] == 2 and "workdir" not in config["flags"]
    assert len(config["data"]["digest"]) == 64 and config["versions"]["keras"]


def test_the_same_training_from_its_config(trained_run, tmp_path, eagerly):
    """What is given now goes before."""
    again = tmp_path / "again"
    assert main(["train", f"--config={trained_run}", "--epochs=1", f"--workdir={again}"]) == 0
    old, new = (json.loads((folder / "config.json").read_text()) for folder in (trained_run, again))
    assert new["epochs"] == 1 and new["flags"] == {**old["flags"], "epochs": 1}
    for key in ("spec", "data", "recipe", "batch_size", "seed"):
        assert new[key] == old[key], key


def test_changed_data_does_not_go_on(trained_run, tmp_path, capsys):
    config = json.loads((trained_run / "config.json").read_text())
    for file in trained_run.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    config["data"]["digest"] = "0" * 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert main(["train", f"--config={trained_run}", f"--workdir={tmp_path}", "--resume"]) == 2
    assert "--resume: data was" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_a_file_that_is_no_config(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CUNetError, match="config.json: no config.json of a cunet train with its flags"):
        flags_of(tmp_path)


@pytest.mark.parametrize("field, change", [("name", lambda name: name + "x"), ("mask", lambda mask: mask * 0),
                                           ("box", lambda box: box + 1e-6)])  # fmt: skip
def test_a_digest_sees_each_field_of_a_sample(field, change):
    source = cu.load_synthetic(FACE68, "3:2")
    sample = dataclasses.replace(source.samples[0], **{field: change(getattr(source.samples[0], field))})
    other = dataclasses.replace(source, samples=[sample, source.samples[1]])
    assert data_digest(other) != data_digest(source)


def test_a_digest_is_of_what_is_learned_and_not_of_where_it_lies(tmp_path):
    source = cu.load_synthetic(FACE68, "3:1")
    digests = set()
    for place in ("a/x.jpg", "b/x.jpg"):
        (tmp_path / place).parent.mkdir()
        (tmp_path / place).write_bytes(b"same")
        sample = dataclasses.replace(source.samples[0], picture=tmp_path / place)
        digests.add(data_digest(dataclasses.replace(source, split=place, samples=[sample])))
    assert len(digests) == 1
    renamed = dataclasses.replace(FACE68, names=("tip", *FACE68.names[1:]))
    assert data_digest(dataclasses.replace(source, skeleton=renamed)) != data_digest(source)


def test_only_what_is_there_has_a_version(monkeypatch):
    monkeypatch.setattr(manifest, "PACKAGES", ("numpy", "no-such-package"))
    monkeypatch.setattr(manifest, "_commit", lambda: "")
    assert set(versions()) == {"cunet-tf", "python", "numpy"}


def test_an_installed_package_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(manifest, "__file__", str(tmp_path / "site-packages" / "cunet_tf" / "manifest.py"))
    assert manifest._commit() == ""


def test_where_and_how_are_not_taken_over(tmp_path):
    given = {"epochs": 3, "data": "300w", **dict.fromkeys(manifest.NOT_AGAIN, "x")}
    (tmp_path / "config.json").write_text(json.dumps({"flags": given}))
    assert flags_of(tmp_path) == flags_of(str(tmp_path / "config.json")) == {"epochs": 3, "data": "300w"}
    with pytest.raises(CUNetError, match=r"gone: no config.json of a cunet train with its flags \(FileNotFoundError"):
        flags_of(tmp_path / "gone")
