"""DVC's files as they stand at a commit: dvc.yaml, dvc.lock and *.dvc. Read without DVC."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.model import Material, Origin, OriginKind
from reprocheck.yaml_files import parse_mapping, read_mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class DvcStage:
    """A stage: its command lines, its directory, and paths relative to the file's folder."""

    lines: tuple[str, ...]
    wdir: str
    deps: frozenset[str]
    outs: frozenset[str]
    removed: frozenset[str]  # outs that DVC removes before it runs the stage


def stages(folder: Path) -> dict[str, DvcStage]:
    """The stages of a folder's dvc.yaml, with the values that their command lines name.

    A line whose values are not known is taken from dvc.lock, as that resolved it. Not first from
    there: `dvc repro` writes the lock after the run, so the commit's may be that of a run before.
    """
    document = read_mapping(folder / "dvc.yaml") or {}
    written = document.get("stages")
    locked = (read_mapping(folder / "dvc.lock") or {}).get("stages")
    locked = locked if isinstance(locked, dict) else {}
    values = _variables(folder, document)
    found = {}
    for name, stage in (written if isinstance(written, dict) else {}).items():
        if not isinstance(stage, dict):
            continue
        lock = locked.get(name)
        lines = _lines(stage.get("cmd"), values)
        lines = lines or _lines(lock.get("cmd") if isinstance(lock, dict) else None, {})
        if lines:
            wdir = str(stage.get("wdir", "."))
            outs = [out for kind in ("outs", "metrics", "plots") for out in _items(stage.get(kind))]
            found[str(name)] = DvcStage(
                lines=lines,
                wdir=wdir,
                deps=_paths(stage.get("deps"), wdir),
                outs=_paths(outs, wdir),
                removed=_paths([out for out in outs if not _persists(out)], wdir),
            )
    return found


def _variables(folder: Path, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `${...}` may name: params.yaml, then the file's own `vars`."""
    values = dict(read_mapping(folder / "params.yaml") or {})
    given = document.get("vars")
    for entry in given if isinstance(given, list) else []:
        path = folder / entry if isinstance(entry, str) else folder
        inside = path.resolve().is_relative_to(folder.resolve())
        if isinstance(entry, dict):
            values |= entry
        elif inside and path.suffix in (".yaml", ".yml", ".json"):  # JSON is YAML
            values |= read_mapping(path) or {}
    return values


def _lines(command: object, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The command's lines with their values; nothing where one is not known."""
    written = command if isinstance(command, list) else [command]
    lines = [_filled(line, values) if isinstance(line, str) else None for line in written]
    return tuple(line for line in lines if line) if all(lines) else ()


def _filled(line: str, values: Mapping[str, Any]) -> str | None:
    unknown = False

    def value(match: re.Match[str]) -> str:
        nonlocal unknown
        found: Any = values
        for key in match[1].strip().split("."):
            found = found.get(key) if isinstance(found, dict) else None
        unknown |= found is None or isinstance(found, dict | list)
        return str(found).lower() if isinstance(found, bool) else str(found)

    filled = re.sub(r"\$\{([^{}]*)\}", value, line)
    return None if unknown or "${" in filled else filled


def _persists(out: object) -> bool:
    options = next(iter(out.values())) if isinstance(out, dict) and out else None
    return isinstance(options, dict) and options.get("persist") is True


def _paths(entries: object, wdir: str) -> frozenset[str]:
    """Paths of deps or outs: each is a name, or a mapping with the name as its only key."""
    names = [
        next(iter(entry)) if isinstance(entry, dict) and entry else entry
        for entry in (entries if isinstance(entries, list) else [])
    ]
    return frozenset(str(PurePosixPath(wdir, str(name))) for name in names)


def upstream(last: str, stages: Mapping[str, DvcStage]) -> list[str]:
    """The stage and all that it depends on, in an order in which they can run."""
    ordered: list[str] = []
    todo = [(last, False)]
    seen: set[str] = set()
    while todo:
        name, done = todo.pop()
        if done:
            ordered.append(name)
            continue
        if name in seen:
            continue
        seen.add(name)
        todo.append((name, True))
        todo.extend(
            (other, False) for other in stages if _feeds(stages[other], stages[name], other, name)
        )
    return ordered


def _feeds(producer: DvcStage, consumer: DvcStage, name: str, other: str) -> bool:
    return name != other and any(
        dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/")
        for dep in consumer.deps
        for out in producer.outs
    )


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
