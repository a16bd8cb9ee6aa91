"""The seam to data stores: bring an input back at its recorded digest, and prove it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from reprocheck.model import Finding, Material


class DataStore(Protocol):
    """A place where inputs are kept. It is only read."""

    def accepts(self, material: Material) -> bool:
        """Whether the store can look for such a digest."""

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file or directory to `target`, every file's digest recomputed.

        Raises `RestoreError` when it is gone, or is not what the record says.
        """
