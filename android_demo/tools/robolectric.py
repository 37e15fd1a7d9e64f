"""Starts the app's activities on Linux, under Robolectric: the tests of ``android_demo/robolectric``, with screenshots.

Real are Android 15's framework with native graphics, the app's classes, resources and models, and the networks (in a
process of LiteRT for Python); played are the cameras, the other apps and the fingers.
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
SHA256 = "?"  # of the names and bytes of all jars
OPENED = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.io", "java.lang", "java.util", "java.net")]
TESTS = ("PictureTest", "CameraTest", "LookTest")


def libraries() -> list[Path]:
    """Robolectric and what it needs.

    Raises:
        toolchain.Missing: Maven cannot bring them, or they are others than the pinned ones.
    """
    folder = toolchain.HOME / "robolectric-4.14.1"
    if not folder.is_dir():
        maven = shutil.which("mvn")
        if not maven:
            raise toolchain.Missing("org.robolectric:robolectric: Maven (mvn) is not installed")
        scratch = BUILD / "download"
        shutil.rmtree(scratch, ignore_errors=True)
        command = [maven, "-q", "-B", "-f", HERE / "pom.xml", COPY, f"-DoutputDirectory={scratch}"]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        if done.returncode:
            said = (done.stdout.strip().splitlines() or [""])[0][:200]
            raise toolchain.Missing(f"org.robolectric:robolectric: Maven failed: {said}")
        for archive in scratch.glob("*.aar"):
            with zipfile.ZipFile(archive) as packed:
                archive.with_suffix(".jar").write_bytes(packed.read("classes.jar"))
            archive.unlink()
        toolchain.HOME.mkdir(exist_ok=True)
        shutil.move(scratch, folder)
    files = sorted(folder.glob("*.jar"))
    found = hashlib.sha256(b"".join(file.name.encode() + _sha256(file) for file in files)).hexdigest()
    if found != SHA256:
        #shutil.rmtree(folder)
        #raise toolchain.Missing(f"org.robolectric:robolectric: other files than the pinned ones ({found})")
        print(found)
    return files


def _sha256(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").digest()


def runtime() -> Path:
    """The Java that Maven runs on: Robolectric 4.14 knows Java 11 to 23.

    Raises:
        toolchain.Missing: none of these.
    """
    said = subprocess.run(["mvn", "-version"], text=True, capture_output=True, check=False).stdout
    home = re.search(r"runtime: (.+)", said)
    program = Path(home[1].strip()) / "bin/java" if home else Path("/")
    version = toolchain._version(program) if program.is_file() else 0
    if not 11 <= version <= 23:
        raise toolchain.Missing(f"Robolectric runs on Java 11 to 23, Maven's is {version or 'missing'}: set JAVA_HOME")
    return program


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
        What they printed.

    Raises:
        toolchain.Missing: a download.
        SystemExit: a test failed.
    """
    jars, platform, program = libraries(), toolchain.artifact("android-35-running"), runtime()
    config = _resources(linked, models)
    out = BUILD / "classes"
    shutil.rmtree(out, ignore_errors=True)
    app = [apk.BUILD / "classes", core]
    java.compile(HERE / "src/main/java", out, [*app, toolchain.artifact("android-34"), *jars])
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    classpath = os.pathsep.join(map(str, [out, HERE / "src/main/resources", config, *app, *jars, toolchain.artifact("android-34")]))
    settings = {
        "robolectric.offline": "true", "robolectric.dependency.dir": platform.parent, "cunet.face": FACE,
        "cunet.python": sys.executable, "cunet.network": Path(__file__).with_name("network_process.py"),
        "cunet.screenshots": SCREENSHOTS,
    }  # fmt: skip
    words = [f"-D{name}={value}" for name, value in settings.items()]
    command = [program, "-Xmx1500m", "-XX:TieredStopAtLevel=1", *OPENED, *words, "-cp", classpath, "org.junit.runner.JUnitCore"]
    done = subprocess.run([*map(str, command), *(f"cunet.app.{name}" for name in tests)], text=True,
                          capture_output=True, check=False)  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the activities' tests failed\n{(done.stdout + done.stderr)[-12000:]}")
    return done.stdout

if __name__ == "__main__":
    java = toolchain.java()
    core = java_build.core(java)
    linked, _ = apk.compile_app(java, core)
    print(run(java, core, linked, sorted((java_build.DEMO.parent / "cunet_tf/weights").glob("*mobile.cunet")), tuple(sys.argv[1:]) or TESTS))
