"""The stages of the dvc.yaml files of a tree: their commands, files and order. Read without DVC."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck.dvc_values import UnknownValueError, resolved, text_of, variables
from reprocheck.errors import SourceError
from reprocheck.yaml_files import read_mapping

FILE, LOCK = "dvc.yaml", "dvc.lock"
_MOST_STAGES = 2000
_OUTS = ("outs", "metrics", "plots")


@dataclass(frozen=True, kw_only=True, slots=True)
class DvcStage:
    """A stage with its values filled in; all paths are relative to the tree's root."""

    name: str  # as DVC addresses it: train, train@cnn, sub/dvc.yaml:train
    folder: str  # of its dvc.yaml
    lines: tuple[str, ...]
    wdir: str
    deps: frozenset[str] = frozenset()
    outs: frozenset[str] = frozenset()
    persistent: frozenset[str] = frozenset()  # outs that DVC leaves there before it runs the stage
    values: Mapping[str, str] = field(default_factory=dict)  # of a foreach or matrix, by name
    params: tuple[object, ...] = ()  # as declared
    frozen: bool = False
    always_changed: bool = False
    lock: Mapping[str, Any] | None = None  # its entry of dvc.lock

    @property
    def file(self) -> str:
        """The path of its dvc.yaml."""
        return str(PurePosixPath(self.folder, FILE))

    @property
    def short(self) -> str:
        """The name within its dvc.yaml."""
        return self.name.rpartition(":")[2]

    @property
    def group(self) -> str:
        """The name that all stages of one foreach or matrix share."""
        return self.short.partition("@")[0]


def stages(tree: Path, needed: Iterable[str] = (".",)) -> dict[str, DvcStage]:
    """All stages of a tree, by name, in the order of their files.

    A stage whose values are not known is taken from dvc.lock, as that resolved it. Not first from
    there: `dvc repro` writes the lock after the run, so the commit's may be that of a run before.
    Raises `SourceError` for a file in one of the folders `needed` that is no YAML mapping, and for
    stages without end; elsewhere such a file may be a template, and has none.
    """
    found: dict[str, DvcStage] = {}
    wanted = set(needed)
    for folder in _folders(tree):
        try:
            here = list(itertools.islice(_of_folder(tree, folder), _MOST_STAGES + 1))
        except SourceError:
            if folder in wanted:
                raise
            continue
        found |= {stage.name: stage for stage in here}
        if len(found) > _MOST_STAGES:
            raise SourceError(
                f"reading {FILE} of the run: more than {_MOST_STAGES} stages",
                "write the command of the run into reprocheck.yaml",
            )
    return found


def _folders(tree: Path) -> list[str]:
    """Folders with a dvc.yaml that belongs to the repository's own pipeline, the root first."""
    places = sorted(path.parent.relative_to(tree) for path in tree.rglob(FILE) if path.is_file())
    inside = [place for place in places if not {".git", ".dvc"} & set(place.parts)]
    return [str(place) for place in inside]


def _of_folder(tree: Path, folder: str) -> Iterator[DvcStage]:
    document = _read(tree, folder, FILE)
    written = document.get("stages")
    locked = _read(tree, folder, LOCK).get("stages")
    locks = locked if isinstance(locked, dict) else {}
    values = variables(tree / folder, document.get("vars"), tree)
    for name, entry in (written if isinstance(written, dict) else {}).items():
        if not isinstance(entry, dict):
            continue
        for instance, filling in _instances(str(name), entry, values, locks):
            stage = _stage(instance, folder, entry, {**values, **filling}, locks.get(instance))
            if stage is not None:
                yield stage


def _read(tree: Path, folder: str, name: str) -> dict[str, Any]:
    path = tree / folder / name
    here = path.resolve().is_relative_to(tree.resolve())
    return (read_mapping(path, as_dvc=True) if here else None) or {}


def _instances(
    name: str, entry: Mapping[str, Any], values: Mapping[str, Any], locks: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any]]]:
    """The stage itself, or those that a foreach or matrix makes of it, as DVC names them."""
    try:
        if "matrix" in entry:
            return list(_matrix(name, resolved(entry["matrix"], values)))
        if "foreach" in entry:
            return list(_foreach(name, resolved(entry["foreach"], values)))
    except UnknownValueError:
        return [(key, {}) for key in locks if str(key).startswith(f"{name}@")]
    return [(name, {})]


def _matrix(name: str, axes: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(axes, dict) or not all(isinstance(axis, list) for axis in axes.values()):
        raise UnknownValueError(name)
    for picked in itertools.product(*(enumerate(axis) for axis in axes.values())):
        pairs = list(zip(axes, picked, strict=True))
        key = "-".join(
            f"{axis}{index}" if isinstance(value, dict | list) else text_of(value)
            for axis, (index, value) in pairs
        )
        yield f"{name}@{key}", {"key": key, "item": {axis: value for axis, (_, value) in pairs}}


def _foreach(name: str, items: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(items, dict):
        for key, item in items.items():
            yield f"{name}@{text_of(key)}", {"key": text_of(key), "item": item}
    elif isinstance(items, list):
        plain = not any(isinstance(item, dict | list) for item in items)
        for index, item in enumerate(items):
            yield f"{name}@{text_of(item) if plain else index}", {"item": item}
    else:
        raise UnknownValueError(name)


def _stage(
    name: str, folder: str, entry: Mapping[str, Any], values: Mapping[str, Any], lock: object
) -> DvcStage | None:
    template = entry["do"] if isinstance(entry.get("do"), dict) else entry
    locked = lock if isinstance(lock, dict) else None
    filled = {
        kind: _filled(template, kind, values, locked or {})
        for kind in ("cmd", "wdir", "deps", "params", *_OUTS)
    }
    filled["wdir"] = str(filled["wdir"] or ".")
    lines = _lines(filled["cmd"])
    if not lines:
        return None
    wdir = str(PurePosixPath(folder, filled["wdir"]))
    outs = [out for kind in _OUTS for out in _items(filled.get(kind))]
    return DvcStage(
        name=name if folder == "." else f"{folder}/{FILE}:{name}",
        folder=folder,
        lines=lines,
        wdir=posixpath.normpath(wdir),
        deps=_paths(_items(filled.get("deps")), wdir),
        outs=_paths(outs, wdir),
        persistent=_paths([out for out in outs if _persists(out)], wdir),
        values=_told(values.get("item"), values.get("key")) if "@" in name else {},
        params=tuple(_items(filled.get("params"))),
        frozen=template.get("frozen") is True,
        always_changed=template.get("always_changed") is True,
        lock=locked,
    )


def _filled(
    template: Mapping[str, Any], kind: str, values: Mapping[str, Any], lock: Mapping[str, Any]
) -> Any:  # noqa: ANN401  (a file of the project's)
    """A part of a stage with its values; the lock's where one of them is not known."""
    try:
        return resolved(template.get(kind), values, command=kind == "cmd")
    except UnknownValueError:
        return lock.get(kind)


def _told(item: object, key: object) -> dict[str, str]:
    """Values of a foreach or matrix that a run may have logged under the same name."""
    named = item if isinstance(item, dict) else {"item": item, "key": key}
    return {
        str(name): str(value)
        for name, value in named.items()
        if value is not None and not isinstance(value, dict | list)
    }


def _lines(command: object) -> tuple[str, ...]:
    """The lines of a command, each of which DVC starts by itself."""
    written = command if isinstance(command, list) else str(command or "").splitlines()
    return tuple(line for each in written for line in str(each).splitlines() if line.strip())


def _items(node: object) -> list[Any]:
    return list(node) if isinstance(node, list) else []


def _persists(out: object) -> bool:
    options = next(iter(out.values())) if isinstance(out, dict) and out else None
    return isinstance(options, dict) and options.get("persist") is True


def _paths(entries: Iterable[object], wdir: str) -> frozenset[str]:
    """Paths inside the tree. An entry is a name, a mapping with the name as its only key, or that
    of a lock, which has it under `path`.
    """
    names = [
        entry.get("path", next(iter(entry))) if isinstance(entry, dict) and entry else entry
        for entry in entries
    ]
    paths = (inside(wdir, str(name)) for name in names)
    return frozenset(path for path in paths if path)


def inside(wdir: str, name: str) -> str | None:
    """A path in the tree of what a stage names; None for one outside of it, or an address."""
    path = posixpath.normpath(posixpath.join(wdir, name))
    outside = "://" in name or path.startswith("/") or path.split("/")[0] in ("..", ".git", ".")
    return None if outside else path


# --- order --------------------------------------------------------------------------------


def overlaps(one: str, other: str) -> bool:
    """Whether two paths are the same, or one lies inside the other."""
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def upstream(wanted: Iterable[str], stages: Mapping[str, DvcStage]) -> list[str]:
    """The stages and all that they depend on, in an order in which they can run.

    A frozen stage is as DVC takes it: what it made stands, and what it depends on is not needed.
    Raises `SourceError` where stages depend on each other in a circle.
    """
    ordered: list[str] = []
    todo = [(name, False) for name in reversed(list(wanted))]
    above: list[str] = []  # the stages whose dependencies are being looked for
    while todo:
        name, done = todo.pop()
        if done:
            above.pop()
            ordered.append(name)
        elif name in above:
            circle = " > ".join([*above[above.index(name) :], name])
            raise SourceError(
                f"the stages of {FILE} depend on each other in a circle: {circle}",
                "take the output that closes the circle out of the deps or outs of one of them",
            )
        elif name not in ordered:
            above.append(name)
            todo.append((name, True))
            todo.extend((other, False) for other in reversed(feeders(name, stages)))
    return ordered


def feeders(name: str, stages: Mapping[str, DvcStage]) -> list[str]:
    """The stages that make what a stage depends on, in the order of their files."""
    stage = stages[name]
    return (
        []
        if stage.frozen
        else [
            other
            for other in stages
            if other != name
            and any(overlaps(dep, out) for dep in stage.deps for out in stages[other].outs)
        ]
    )


def downstream(wanted: Iterable[str], stages: Mapping[str, DvcStage]) -> list[str]:
    """The stages and all that depend on them, in the order of their files."""
    reached = set(wanted)
    todo = list(reached)
    while todo:
        made = stages[todo.pop()].outs
        for name, stage in stages.items():
            fed = any(overlaps(dep, out) for dep in stage.deps for out in made)
            if name not in reached and fed and not stage.frozen:
                reached.add(name)
                todo.append(name)
    return [name for name in stages if name in reached]
