"""Folders that a logged dvc.lock names and that git keeps: DVC has no list of them anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from reprocheck import dvc_files
from reprocheck.model import Finding, Material, Severity


def without_gits(
    locked: Mapping[str, Material], tracked: Mapping[str, Material], tree: Path
) -> tuple[dict[str, Material], list[Finding]]:
    """The inputs of a lock that git and the *.dvc files beside it do not bring, and warnings.

    A folder with other content stays one of them, which DVC may have. One with Python modules does
    not: __pycache__, which git ignores, is part of what DVC hashed. Nor does one around a folder
    of DVC's, whose files are not known yet.
    """
    left, findings = {}, []
    for path, item in locked.items():
        folder = tree / path
        leaves = path.startswith("/") or ".." in PurePosixPath(path).parts
        is_gits = item.digest.endswith(".dir") and path not in tracked and not leaves
        if not is_gits or not folder.is_dir() or not dvc_files.is_brought(folder):
            left[path] = item
        elif _digest(folder, item, tracked) != item.digest:
            lists = any(
                each.digest.endswith(".dir") and other.startswith(f"{path}/")
                for other, each in tracked.items()
            )
            if lists or any(folder.rglob("*.py")):
                findings.append(_other(item))
            else:
                left[path] = item
    return left, findings


def _digest(folder: Path, item: Material, tracked: Mapping[str, Material]) -> str:
    path = item.path
    files = dvc_files.digests_in(folder, item.algorithm)
    files |= {
        other.removeprefix(f"{path}/"): material.digest
        for other, material in tracked.items()
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
