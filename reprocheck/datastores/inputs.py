"""Restored inputs, and each trial's own copies of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, MaterialPlace


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Restored inputs, kept apart from every tree."""

    folder: Path
    materials: tuple[Material, ...]
    findings: tuple[Finding, ...]
    env: Mapping[str, str] = field(default_factory=dict)  # variables that lead trials to caches

    def copy_into(self, tree: Path) -> None:
        """Puts a trial's own copies of all inputs into its tree, replacing what is there.

        Raises `RestoreError` when a symlink of the tree leads an input outside.
        """
        for material in self.materials:
            if material.place is not MaterialPlace.TREE:
                continue
            source, target = self.folder / material.path, tree / material.path
            remove_inside(tree, material.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy2(source, target)


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
