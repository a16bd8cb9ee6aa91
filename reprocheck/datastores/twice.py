"""Inputs recorded by SHA-256 that DVC tracks by MD5: restored by the one, proved by the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reprocheck import dvc_files
from reprocheck.datastores.base import Around
from reprocheck.datastores.copies import digest_of
from reprocheck.datastores.dvc import DvcStore
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace


class TwiceStore:
    """Files whose recorded SHA-256 names no object of DVC, and which DVC has at the commit."""

    def __init__(self, around: Around) -> None:
        self._tree, self._dvc = around.tree, DvcStore(around)
        self._known: Mapping[str, Material] | None = None

    def accepts(self, material: Material) -> bool:
        """Whether it is a SHA-256 of a single file that DVC tracks at the commit."""
        named = material.source or material.listing
        plain = material.algorithm == "sha256" and material.place is MaterialPlace.TREE
        return plain and not named and self._tracked(material) is not None

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """None: they are single files."""

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file to `target`, both digests recomputed.

        Raises `RestoreError`, also when DVC's file is not what was recorded.
        """
        tracked = self._tracked(material)
        if tracked is None:
            raise AssertionError("only what is accepted is restored")
        findings = self._dvc.restore(tracked, target)
        found = digest_of(target, "sha256")
        if found != material.digest:
            target.unlink()
            raise RestoreError(
                f"restoring {material.path}: expected sha256 {material.digest} "
                f"({material.origin.where}), found {found} in what DVC has at MD5 "
                f"{tracked.digest} ({tracked.origin.where})",
                "the data was changed after the run, or before the commit: give the MD5 that DVC "
                "had then, or a url, under data in reprocheck.yaml",
            )
        return findings

    def _tracked(self, material: Material) -> Material | None:
        if self._known is None:
            self._known = dvc_files.at_commit(self._tree)
        found = self._known.get(material.path)
        if found is None or found.digest.endswith(".dir") or not self._dvc.accepts(found):
            return None
        return found
