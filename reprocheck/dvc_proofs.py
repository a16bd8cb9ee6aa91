"""Whether dvc.lock at the commit says what the stages make with this commit's code and values.

`dvc repro` writes the lock after a stage has run, so a commit may hold that of an earlier state;
what it names then is not what the run read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import dvc_files
from reprocheck.dvc_pipeline import LOCK, DvcStage, inside, overlaps
from reprocheck.dvc_values import PARAMS, UnknownValueError, read_values, select
from reprocheck.model import Material, Origin, OriginKind


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What dvc.lock says that a stage made."""

    materials: Mapping[str, Material]  # by path
    doubt: str = ""  # why that may be what it made before; "" where nothing speaks against it


def proofs(tree: Path, order: list[str], stages: Mapping[str, DvcStage]) -> dict[str, Proof]:
    """The proof of each stage of a list that has every stage after those it depends on."""
    pointers = {item.path: item for item in dvc_files.tracked(tree)}
    found: dict[str, Proof] = {}
    for name in order:
        stage = stages[name]
        materials = {item.path: item for item in _materials(stage)}
        made = {path: item for proof in found.values() for path, item in proof.materials.items()}
        doubts = (
            _doubts_of_lock(stage, materials),
            _doubts_of_values(stage, tree),
            _doubts_of_deps(stage, tree, {**pointers, **made}),
            _doubts_above(stage, stages, found),
        )
        doubt = "" if stage.frozen and materials else next((d for ds in doubts for d in ds), "")
        found[name] = Proof(materials=materials, doubt=doubt)
    return found


def _materials(stage: DvcStage) -> Iterator[Material]:
    for entry in _entries(stage, "outs"):
        path = inside(stage.wdir, entry["path"])
        if path and isinstance(entry.get("md5"), str):
            yield Material(
                path=path,
                algorithm=_algorithm(entry),
                digest=entry["md5"],
                size=entry.get("size"),
                files=entry.get("nfiles"),
                origin=Origin(kind=OriginKind.FILE, where=f"{_lock(stage)} at the commit"),
            )


def _lock(stage: DvcStage) -> str:
    return stage.file.removesuffix("dvc.yaml") + LOCK


def _entries(stage: DvcStage, kind: str) -> list[dict[str, Any]]:
    entries = (stage.lock or {}).get(kind)
    return [
        entry
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    ]


def _algorithm(entry: Mapping[str, Any]) -> str:
    # An entry of DVC 2 has no `hash:`; its md5 is of text with CRLF turned into LF.
    return "md5" if entry.get("hash") == "md5" else "md5-dos2unix"


def _doubts_of_lock(stage: DvcStage, materials: Mapping[str, Material]) -> Iterator[str]:
    if stage.lock is None:
        yield f"{_lock(stage)} at the commit has no stage {stage.short}"
        return
    if stage.always_changed:
        yield f"the stage {stage.short} is declared always_changed"
    command = stage.lock.get("cmd")
    written = command if isinstance(command, list) else str(command).splitlines()
    if tuple(line for line in map(str, written) if line.strip()) != stage.lines:
        yield f"{stage.file} at the commit has another command for {stage.short} than {LOCK}"
    for out in sorted(stage.outs - set(materials)):
        yield f"{_lock(stage)} has no digest of {out}"


def _doubts_of_values(stage: DvcStage, tree: Path) -> Iterator[str]:
    locked = (stage.lock or {}).get("params")
    for name, values in (locked if isinstance(locked, dict) else {}).items():
        path = inside(stage.wdir, str(name))
        now = read_values(tree / path, tree) if path else {}
        for key, value in (values if isinstance(values, dict) else {}).items():
            if _value(now, str(key)) != value:
                yield f"{path or name} at the commit has another {key} than {LOCK}"
    for name, key in _declared(stage):
        if not isinstance(locked, dict) or key not in (locked.get(name) or {}):
            yield f"{LOCK} has no value of {key}"


def _value(values: Mapping[str, Any], key: str) -> object:
    try:
        return values[key] if key in values else select(values, key)
    except UnknownValueError:
        return None


def _declared(stage: DvcStage) -> Iterator[tuple[str, str]]:
    """File and name of each parameter that a stage declares by name."""
    for entry in stage.params:
        if isinstance(entry, str):
            yield PARAMS, entry
        for name, keys in entry.items() if isinstance(entry, dict) else ():
            yield from ((str(name), str(key)) for key in (keys if isinstance(keys, list) else ()))


def _doubts_of_deps(stage: DvcStage, tree: Path, known: Mapping[str, Material]) -> Iterator[str]:
    entries = {inside(stage.wdir, entry["path"]): entry for entry in _entries(stage, "deps")}
    for dep in sorted(stage.deps):
        entry = entries.get(dep)
        if entry is None:
            yield f"{LOCK} has no digest of {dep}"
            continue
        now = _digest_now(tree, dep, known, _algorithm(entry))
        if now is not None and now != entry.get("md5"):
            yield f"{dep} is another at the commit than in {LOCK}"


def _digest_now(tree: Path, path: str, known: Mapping[str, Material], algorithm: str) -> str | None:
    """The digest of what is at a path of the tree, as DVC makes it; None: the lock alone has it."""
    if path in known:
        return known[path].digest
    place = tree / path
    if any(overlaps(path, other) for other in known) or not place.exists():
        return None  # a part of something that is restored at its own digest
    if not place.resolve().is_relative_to(tree.resolve()):
        return ""
    if place.is_file():
        return dvc_files.digest_of(place, algorithm)
    return dvc_files.directory_digest(dvc_files.digests_in(place, algorithm))


def _doubts_above(
    stage: DvcStage, stages: Mapping[str, DvcStage], found: Mapping[str, Proof]
) -> Iterator[str]:
    if stage.frozen:
        return
    for name, proof in found.items():
        fed = any(overlaps(dep, out) for dep in stage.deps for out in stages[name].outs)
        if proof.doubt and fed:
            yield f"it depends on {name}, and {proof.doubt}"
