"""Compiles the core, its tests and the desktop runner into ``android_demo/build``."""

import functools
import shutil
from pathlib import Path

import toolchain

DEMO = Path(__file__).resolve().parents[1]
BUILD = DEMO / "build"
CORE = DEMO / "core/src/main/java"
CORE_TESTS = DEMO / "core/src/test/java"
DESKTOP = DEMO / "desktop/src/main/java"


@functools.cache  # the sources do not change while a tool runs
def core(java: toolchain.Java) -> Path:
    """Classes of the core, for Java 8."""
    out = _fresh("core")
    java.compile(CORE, out)
    return out


def core_tests(java: toolchain.Java, core_classes: Path) -> Path:
    """Classes of the core's tests."""
    out = _fresh("core-tests")
    java.compile(CORE_TESTS, out, [core_classes])
    return out


@functools.cache
def desktop(java: toolchain.Java, core_classes: Path) -> Path:
    """Classes of the desktop runner, for Java 22."""
    out = _fresh("desktop")
    java.compile(DESKTOP, out, [core_classes], release=toolchain.OLDEST)
    return out


def launcher(java: toolchain.Java, core_classes: Path, desktop_classes: Path) -> list[str]:
    """The words that start the desktop program; a verb and its options follow."""
    classes = f"{core_classes}:{desktop_classes}"
    return [str(java.java), "--enable-native-access=ALL-UNNAMED", "-cp", classes, "cunet.desktop.Main"]


def _fresh(name: str) -> Path:
    out = BUILD / name
    shutil.rmtree(out, ignore_errors=True)
    return out
