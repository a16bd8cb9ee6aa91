"""Which inputs a run had, and at which digests.

The config's list, where there is one, is the whole list; else what DVC's files at the commit track,
with the digests that the run itself recorded winning over those at the commit.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files, logged_files
from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.errors import ConfigError, RestoreError
from reprocheck.model import (
    Finding,
    Material,
    Origin,
    OriginKind,
    RecordedFile,
    RunRecord,
)

LENGTHS = {32: "md5", 64: "sha256"}

Substitute = Callable[[str, RunRecord], str]


def choose(
    record: RunRecord, config: Config, tree: Path, substitute: Substitute
) -> tuple[tuple[Material, ...], tuple[Finding, ...]]:
    """The inputs to restore, by path, and what should be known about them.

    Raises `ConfigError` for a digest in the config that is none, `RestoreError` for an input of
    the config that no file of DVC tracks, or where the files kept with the run contradict each
    other.
    """
    tracked = dvc_files.at_commit(tree)
    recorded = {
        _normal(material.path): material
        for material in record.data
        if not material.weak and material.algorithm in ("md5", "sha256")
    }
    logged = _logged_locks(record.files, tree) | _logged_pointers(record.files, tracked, config)
    known = tracked | logged | recorded
    if config.data:
        chosen = [_configured(rule, known, record, config, substitute) for rule in config.data]
    else:
        chosen = list(known.values())
    for material in chosen:
        _refuse_outside(material.path)
    return tuple(chosen), ()


def _normal(path: str) -> str:
    return str(PurePosixPath(path))


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


def _configured(
    rule: DataRule,
    known: dict[str, Material],
    record: RunRecord,
    config: Config,
    substitute: Substitute,
) -> Material:
    path = _normal(rule.path)
    if rule.digest is None:
        if path not in known:
            raise RestoreError(
                f"data '{rule.path}' in {config.name}: no digest given, and no DVC file tracks it",
                "give its hash, or name a path that DVC tracks at the run's commit: "
                + (", ".join(sorted(known)[:10]) or "there is none"),
            )
        return known[path]
    digest = substitute(rule.digest, record).strip().lower()
    algorithm = LENGTHS.get(len(digest.removesuffix(".dir")))
    if algorithm is None or set(digest.removesuffix(".dir")) - set("0123456789abcdef"):
        raise ConfigError(
            f"{config.name}: the hash of data '{rule.path}' is '{digest[:80]}', which is no digest",
            "give 32 hexadecimal digits (MD5, DVC's) or 64 (SHA-256)",
        )
    return Material(
        path=path,
        algorithm=algorithm,
        digest=digest,
        size=None,
        files=None,
        origin=Origin(kind=OriginKind.CONFIG, where=f"{config.name}: {rule.digest}"),
    )


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
