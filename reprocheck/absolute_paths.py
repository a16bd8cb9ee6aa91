"""Absolute paths of the machine that a run was recorded on."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from reprocheck.errors import ConfigError

# What programs, the system and the sandbox itself need. Below some there is nothing of theirs.
_SYSTEM = tuple(
    PurePosixPath("/", name)
    for name in (
        *("proc", "sys", "dev", "etc", "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"),
        *("boot", "run", "var/run", "nix/store"),
    )
)
_FREE = (PurePosixPath("/usr/src"), PurePosixPath("/run/media"))
_TOO_WIDE = frozenset(("/", "/home", "/root", "/opt", "/var", "/tmp", "/var/tmp", *map(str, _FREE)))  # noqa: S108 - refused


def checked(text: str, where: str) -> str:
    """A path at which an input can be shown, without what is redundant in it.

    Raises `ConfigError` for one that is not absolute, and for the system's own places.
    """
    path = PurePosixPath("/" + text.lstrip("/"))
    if not text.startswith("/") or ".." in path.parts or not _is_plain(text):
        raise _refused(text, where, "it is no absolute path")
    if str(path) in _TOO_WIDE:
        raise _refused(text, where, "too much else is in that folder")
    if is_of_system(path):
        raise _refused(text, where, "programs and the sandbox need that place")
    return str(path)


def is_of_system(path: PurePosixPath) -> bool:
    """Whether a path is the system's: a program, a device, a setting."""
    free = any(path.is_relative_to(each) for each in _FREE)
    return not free and any(path.is_relative_to(each) for each in _SYSTEM)


def _is_plain(text: str) -> bool:
    return all(unicodedata.category(character)[0] != "C" for character in text)


def _refused(text: str, where: str, why: str) -> ConfigError:
    return ConfigError(
        f"{where}: an input cannot be shown as {text[:200]!r}: {why}",
        "name the file or folder that the run read, as  seen_as: /home/me/data/train.csv",
    )
