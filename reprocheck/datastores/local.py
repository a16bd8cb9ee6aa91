"""Files and folders of this machine, also of what is mounted here."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reprocheck.datastores.fetching import CHUNK, AbsentError
from reprocheck.errors import RestoreError


class Local:
    """A path. That it is a symlink is the user's own word; what lies inside may not lead out."""

    def __init__(self, path: Path, shown: str) -> None:
        self._path = path
        self.shown = shown

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[Iterator[bytes]]:
        """The content of a plain file."""
        path = self._inside(name)
        try:
            # Not waiting: what is planted there may be a pipe.
            number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise AbsentError from error
        except OSError as error:
            raise RestoreError(
                f"{path} cannot be read: {error.strerror}", "let this user read it"
            ) from error
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise _no_file(path)
        with os.fdopen(number, "rb") as file:
            yield iter(lambda: file.read(CHUNK), b"")

    def _inside(self, name: str) -> Path:
        root = self._resolved(self._path)
        if not name:
            return root
        path = self._resolved(root / name)
        if not path.is_relative_to(root):
            raise RestoreError(
                f"{name} in {self.shown}: a symlink leads it outside, to {path}",
                "copy the file into the folder",
            )
        return path

    def _resolved(self, path: Path) -> Path:
        try:
            return path.resolve()
        except (OSError, RuntimeError) as error:  # a loop of symlinks
            raise RestoreError(
                f"{path} cannot be read: {error}", "replace the symlink by the file"
            ) from error


def _no_file(path: Path) -> RestoreError:
    if path.is_dir():
        hint = "a folder needs a list of its files: manifest: FILE, as sha256sum writes it"
        return RestoreError(f"{path} is a folder", hint)
    return RestoreError(f"{path} is no plain file", "name a file")
