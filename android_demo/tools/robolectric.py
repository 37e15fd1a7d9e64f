"""Starts the app's activities on Linux, under Robolectric: the tests of ``android_demo/robolectric``, with screenshots.

Real are Android 15's framework with native graphics, the app's classes, resources and models, and the networks (in a
process of LiteRT for Python); played are the cameras, the face detectors, the other apps and the fingers.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import apk
import java_build
import toolchain

HERE = java_build.DEMO / "robolectric"
SCREENSHOTS = java_build.BUILD / "screenshots"
BUILD = java_build.BUILD / "robolectric"
FACE = java_build.DEMO.parent / "docs/pictures/astronaut.jpg"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
SHA256 = "50be8be5720e1c7a031fc76b45c6b42452c0284c4ee665fc3b3392bc24003bb7"  # over names and sha256 of all jars
FOLDER = "robolectric-4.14.1"
JAVA = range(11, 24)  # what Robolectric 4.14 runs on
OPENED = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.io", "java.lang", "java.util", "java.net")]
TESTS = ("PictureTest", "CameraTest", "LookTest")


def libraries() -> list[Path]:
    """Robolectric and what it needs.

    Raises:
        toolchain.Missing: Maven cannot bring them, or they are others than the pinned ones.
    """
    folder = toolchain.HOME / FOLDER
    if not folder.is_dir():
        _download(folder)
    files = sorted(folder.glob("*.jar"))
    found = hashlib.sha256(b"".join(file.name.encode() + _sha256(file) for file in files)).hexdigest()
    if found != SHA256:
        shutil.rmtree(folder)
        raise toolchain.Missing(f"{FOLDER}: Maven's files are not the pinned ones, their sum is {found}")
    return files


def _download(folder: Path) -> None:
    """What ``pom.xml`` names, by Maven; into place in one step."""
    maven = shutil.which("mvn")
    if not maven:
        raise toolchain.Missing(f"{FOLDER}: Maven (mvn) is not installed")
    scratch = BUILD / "download"
    shutil.rmtree(scratch, ignore_errors=True)
    command = [maven, "-q", "-B", "-f", HERE / "pom.xml", COPY, f"-DoutputDirectory={scratch}"]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise toolchain.Missing(f"{FOLDER}: Maven failed: {(done.stdout.strip().splitlines() or [''])[0][:200]}")
    for archive in scratch.glob("*.aar"):
        with zipfile.ZipFile(archive) as packed:
            archive.with_suffix(".jar").write_bytes(packed.read("classes.jar"))
        archive.unlink()
    toolchain.HOME.mkdir(exist_ok=True)
    shutil.move(scratch, folder)


def _sha256(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def runtime() -> Path:
    """A Java for Robolectric: Maven's own, or an installed one.

    Raises:
        toolchain.Missing: none of the versions that it runs on.
    """
    maven = shutil.which("mvn")
    said = subprocess.run([maven, "-version"], text=True, capture_output=True, check=False).stdout if maven else ""
    homes = [found.strip() for found in re.findall(r"runtime: (.+)", said)]
    homes += [os.environ.get("JAVA_HOME", ""), *map(str, Path("/usr/lib/jvm").glob("*"))]
    for program in (Path(home) / "bin/java" for home in homes if home):
        if program.is_file() and toolchain.version(program) in JAVA:
            return program
    raise toolchain.Missing(
        f"Robolectric needs Java {JAVA[0]} to {JAVA[-1]}: install one, such as openjdk-17-jre-headless"
    )


def _resources(linked: Path, models: list[Path]) -> Path:
    """The linked resources with the models among the assets, and the file that tells Robolectric where they are."""
    resources = BUILD / "resources.apk"
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copy(linked, resources)
    with zipfile.ZipFile(resources, "a", zipfile.ZIP_STORED) as out:
        for model in models:
            out.write(model, f"assets/models/{model.name}")
    told = BUILD / "config/com/android/tools/test_config.properties"
    told.parent.mkdir(parents=True, exist_ok=True)
    (BUILD / "assets").mkdir(exist_ok=True)
    told.write_text(
        f"android_resource_apk={resources}\nandroid_merged_manifest={apk.BUILD / 'AndroidManifest.xml'}\n"
        f"android_merged_assets={BUILD / 'assets'}\nandroid_custom_package=cunet.app\n"
    )
    return BUILD / "config"


def run(java: toolchain.Java, core: Path, linked: Path, models: list[Path], tests: tuple[str, ...] = TESTS) -> str:
    """Compile the tests against what :func:`apk.compile_app` left, and run them.

    Returns:
        One line: how many tests, and where the screenshots are.

    Raises:
        toolchain.Missing: a download.
        SystemExit: a test failed.
    """
    jars, program = libraries(), runtime()
    settings = {
        "robolectric.offline": "true",
        "robolectric.dependency.dir": toolchain.artifact("android-35-running").parent,
        "cunet.face": FACE,
        "cunet.python": sys.executable,
        "cunet.network": Path(__file__).with_name("network_process.py"),
        "cunet.screenshots": SCREENSHOTS,
    }
    config, out, platform = _resources(linked, models), BUILD / "classes", toolchain.artifact("android-34")
    shutil.rmtree(out, ignore_errors=True)
    app = [apk.BUILD / "classes", core]
    java.compile(HERE / "src/main/java", out, [*app, platform, *jars])
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    classpath = os.pathsep.join(map(str, [out, HERE / "src/main/resources", config, *app, *jars, platform]))
    words = [
        "-Xmx1500m",
        "-XX:TieredStopAtLevel=1",
        *OPENED,
        *(f"-D{name}={value}" for name, value in settings.items()),
    ]
    names = [f"cunet.app.{name}" for name in tests]
    command = [program, *words, "-cp", classpath, "org.junit.runner.JUnitCore", *names]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    passed = re.search(r"^OK \((\d+) tests?\)$", done.stdout, re.MULTILINE)
    if done.returncode or not passed:
        raise SystemExit(f"the activities' tests failed\n{done.stdout[-20000:]}\n{done.stderr[-4000:]}")
    seconds = re.search(r"^Time: (.+)$", done.stdout, re.MULTILINE)
    shots = len(list(SCREENSHOTS.iterdir()))
    return f"activities: {passed[1]} tests under Robolectric in {seconds[1]} s, {shots} screenshots in {SCREENSHOTS}"


def main() -> None:
    """Compile the app and run its activities; names of test classes run only these."""
    java = toolchain.java()
    core = java_build.core(java)
    linked, _ = apk.compile_app(java, core)
    print(run(java, core, linked, models(), tuple(sys.argv[1:]) or TESTS))


def models() -> list[Path]:
    """Two small models, a face's and a body's."""
    return sorted((java_build.DEMO.parent / "cunet_tf/weights").glob("*-mobile.cunet"))


if __name__ == "__main__":
    main()
