"""DVC's files as they stand at a commit: dvc.yaml, dvc.lock and *.dvc. Read without DVC."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.dvc_values import UnknownValueError, resolved, variables
from reprocheck.model import Material, Origin, OriginKind
from reprocheck.yaml_files import parse_mapping, read_mapping


def tracked(tree: Path) -> tuple[Material, ...]:
    """What the *.dvc files of a tree track, with the digests they name.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    return tuple(
        material
        for name in _pointer_files(tree)
        for material in pointers((tree / name).read_bytes(), name)
    )


def at_commit(tree: Path) -> dict[str, Material]:
    """All that DVC's files of a tree name and that git did not bring, by path.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    return locked(tree) | {item.path: item for item in tracked(tree)}


def _pointer_files(tree: Path) -> list[str]:
    files = (path for path in tree.rglob("*.dvc") if path.is_file())
    names = sorted(path.relative_to(tree).as_posix() for path in files)
    return [name for name in names if not {".git", ".dvc"} & set(PurePosixPath(name).parts)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a *.dvc file says of where its data is, besides the remotes."""

    path: str  # in the tree
    source: str = ""  # of an import: a path in its repository, or the address it came from
    repository: str = ""  # of `dvc import`
    revision: str = ""  # of that repository, in full
    files: Mapping[str, str] = field(default_factory=dict)  # MD5s by path, where there is no list
    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The version of each file by the remote's name, by the file's path inside; "" is itself."""


def kept(tree: Path) -> dict[str, Kept]:
    """What the *.dvc files of a tree say of where data is, by path in the tree.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    found = {}
    for name in _pointer_files(tree):
        parsed = parse_mapping((tree / name).read_bytes(), name)
        deps = [dep for dep in _items(parsed.get("deps")) if _has_path(dep)]
        for out in filter(_has_path, _items(parsed.get("outs"))):
            folder = PurePosixPath(name).parent / str(parsed.get("wdir", "."))
            path = _path_of(out["path"], folder)
            found[path] = _kept(out, path, deps[0] if len(deps) == 1 else {}, folder)
    return found


def _kept(out: dict[str, Any], path: str, dep: dict[str, Any], folder: PurePosixPath) -> Kept:
    repo = dep.get("repo")
    repo = repo if isinstance(repo, dict) else {}
    source = str(dep.get("path", ""))
    rows = [row for row in _items(out.get("files")) if isinstance(row, dict)]
    return Kept(
        path=path,
        source=source if repo or not source else _path_of(source, folder),
        repository=str(repo.get("url", "")),
        revision=str(repo.get("rev_lock") or repo.get("rev") or ""),
        files=_files(out),
        versions={str(row.get("relpath", "")): _versions(row) for row in [out, *rows]},
    )


def _files(out: dict[str, Any]) -> dict[str, str]:
    """The MD5s of a directory's files where the *.dvc file itself lists them."""
    rows = [row for row in _items(out.get("files")) if isinstance(row, dict)]
    return {str(row["relpath"]): str(row["md5"]) for row in rows if {"relpath", "md5"} <= set(row)}


def _versions(row: dict[str, Any]) -> dict[str, str]:
    cloud = row.get("cloud")
    rows = cloud.items() if isinstance(cloud, dict) else ()
    return {
        str(name): str(known["version_id"])
        for name, known in rows
        if isinstance(known, dict) and known.get("version_id")
    }


def directory_digest(files: Mapping[str, str]) -> str:
    """The digest that DVC gives a directory, from the MD5s of its files by their paths inside."""
    rows = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    content = json.dumps(rows, sort_keys=True).encode()
    return hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"


def digest_of(file: Path, algorithm: str) -> str:
    """The digest of a file in the tree, as DVC makes it."""
    if algorithm == "md5":
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "md5").hexdigest()
    content = file.read_bytes()
    text = content if b"\0" in content[:512] else content.replace(b"\r\n", b"\n")
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def digests_in(folder: Path, algorithm: str) -> dict[str, str]:
    """The digests of what DVC hashes of a folder, by the files' paths inside."""
    own = {".git", ".dvc"}
    files = (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    return {
        each.relative_to(folder).as_posix(): digest_of(each, algorithm)
        for each in files
        if own.isdisjoint(each.relative_to(folder).parts)
    }


def locked(tree: Path) -> dict[str, Material]:
    """The inputs that the dvc.lock files of a tree name and that git did not bring, by path.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    files = sorted(path for path in tree.rglob("dvc.lock") if ".git" not in path.parts)
    found = (
        material
        for path in files
        for material in lock_inputs(path.read_bytes(), path.relative_to(tree).as_posix(), tree)
    )
    return {item.path: item for item in found if not _is_here(item, tree)}


def _is_here(item: Material, tree: Path) -> bool:
    """Whether git brought it; of an absolute path, whether this machine has what the run read."""
    path = tree / item.path
    if not item.path.startswith("/"):
        return is_brought(path)
    if not path.is_file():
        return False
    return digest_of(path, "md5") == item.digest


def is_brought(path: Path) -> bool:
    """Whether git brought something there: of a folder, more than what keeps its place."""
    if not path.is_dir() or ".." in path.parts:
        return path.exists()
    return any(found.is_file() and found.name[0] != "." for found in path.rglob("*"))


def lock_inputs(content: bytes, name: str, tree: Path) -> tuple[Material, ...]:
    """What the stages of a dvc.lock read and no stage of it writes.

    The dvc.yaml beside it in the tree says in which folder each stage runs, from which its paths
    count. Raises `SourceError` for content that is no YAML mapping.
    """
    stages = parse_mapping(content, name).get("stages")
    folder = PurePosixPath(name).parent
    wdirs = _wdirs(tree / folder, tree)
    read: dict[str, Material] = {}
    made: set[str] = set()
    for stage, lock in stages.items() if isinstance(stages, dict) else ():
        if isinstance(lock, dict):
            place = folder / wdirs.get(str(stage).partition("@")[0], ".")
            outs = filter(_has_path, _items(lock.get("outs")))
            made |= {_path_of(out["path"], place) for out in outs}
            deps = [dep for dep in _items(lock.get("deps")) if _has_path(dep) and "md5" in dep]
            read |= {item.path: item for item in (_material(dep, place, name) for dep in deps)}
    return tuple(
        item for path, item in read.items() if not any(_is_inside(path, out) for out in made)
    )


def _wdirs(folder: Path, tree: Path) -> dict[str, str]:
    """The folder in which each stage of a dvc.yaml runs; of `foreach`, too."""
    document = read_mapping(folder / "dvc.yaml", as_dvc=True) or {}
    written = document.get("stages")
    values = variables(folder, document.get("vars"), tree)
    found = {}
    for name, stage in (written if isinstance(written, dict) else {}).items():
        inner = stage.get("do", stage) if isinstance(stage, dict) else {}
        wdir = inner.get("wdir") if isinstance(inner, dict) else None
        try:
            found[str(name)] = str(resolved(wdir, values) or ".")
        except UnknownValueError:
            found[str(name)] = "."
    return found


def _items(node: object) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _has_path(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("path"), str)


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def pointers(content: bytes, name: str) -> tuple[Material, ...]:
    """What one *.dvc file tracks; paths are relative to the root that `name` counts from.

    Raises `SourceError` for content that is no YAML mapping.
    """
    parsed = parse_mapping(content, name)
    folder = PurePosixPath(name).parent / str(parsed.get("wdir", "."))
    outs = parsed.get("outs")
    return tuple(
        _material(out, folder, name)
        for out in (outs if isinstance(outs, list) else [])
        if isinstance(out, dict) and isinstance(out.get("path"), str)
    )


def _path_of(written: str, folder: PurePosixPath) -> str:
    """The path in the tree; as it is written where it is absolute or an address."""
    if "://" in written or written.startswith("/"):
        return written
    return posixpath.normpath(str(folder / written))


def _material(out: dict[str, Any], folder: PurePosixPath, name: str) -> Material:
    # An entry of DVC 2 has no `hash:`; its md5 is of text with CRLF turned into LF.
    algorithm = "md5" if out.get("hash") == "md5" else "md5-dos2unix"
    files = _files(out)
    digest = str(out.get("md5") or (directory_digest(files) if files else ""))
    size = out.get("size")
    return Material(
        path=_path_of(out["path"], folder),
        algorithm=algorithm if digest else "unknown",
        digest=digest,
        size=size if isinstance(size, int) else None,
        files=out.get("nfiles"),
        origin=Origin(kind=OriginKind.FILE, where=f"{name} at the commit"),
        remote=out["remote"] if isinstance(out.get("remote"), str) else None,
    )
