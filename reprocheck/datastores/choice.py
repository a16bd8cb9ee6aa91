"""Which inputs a run had, and at which digests.

The config's list, where there is one, is the whole list; else what DVC's files at the commit track,
with the digests that the run itself recorded winning over those at the commit.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files, lfs_files, logged_files
from reprocheck.config import Config
from reprocheck.datastores import dvc_folders, places, rules, weak
from reprocheck.datastores.addresses import scheme_of
from reprocheck.datastores.base import Around
from reprocheck.datastores.copies import digest_of
from reprocheck.datastores.rules import Substitute
from reprocheck.errors import RestoreError
from reprocheck.model import (
    Finding,
    Material,
    RecordedFile,
    RunRecord,
    Severity,
)


def choose(
    record: RunRecord,
    config: Config,
    tree: Path,
    substitute: Substitute,
    around: Around | None = None,
) -> tuple[tuple[Material, ...], tuple[Finding, ...]]:
    """The inputs to restore, by path, and what should be known about them; last, weak ones, which
    can only be shown.

    Raises `ConfigError` for a rule in the config that cannot be meant, `RestoreError` for an input
    of the config that nothing names a digest of, or where the files kept with the run contradict
    each other.
    """
    apart = places.split(record, config, substitute)
    record, config = apart.record, apart.config
    around = around or Around(tree=tree, folder=tree)
    pointers = lfs_files.tracked(tree, around.env)
    tracked = dvc_files.at_commit(tree)
    recorded = _recorded(record, pointers, tracked, tree)
    named = {*recorded, *(_normal(rule.path) for rule in config.data)}
    found = (lfs_files.named(pointers, path) for path in named)
    kept = {item.path: item for item in found if item}
    locks = _logged_locks(record.files, tree)
    locked, findings = dvc_folders.without_gits(locks, tracked, tree)
    logged = locked | _logged_pointers(record.files, tracked, config)
    known = {**weak.pinned(record, config, tree), **kept, **tracked, **logged, **recorded}
    chosen = list(known.values())
    if config.data:
        asked = rules.Asked(
            record=record,
            config=config,
            around=around,
            substitute=substitute,
            known=known,
            sources={} if (tree / ".dvc").is_dir() else weak.sources(record, config),
        )
        chosen, said = rules.all_configured(asked)
        findings.extend(said)
    for material in chosen:
        _refuse_outside(material.path)
    findings.extend(_other_than_in_lfs(chosen, pointers))
    seen = places.seen(chosen, config, record, substitute)
    unproved = weak.unproved(record, chosen, tree)
    if config.data:
        unproved = weak.uncovered(unproved, seen)
    findings.extend(weak.findings(unproved, len(chosen)))
    findings.extend(places.unpinned(apart.outside))
    return (*seen, *unproved, *apart.outside), tuple(findings)


def _recorded(
    record: RunRecord,
    pointers: Mapping[str, Material],
    tracked: Mapping[str, Material],
    tree: Path,
) -> dict[str, Material]:
    """What the run itself recorded. A digest that a pointer of LFS names is of that file: a path
    that was recorded may be one of another machine.
    """
    by_digest = {item.digest: path for path, item in sorted(pointers.items(), reverse=True)}
    recorded = {}
    for material in record.data:
        if not material.weak and material.algorithm in ("md5", "sha256"):
            path = _normal(material.path)
            if path not in pointers:
                path = by_digest.get(material.digest, path)
            if scheme_of(path) or path.startswith("/"):
                path = _inside(path, material, tracked, tree)
            recorded[path] = dataclasses.replace(material, path=path, source=_source(material))
    return recorded


def _inside(path: str, material: Material, tracked: Mapping[str, Material], tree: Path) -> str:
    """The tree's path of a file that was recorded by an address or by its path on a machine, as
    MLflow's data sets are: where it ends in the tree's, or where the content is the same. Else
    as it is.
    """
    ends = sorted((each for each in tracked if path.endswith(f"/{each}")), key=len)
    same = sorted(each for each, item in tracked.items() if item.digest == material.digest)
    if ends or same:
        return ends[-1] if ends else same[0]
    parts = PurePosixPath(path).parts
    places = ("/".join(parts[start:]) for start in range(1, len(parts)) if ".." not in parts)
    return next((each for each in places if _has(tree / each, material)), path)


def _has(path: Path, material: Material) -> bool:
    is_file = path.is_file() and not path.is_symlink()
    return is_file and digest_of(path, material.algorithm) == material.digest


def _source(material: Material) -> str:
    """The address that a record names. It must not choose a file of this machine."""
    return "" if scheme_of(material.source) in ("", "file") else material.source


def _normal(path: str) -> str:
    return path if scheme_of(path) else str(PurePosixPath(path))


def _logged_locks(files: Iterable[RecordedFile], tree: Path) -> dict[str, Material]:
    """The inputs that a dvc.lock names which the team logged as a plain artifact."""
    logged: dict[str, Material] = {}
    for file in logged_files.settled(files):
        if PurePosixPath(file.path).name == "dvc.lock":
            place = logged_files.place_of(file.path, tree) or file.path
            found = dvc_files.lock_inputs(file.content, place, tree)
            logged |= {item.path: dataclasses.replace(item, origin=file.origin) for item in found}
    return logged


def _logged_pointers(
    files: Iterable[RecordedFile], tracked: Mapping[str, Material], config: Config
) -> dict[str, Material]:
    """The *.dvc files that the team logged as plain artifacts with the run."""
    open_paths = {_normal(rule.path) for rule in config.data if rule.digest is None}
    logged: dict[str, Material] = {}
    for file in files:
        for material in dvc_files.pointers(file.content, file.path) if _is_pointer(file) else ():
            paths = _paths_meant(material, tracked)
            if config.data and not open_paths.intersection(paths):
                continue  # the config has decided
            if len(paths) > 1:
                raise _unclear(f"may mean {' or '.join(sorted(paths))}", file, config)
            other = logged.setdefault(
                paths[0], dataclasses.replace(material, path=paths[0], origin=file.origin)
            )
            if other.digest != material.digest:
                said = f"gives another hash for {paths[0]} than {other.origin.where}"
                raise _unclear(said, file, config)
    return logged


def _is_pointer(file: RecordedFile) -> bool:
    return file.path.endswith(".dvc")


def _unclear(said: str, file: RecordedFile, config: Config) -> RestoreError:
    return RestoreError(
        f"{file.path}, kept with the run, {said}",
        f"name the path and its hash under data in {config.name}",
    )


def _paths_meant(material: Material, tracked: Mapping[str, Material]) -> list[str]:
    """The paths that a logged pointer can mean: logging it may have lost its folder."""
    if material.path in tracked:
        return [material.path]
    shared = {path: _shared_suffix(path, material.path) for path in tracked}
    longest = max(shared.values(), default=0)
    alike = [path for path in tracked if longest and shared[path] == longest]
    same = [path for path in alike if tracked[path].digest == material.digest]
    return same[:1] or alike or [material.path]


def _shared_suffix(one: str, other: str) -> int:
    pairs = zip(
        reversed(PurePosixPath(one).parts), reversed(PurePosixPath(other).parts), strict=False
    )
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _refuse_outside(path: str) -> None:
    parts = PurePosixPath(path).parts
    external = "://" in path or PurePosixPath(path).is_absolute()
    if not parts or external or ".." in parts or parts[0] == ".git":
        raise RestoreError(
            f"the recorded input '{path}' lies outside the repository",
            "track a copy inside: dvc import-url; or give a path inside, its hash and seen_as "
            "under data in reprocheck.yaml"
            if external
            else "only inputs inside the repository can be restored",
        )


def _other_than_in_lfs(
    chosen: list[Material], pointers: Mapping[str, Material]
) -> Iterable[Finding]:
    for index, material in enumerate(chosen):
        pointer = pointers.get(material.path)
        if pointer and material.algorithm == "sha256" and pointer.digest != material.digest:
            yield Finding(
                code="data-differs",
                severity=Severity.NOTE,
                message=f"{material.path}: {material.digest[:12]}… is restored "
                f"({material.origin.where}); at the commit, git LFS has {pointer.digest[:12]}…",
                hint="commit the data before training",
                pointer=f"/data/{index}",
            )
