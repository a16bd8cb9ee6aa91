"""Stage restore: brings the run's inputs back at their recorded digests, and proves it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reprocheck.datastores.base import DataStore
from reprocheck.datastores.dvc import DvcStore
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material
from reprocheck.progress import Progress

STORES = {"dvc": DvcStore}


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Restored inputs, kept apart from every tree."""

    folder: Path
    materials: tuple[Material, ...]
    findings: tuple[Finding, ...]

    def copy_into(self, tree: Path) -> None:
        """Puts a trial's own copies of all inputs into its tree, replacing what is there.

        Raises `RestoreError` when a symlink of the tree leads an input outside.
        """
        for material in self.materials:
            source, target = self.folder / material.path, tree / material.path
            remove_inside(tree, material.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)


def restore(
    materials: tuple[Material, ...],
    folder: Path,
    tree: Path,
    repository: Path | None,
    progress: Progress,
) -> Inputs:
    """Restores all materials into `folder`.

    Raises `RestoreError` for the first that is gone or is not what the record says.
    """
    stores: Iterable[DataStore] = [store(tree, repository, progress) for store in STORES.values()]
    findings: list[Finding] = []
    for index, material in enumerate(materials, 1):
        progress.update(f"{material.path} ({index} of {len(materials)})")
        target = folder / material.path
        if _is_in_tree(material, tree / material.path):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / material.path, target)
            continue
        store = next((store for store in stores if store.accepts(material)), None)
        if store is None:
            raise RestoreError(
                f"restoring {material.path}: no store can look for the digest "
                f"{material.algorithm} '{material.digest}' ({material.origin.where})",
                "record the MD5 that DVC uses, or commit the file to git",
            )
        findings.extend(store.restore(material, target))
    return Inputs(folder=folder, materials=materials, findings=tuple(findings))


def _is_in_tree(material: Material, path: Path) -> bool:
    """Whether git itself brought the file, with the recorded digest."""
    if material.algorithm not in ("md5", "sha256") or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, material.algorithm).hexdigest() == material.digest


def remove_inside(tree: Path, path: str) -> None:
    """Removes what is at a path of the tree, if anything.

    Raises `RestoreError` when a symlink of the tree leads it outside.
    """
    target = tree / path
    if not target.parent.resolve().is_relative_to(tree.resolve()):
        raise RestoreError(
            f"{path}: a symlink in the tree leads it outside",
            "replace the symlink by a folder at the commit",
        )
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
