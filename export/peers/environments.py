"""An environment for each package, made by ``venv`` and ``pip``."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cunet_tf.errors import CUNetError

TENSORFLOW = "tensorflow==2.21.*"
STAMP = ".installed"  # holds the requirements that have been installed


@dataclass(frozen=True)
class Peer:
    """A package.

    Attributes:
        name: on the package index.
        requirements: of pip; none for what is installed beside this project anyway.
        legacy: whether it works on legacy Keras (``tf_keras``) only.
    """

    name: str
    requirements: tuple[str, ...] = ()
    legacy: bool = False


PEERS = {
    peer.name: peer
    for peer in (
        Peer("cunet-tf"),
        Peer("keras"),
        Peer("qkeras-v3", ("qkeras-v3==1.2.1", TENSORFLOW)),
        Peer("hgq2", ("hgq2==0.2.0", TENSORFLOW)),
        Peer("larq", ("larq==0.14.0", "tf_keras==2.21.*", TENSORFLOW), legacy=True),
        Peer("ai-edge-quantizer", ("ai-edge-quantizer==0.10.0",)),
    )
}


def prepare(peer: Peer, cache: Path) -> str:
    """The interpreter of a package's environment, which is made where it is missing or of other requirements.

    Args:
        peer: the package.
        cache: folder of all environments.

    Raises:
        CUNetError: the environment cannot be made; ends in pip's last line.
    """
    if not peer.requirements:
        return sys.executable
    folder = cache.absolute() / peer.name
    python, stamp, wanted = folder / "bin" / "python", folder / STAMP, "\n".join(peer.requirements)
    if stamp.is_file() and stamp.read_text() == wanted:
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], peer)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, *peer.requirements], peer)
    stamp.write_text(wanted)
    return str(python)


def _run(call: list[str], peer: Peer) -> None:
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise CUNetError(f"{' '.join(peer.requirements)}: cannot be installed: {lines[-1]}")


def lay_out(folder: Path) -> Path:
    """Copy this package, and nothing else of cunet-tf, to where another environment can import it by its own name.

    Returns:
        The folder, for ``PYTHONPATH``.
    """
    here = Path(__file__).parent
    target = folder / "cunet_tf" / "export" / "peers"
    shutil.copytree(here, target, ignore=shutil.ignore_patterns("__pycache__"))
    for place in (target.parents[1], target.parent):
        (place / "__init__.py").write_text("")
    return folder
