"""DVC's files as they stand at a commit: dvc.yaml, dvc.lock and *.dvc. Read without DVC."""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.model import Material, Origin, OriginKind
from reprocheck.yaml_files import parse_mapping


def tracked(tree: Path) -> tuple[Material, ...]:
    """What the *.dvc files of a tree track, with the digests they name.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    files = sorted(path for path in tree.rglob("*.dvc") if path.is_file())
    inside = (path for path in files if not {".git", ".dvc"} & set(path.relative_to(tree).parts))
    return tuple(
        material
        for path in inside
        for material in pointers(path.read_bytes(), path.relative_to(tree).as_posix())
    )


def locked(tree: Path) -> dict[str, Material]:
    """The inputs that the dvc.lock files of a tree name and that git did not bring, by path.

    Raises `SourceError` for a file that is no YAML mapping.
    """
    files = sorted(path for path in tree.rglob("dvc.lock") if ".git" not in path.parts)
    found = (
        material
        for path in files
        for material in lock_inputs(path.read_bytes(), path.relative_to(tree).as_posix())
    )
    return {item.path: item for item in found if not (tree / item.path).exists()}


def lock_inputs(content: bytes, name: str) -> tuple[Material, ...]:
    """What the stages of a dvc.lock read and no stage of it writes.

    Raises `SourceError` for content that is no YAML mapping.
    """
    stages = parse_mapping(content, name).get("stages")
    locks = [lock for lock in _items(stages) if isinstance(lock, dict)]
    entries = {
        kind: [entry for lock in locks for entry in _items(lock.get(kind)) if _has_path(entry)]
        for kind in ("deps", "outs")
    }
    made = {entry["path"] for entry in entries["outs"]}
    folder = PurePosixPath(name).parent
    return tuple(
        _material(entry, folder, name)
        for entry in entries["deps"]
        if "md5" in entry and not any(_is_inside(entry["path"], out) for out in made)
    )


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


def _material(out: dict[str, Any], folder: PurePosixPath, name: str) -> Material:
    # An entry of DVC 2 has no `hash:`; its md5 is of text with CRLF turned into LF.
    algorithm = "md5" if out.get("hash") == "md5" else "md5-dos2unix"
    return Material(
        path=posixpath.normpath(str(folder / out["path"])),
        algorithm=algorithm if "md5" in out else "unknown",
        digest=str(out.get("md5", "")),
        size=out.get("size"),
        files=out.get("nfiles"),
        origin=Origin(kind=OriginKind.FILE, where=f"{name} at the commit"),
    )
