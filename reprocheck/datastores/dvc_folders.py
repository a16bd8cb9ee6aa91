"""Folders that a logged dvc.lock names and that git keeps: DVC has no list of them anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files
from reprocheck.datastores.copies import digest_of, files_below
from reprocheck.model import Finding, Material, Severity


def without_gits(
    locked: Mapping[str, Material], tracked: Mapping[str, Material], tree: Path
) -> tuple[dict[str, Material], list[Finding]]:
    """The inputs of a lock that git and the *.dvc files beside it do not bring, and warnings.

    A folder with other content stays one of them, which DVC may have. One with Python modules does
    not: __pycache__, which git ignores, is part of what DVC hashed.
    """
    left, findings = {}, []
    for path, item in locked.items():
        folder = tree / path
        leaves = path.startswith("/") or ".." in PurePosixPath(path).parts
        is_gits = item.digest.endswith(".dir") and path not in tracked and not leaves
        if not is_gits or not folder.is_dir() or not dvc_files.is_brought(folder):
            left[path] = item
        elif _digest(folder, path, tracked) != item.digest:
            if any(folder.rglob("*.py")):
                findings.append(_other(item))
            else:
                left[path] = item
    return left, findings


def _digest(folder: Path, path: str, tracked: Mapping[str, Material]) -> str:
    own = {".git", ".dvc"}  # which DVC does not hash
    files = {
        name: digest_of(folder / name, "md5")
        for name in files_below(folder)
        if not (folder / name).is_symlink() and own.isdisjoint(PurePosixPath(name).parts)
    }
    files |= {
        other.removeprefix(f"{path}/"): item.digest
        for other, item in tracked.items()
        if other.startswith(f"{path}/")
    }
    return dvc_files.directory_digest(files)


def _other(item: Material) -> Finding:
    return Finding(
        code="folder-differs",
        severity=Severity.WARNING,
        message=f"{item.path}: {item.origin.where}, logged with the run, names {item.digest[:12]}… "
        "and the commit has other files; the commit's are used",
        hint="commit before training; list __pycache__ in .dvcignore, or DVC hashes it, too",
        pointer="/data",
    )
