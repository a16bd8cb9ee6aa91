"""Folders that a manifest describes: each of its files is brought and checked by itself.

They are kept at an address; without one, git brought them, or DVC or git LFS has them by digest.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reprocheck.datastores.addressed import WORKERS, source_of
from reprocheck.datastores.addresses import shown
from reprocheck.datastores.base import Around, DataStore, Stop
from reprocheck.datastores.dvc import DvcStore
from reprocheck.datastores.fetching import (
    AbsentError,
    MismatchError,
    Source,
    Wanted,
    fetch,
)
from reprocheck.datastores.lfs import LfsStore
from reprocheck.datastores.local import Local
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material
from reprocheck.numbers import counted

_SHOWN = 5

Bring = Callable[[Wanted, Path], tuple[Finding, ...]]


class _LostError(Exception):
    """No store has the file at its digest."""


class ManifestStore:
    """Folders by a list of their files' digests."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._stop = Stop(around.stop)

    def accepts(self, material: Material) -> bool:
        """Whether a manifest describes it."""
        return material.listing is not None

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the listed files, and beside them what the commit has in that folder.

        Raises `RestoreError` that counts all files that are gone or are other ones.
        """
        try:
            findings = self._bring_all(material, target)
            add_commits_own(self._around.tree, material, target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        return findings

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """The manifest's own."""
        return material.listing

    def _bring_all(self, material: Material, target: Path) -> tuple[Finding, ...]:
        where = shown(material.source) or "the commit, or by digest from DVC or git LFS"
        doing = f"restoring {material.path} from {where} ({material.origin.where})"
        try:
            bring = self._bringer(material)
            bad, findings = self._try_each(material, target, bring)
        except RestoreError as error:
            raise RestoreError(f"{doing}: {error.message}", error.hint) from error
        if bad:
            more = f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
            raise RestoreError(
                f"{doing}: {len(bad)} of {counted(len(material.listing or ()), 'file')} are not "
                f"what the manifest says: {'; '.join(bad[:_SHOWN])}{more}",
                "put the files back that the run read, or name the manifest that the run had",
            )
        return findings

    def _try_each(
        self, material: Material, target: Path, bring: Bring
    ) -> tuple[list[str], tuple[Finding, ...]]:
        """What is wrong with files, in words; a failure that is no file's own is raised."""
        bad: list[str] = []
        findings: dict[str, Finding] = {}  # by code: one of a kind is enough
        files = sorted((material.listing or {}).items())
        with ThreadPoolExecutor(WORKERS) as pool:
            jobs = [
                pool.submit(
                    bring,
                    Wanted(name=name, algorithm=material.algorithm, digest=digest),
                    target / name,
                )
                for name, digest in files
            ]
            try:
                for index, ((name, digest), job) in enumerate(zip(files, jobs, strict=True), 1):
                    try:
                        findings |= {finding.code: finding for finding in job.result()}
                    except AbsentError:
                        bad.append(f"{name} is missing (expected {material.algorithm} {digest})")
                    except (MismatchError, _LostError) as error:
                        bad.append(f"{name}: {error}")
                    self._around.progress.update(f"{material.path}: {index} of {len(jobs)} files")
            except BaseException:
                self._stop.set()  # for those that are in the middle of a large file
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return bad, tuple(findings.values())

    def _bringer(self, material: Material) -> Bring:
        if material.source:
            return self._from(source_of(material.source, self._around))
        return self._by_digest(material)

    def _from(self, source: Source) -> Bring:
        def bring(wanted: Wanted, target: Path) -> tuple[Finding, ...]:
            fetch(source, wanted, target, self._stop)
            return ()

        return bring

    def _by_digest(self, material: Material) -> Bring:
        tree = Local(self._around.tree, "the commit")
        stores = _stores_by_digest(self._around)

        def bring(wanted: Wanted, target: Path) -> tuple[Finding, ...]:
            path = f"{material.path}/{wanted.name}"
            try:
                fetch(tree, dataclasses.replace(wanted, name=path), target, self._stop)
            except (AbsentError, MismatchError):
                # What git brought is another file, or none: perhaps it is kept by its digest.
                one = dataclasses.replace(material, path=path, digest=wanted.digest, listing=None)
                store = next((store for store in stores if store.accepts(one)), None)
                if store is None:
                    raise
                return _restore_one(store, one, target)
            return ()

        return bring


def add_commits_own(tree: Path, material: Material, target: Path) -> None:
    """Copies what git has in a folder beside the listed files: readmes, the list."""
    folder = tree / material.path
    if not folder.resolve().is_relative_to(tree.resolve()):
        return
    for path in sorted(folder.rglob("*")):
        to = target / path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and not to.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)


def _stores_by_digest(around: Around) -> tuple[DataStore, ...]:
    """Those that the commit or the user's repository has anything to do with."""
    roots = [root for root in (around.repository, around.tree) if root is not None]
    dvc = any((root / ".dvc").is_dir() for root in roots) or any(around.tree.rglob(".dvc/config"))
    return (*((DvcStore(around),) if dvc else ()), LfsStore(around))


def _restore_one(store: DataStore, material: Material, target: Path) -> tuple[Finding, ...]:
    try:
        return store.restore(material, target)
    except RestoreError as error:
        raise _LostError(error.message) from error
