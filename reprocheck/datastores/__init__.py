"""Stage restore: brings the run's inputs back at their recorded digests, and proves it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from reprocheck.datastores.addressed import AddressedStore
from reprocheck.datastores.base import Around, DataStore
from reprocheck.datastores.disagreements import disagreements
from reprocheck.datastores.dvc import DvcStore
from reprocheck.datastores.inputs import Inputs, remove_inside
from reprocheck.datastores.lfs import LfsStore
from reprocheck.datastores.manifest import ManifestStore
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material

__all__ = ["Around", "Inputs", "disagreements", "remove_inside", "restore", "stores"]

# Those first that take an input by the place that it names, and not by its digest alone.
STORES: dict[str, Callable[[Around], DataStore]] = {
    "manifest": ManifestStore,
    "address": AddressedStore,
    "dvc": DvcStore,
    "lfs": LfsStore,
}


def stores(around: Around) -> tuple[DataStore, ...]:
    """All stores, in the order in which they are asked."""
    return tuple(store(around) for store in STORES.values())


def restore(materials: tuple[Material, ...], folder: Path, around: Around) -> Inputs:
    """Restores all materials into `folder`.

    Raises `RestoreError` for the first that is gone or is not what the record says.
    """
    asked = stores(around)
    findings: list[Finding] = []
    materials = tuple(material for material in materials if not material.weak)
    for index, material in enumerate(materials, 1):
        around.progress.update(f"{material.path} ({index} of {len(materials)})")
        target = folder / material.path
        if _is_in_tree(material, around.tree / material.path):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(around.tree / material.path, target)
            continue
        store = next((store for store in asked if store.accepts(material)), None)
        if store is None:
            raise RestoreError(
                f"restoring {material.path}: no store can look for the digest "
                f"{material.algorithm} '{material.digest}' ({material.origin.where})",
                "name its url under data in reprocheck.yaml, record the MD5 that DVC uses, "
                "or commit the file to git",
            )
        findings.extend(store.restore(material, target))
    return Inputs(folder=folder, materials=materials, findings=tuple(findings))


def _is_in_tree(material: Material, path: Path) -> bool:
    """Whether git itself brought the file, with the recorded digest."""
    if material.algorithm not in ("md5", "sha256") or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, material.algorithm).hexdigest() == material.digest
