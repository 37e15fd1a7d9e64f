"""Pictures that a data set's files name stay in the data set's folder."""

import os
from pathlib import Path

from cunet_tf.errors import CUNetError
from cunet_tf.reading import require_plain


class Fence:
    """Refuses names that lead out of a folder: absolute ones, ``..``, and links to other places.

    The folder itself may be a link, and so may those in it that lead to places in it.

    Args:
        root: folder of the data set.
        allow_outside: let everything pass.
    """

    def __init__(self, root: Path, allow_outside: bool):
        self._root, self._open = root, allow_outside
        self._inside = os.path.join(os.path.realpath(root), "")
        self._folders: dict[str, str] = {}  # where the pictures' folders really are: asked for once each

    def passed(self, path: Path, where: str) -> Path:
        """``path``, a name of the data set's files joined to its folder.

        Raises:
            CUNetError: it leads out, or cannot be the name of a file; the message begins with ``where``.
        """
        require_plain([str(path).removeprefix(str(self._root))], where)
        if self._open:
            return path
        try:
            inside = self._real(os.fspath(path)).startswith(self._inside)
        except ValueError:  # half a character
            raise CUNetError(f"{where}: {path} is no name of a file: correct it.") from None
        if not inside:
            raise CUNetError(f"{where}: {path} leads out of the data set's folder {self._root}: add "
                             "--allow_outside where that is meant.")  # fmt: skip
        return path

    def _real(self, path: str) -> str:
        os.fsencode(path)  # half a character is no part of a name
        folder, name = os.path.split(path)
        if name in ("", "..") or os.path.islink(path):
            return os.path.join(os.path.realpath(path), "")
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)
