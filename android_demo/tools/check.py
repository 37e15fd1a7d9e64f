"""All that can be proved about the Android demo without a phone: ``make android``.

    python android_demo/tools/check.py [--no-apk]

Core tests and the desktop run never skip: without a JDK this fails. The app is compiled, packed, signed and started
(under Robolectric) where the downloads can be had, with a loud message where not.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import apk
import golden
import golden_ports
import java_build
import parity
import robolectric
import toolchain

WEIGHTS = java_build.DEMO.parent / "cunet_tf/weights"
OWN = java_build.DEMO / "models"  # where a user puts files of his own
FACES = 6  # drawn ones, in the desktop run
HEAP = "-Xmx700m"  # hostile files must not need more


def core_tests(java: toolchain.Java, core: Path) -> None:
    """Golden vectors from Python, then the Java tests on them, and on the committed ones of ``docs/ports.md``."""
    vectors = java_build.BUILD / "golden"
    golden.main(str(vectors))
    classes = f"{core}:{java_build.core_tests(java, core)}"
    files = vectors / "golden.json", golden_ports.FILE
    done = subprocess.run([java.java, HEAP, "-cp", classes, "cunet.core.AllTests", *files], check=False)
    if done.returncode:
        raise SystemExit("the core's tests failed")


def desktop_run(java: toolchain.Java) -> None:
    """The core with the real model on drawn faces, beside ``cunet predict``."""
    with tempfile.TemporaryDirectory() as folder:
        result = parity.compare(java, "face-mobile", parity.samples(None, FACES), False, Path(folder))
    print(f"desktop run: {result}")
    if result["same_pixels_largest"] > parity.SAME_PIXELS:
        raise SystemExit("the desktop run gives other landmarks than cunet predict")


def android_app(java: toolchain.Java, core: Path) -> None:
    """The app: compiled, packed, signed, listed and started; a loud message names a download that cannot be had."""
    try:
        linked, inputs = apk.compile_app(java, core)
        print("app: resources linked, compiled against Android 6 (API 23) and Android 14 (API 34)")
        made = apk.assemble(java, linked, inputs, sorted([*WEIGHTS.glob("*.cunet"), *OWN.glob("*.cunet")]))
        print("\n".join(apk.report(java, made)), flush=True)
    except toolchain.Missing as missing:
        print(f"!!! NOT CHECKED: the app, its APK and its activities: {missing}", file=sys.stderr)
        return
    try:
        print(robolectric.run(java, core, linked, robolectric.models()))
    except toolchain.Missing as missing:
        print(f"!!! NOT CHECKED: the app's activities at work: {missing}", file=sys.stderr)


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-apk", action="store_true", help="only what never skips")
    options = parser.parse_args()
    try:
        java = toolchain.java()
    except toolchain.Missing as missing:
        sys.exit(str(missing))
    print(f"Java: {java.origin}", flush=True)
    core = java_build.core(java)
    core_tests(java, core)
    desktop_run(java)
    if not options.no_apk:
        android_app(java, core)


if __name__ == "__main__":
    main()
