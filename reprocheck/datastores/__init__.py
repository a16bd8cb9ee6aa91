"""Stage restore: brings the run's inputs back at their recorded digests, and proves it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from reprocheck.datastores import dvc_digests, places
from reprocheck.datastores.addressed import AddressedStore
from reprocheck.datastores.base import Around, DataStore
from reprocheck.datastores.bundle import BundleStore
from reprocheck.datastores.copies import digest_of
from reprocheck.datastores.disagreements import disagreements
from reprocheck.datastores.dvc import DvcStore
from reprocheck.datastores.hub import HubStore
from reprocheck.datastores.inputs import Inputs, check_path, remove_inside
from reprocheck.datastores.lfs import LfsStore
from reprocheck.datastores.manifest import ManifestStore
from reprocheck.datastores.several import Several
from reprocheck.datastores.twice import TwiceStore
from reprocheck.datastores.unpinned import UnpinnedStore
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material
from reprocheck.progress import Parts, bytes_bar, watched

__all__ = ["Around", "Inputs", "disagreements", "is_in_tree", "remove_inside", "restore", "stores"]

# Those first that take an input by the place that it names, and not by its digest alone.
STORES: dict[str, Callable[[Around], DataStore]] = {
    "hub": HubStore,
    "unpinned": UnpinnedStore,
    "manifest": ManifestStore,
    "address": AddressedStore,
    "dvc": DvcStore,
    "twice": TwiceStore,
    "lfs": LfsStore,
}


def stores(around: Around) -> tuple[DataStore, ...]:
    """All stores, in the order in which they are asked; with a bundle, no other."""
    if around.bundle is not None:
        return (BundleStore(around, around.bundle),)
    return tuple(store(around) for store in STORES.values())


def restore(
    materials: tuple[Material, ...],
    folder: Path,
    around: Around,
    told: Callable[[Material, tuple[Finding, ...]], None] = lambda *_: None,
) -> Inputs:
    """Restores all materials into `folder`, several at a time, and tells each one's findings.

    Raises `RestoreError` when one is gone or is not what the record says; the others are stopped.
    """
    parts = Parts(around.progress)
    around = dataclasses.replace(around, progress=parts)
    asked = stores(around)
    materials = tuple(material for material in materials if not material.weak)

    def one(material: Material) -> tuple[Finding, ...]:
        check_path(material.path)
        found = _restore(material, places.target_of(folder, material), around.tree, asked)
        told(material, found)
        return found

    total = _bytes_of(materials)
    with watched(folder, lambda size: parts.whole(bytes_bar(size, total))):
        findings = Several(one, around).restore(materials)
    return Inputs(
        folder=folder,
        materials=materials,
        findings=findings,
        env=places.trial_env(materials, folder),
    )


def _bytes_of(materials: tuple[Material, ...]) -> int | None:
    """How many will lie in the folder; None where that is not known."""
    sizes = [each.size for each in materials]
    return sum(size for size in sizes if size) if None not in sizes else None


def _restore(
    material: Material, target: Path, tree: Path, asked: tuple[DataStore, ...]
) -> tuple[Finding, ...]:
    if is_in_tree(material, tree):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / material.path, target)
        return ()
    store = next((store for store in asked if store.accepts(material)), None)
    if store is None:
        raise RestoreError(
            f"restoring {material.path}: no store can look for the digest "
            f"{material.algorithm} '{material.digest}' ({material.origin.where})",
            "name its url under data in reprocheck.yaml, record the MD5 that DVC uses, "
            "or commit the file to git",
        )
    return store.restore(material, target)


def is_in_tree(material: Material, tree: Path) -> bool:
    """Whether git itself brought the file, with the recorded digest."""
    path = tree / PurePosixPath(material.path)
    known = material.algorithm in ("md5", "md5-dos2unix", "sha256")
    if not known or path.is_symlink() or not path.is_file():
        return False
    inside = path.parent.resolve().is_relative_to(tree.resolve())
    if inside and material.algorithm == "md5-dos2unix":
        with path.open("rb") as file, Path(os.devnull).open("wb") as nowhere:
            return dvc_digests.copy(file, nowhere, True, threading.Event()).agree(material.digest)
    return inside and digest_of(path, material.algorithm) == material.digest
