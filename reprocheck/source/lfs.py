"""Files in git LFS: fetched, and each checked against its sha256."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from reprocheck import lfs_files
from reprocheck.errors import SourceError
from reprocheck.git import Git, last_lines
from reprocheck.hostile import redact

LFS_SETTINGS = (
    "-c",
    "filter.lfs.clean=git-lfs clean -- %f",
    "-c",
    "filter.lfs.smudge=git-lfs smudge -- %f",
    "-c",
    "filter.lfs.process=git-lfs filter-process",
    "-c",
    "filter.lfs.required=true",
)

_NOBODY = ("-c", "user.name=reprocheck", "-c", "user.email=reprocheck@localhost")


def restore(git: Git, objects: Callable[[str], Path | None]) -> None:
    """Replaces LFS pointers by their objects: those at hand, else those of the remotes.

    Raises `SourceError` for those that are missing.
    """
    pointers = _pointers(git)
    for name, oid in pointers.items():
        if found := objects(oid):
            shutil.copyfile(found, git.folder / name)
    if not _missing(git, pointers):
        return
    if shutil.which("git-lfs", path=git.env.get("PATH")) is None:
        raise SourceError(
            f"{len(pointers)} files are kept in git LFS, and git-lfs is not installed",
            "install git-lfs (Debian: apt-get install git-lfs)",
        )
    said, missing = [], pointers
    # A patch may have made other pointers than the commit's; a stash is a commit that has them.
    patched = git.text(*_NOBODY, "stash", "create")
    for commit in ("HEAD", patched) if patched else ("HEAD",):
        for remote in ("origin", "upstream"):
            fetch = git(*LFS_SETTINGS, "lfs", "fetch", remote, commit, trusting=True, check=False)
            said.append(fetch.stderr)
            git(*LFS_SETTINGS, "lfs", "checkout", trusting=True, check=False)
            missing = _missing(git, _laid_out(git, pointers))
            if not missing:
                return
    name, oid = next(iter(missing.items()))
    raise SourceError(
        f"{len(missing)} of {len(pointers)} LFS objects could not be had, among them "
        f"{name} (sha256 {oid}): {redact(last_lines(b''.join(said)))}",
        "push the objects from a machine that has them: git lfs push --all origin",
    )


def _laid_out(git: Git, pointers: Mapping[str, str]) -> Mapping[str, str]:
    """The pointers, after those whose objects are here were replaced; git-lfs only does HEAD's."""
    objects = Path(git.text("rev-parse", "--absolute-git-dir"), "lfs/objects")
    for name, oid in _missing(git, pointers).items():
        found = objects / oid[:2] / oid[2:4] / oid
        if found.is_file():
            shutil.copyfile(found, git.folder / name)
    return pointers


def _missing(git: Git, pointers: Mapping[str, str]) -> dict[str, str]:
    return {name: oid for name, oid in pointers.items() if not _is_object(git.folder / name, oid)}


def _pointers(git: Git) -> dict[str, str]:
    """The sha256 of each LFS file in the tree, by path."""
    listed = git("ls-files", "-z").stdout
    attributes = git("check-attr", "-z", "--stdin", "filter", stdin=listed).stdout
    fields = attributes.decode(errors="surrogateescape").split("\0")
    names = [name for name, value in zip(fields[::3], fields[2::3], strict=False) if value == "lfs"]
    pointers = {}
    for name in names:
        path = git.folder / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1024:
            pointer = lfs_files.parse(path.read_bytes())
            if pointer:
                pointers[name] = pointer.oid
    return pointers


def _is_object(path: Path, oid: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == oid
