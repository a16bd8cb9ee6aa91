"""What a training fetches from an address of which no digest is known: as it is now, and told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reprocheck.datastores.addressed import source_of, told
from reprocheck.datastores.addresses import shown
from reprocheck.datastores.base import Around, Stop
from reprocheck.datastores.fetching import copy
from reprocheck.model import Finding, Material, MaterialPlace, Severity

UNPINNED = "unpinned"
"""In place of a digest, which no document may lack."""


class UnpinnedStore:
    """Web addresses without a digest."""

    def __init__(self, around: Around) -> None:
        self._around, self._stop = around, Stop(around.stop)

    def accepts(self, material: Material) -> bool:
        """Whether the training fetches it, and nothing says what it was."""
        return material.place is MaterialPlace.HOME and material.digest == UNPINNED

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """None: they are single files."""

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes what the address holds now. Raises `RestoreError` when there is nothing."""
        if self._around.trust is not None:
            self._around.trust.check_unpinned(material)
        target.parent.mkdir(parents=True, exist_ok=True)
        with told(material):
            source = source_of(material.source, self._around)
            found, size = copy(source, "", target, "sha256", self._stop)
        return (
            Finding(
                code="resolved-url",
                severity=Severity.NOTE,
                message=f"{shown(material.source)} holds sha256 {found} ({size} bytes) now: the "
                "trials load that",
                hint=f"write  sha256: {found}  under data if that is what the run loaded",
                pointer="/data",
            ),
        )
