"""Files of git LFS as they stand at a commit: pointers, read without git-lfs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck.git import Git
from reprocheck.model import Material, Origin, OriginKind

_VERSION = b"version https://git-lfs.github.com/spec/v1\n"
_MOST_BYTES = 1024  # git-lfs takes no larger blob for a pointer


@dataclass(frozen=True, kw_only=True, slots=True)
class Pointer:
    """What stands in git for a file that LFS keeps."""

    oid: str  # its SHA-256
    size: int


def parse(content: bytes) -> Pointer | None:
    """The pointer in a blob, or None."""
    oid = re.search(rb"^oid sha256:([0-9a-f]{64})$", content, re.MULTILINE)
    size = re.search(rb"^size ([0-9]{1,18})$", content, re.MULTILINE)
    if not content.startswith(_VERSION) or oid is None or size is None:
        return None
    return Pointer(oid=oid[1].decode(), size=int(size[1]))


def pointer_of(oid: str, size: int) -> bytes:
    """The content of a pointer."""
    return _VERSION + f"oid sha256:{oid}\nsize {size}\n".encode()


def tracked(tree: Path, env: Mapping[str, str]) -> dict[str, Material]:
    """The files at the commit of a checkout that LFS keeps, by path.

    Read from git's index: in the tree itself the pointers are replaced already.
    """
    git = Git(tree, env)
    if not (tree / ".git").exists() or not git.text("ls-files", "--", "*.gitattributes"):
        return {}
    blobs = dict(_blobs(git))
    return {
        path: Material(
            path=path,
            algorithm="sha256",
            digest=pointer.oid,
            size=pointer.size,
            files=None,
            origin=Origin(kind=OriginKind.FILE, where=f"{path} at the commit, in git LFS"),
        )
        for path, pointer in _pointers(git, blobs)
    }


def named(pointers: Mapping[str, Material], path: str) -> Material | None:
    """What LFS keeps at a path: a file, or the files of a folder, each by its SHA-256."""
    if path in pointers:
        return pointers[path]
    inside = {
        name.removeprefix(f"{path}/"): item
        for name, item in pointers.items()
        if name.startswith(f"{path}/")
    }
    if not inside:
        return None
    listed = "".join(f"{item.digest}  {name}\n" for name, item in sorted(inside.items()))
    return Material(
        path=path,
        algorithm="sha256",
        digest=hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest(),
        size=sum(item.size or 0 for item in inside.values()),
        files=len(inside),
        origin=Origin(kind=OriginKind.FILE, where=f"{path} at the commit, in git LFS"),
        listing={name: item.digest for name, item in inside.items()},
    )


def _blobs(git: Git) -> Iterator[tuple[str, str]]:
    """Path and object id of the plain files that LFS's filter is set for."""
    listed = git("ls-files", "-z", "--stage").stdout.decode(errors="surrogateescape")
    ids = {}
    for line in listed.split("\0"):
        about, _, path = line.partition("\t")
        if about.startswith("100"):  # neither a symlink nor a submodule
            ids[path] = about.split()[1]
    names = "\0".join(ids).encode(errors="surrogateescape")
    attributes = git("check-attr", "-z", "--stdin", "filter", stdin=names).stdout
    fields = attributes.decode(errors="surrogateescape").split("\0")
    for path, value in zip(fields[::3], fields[2::3], strict=False):
        if value == "lfs" and path in ids:
            yield path, ids[path]


def _pointers(git: Git, blobs: Mapping[str, str]) -> Iterator[tuple[str, Pointer]]:
    ids = "\n".join(blobs.values()).encode()
    sizes = git("cat-file", "--batch-check=%(objectsize)", stdin=ids).stdout.split()
    small = [
        (path, blob)
        for (path, blob), size in zip(blobs.items(), sizes, strict=True)
        if size.isdigit() and int(size) <= _MOST_BYTES
    ]
    asked = "\n".join(blob for _, blob in small).encode()
    content = git("cat-file", "--batch=%(objectsize)", stdin=asked).stdout
    for path, _ in small:
        size, _, content = content.partition(b"\n")
        pointer = parse(content[: int(size)])
        content = content[int(size) + 1 :]
        if pointer is not None:
            yield path, pointer
