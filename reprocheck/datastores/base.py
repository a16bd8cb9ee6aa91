"""The seam to data stores: bring an input back at its recorded digest, and prove it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from reprocheck.bundles import Bundle
from reprocheck.datastores.trust import Trust
from reprocheck.model import Finding, Material
from reprocheck.progress import Progress, Silent


class StoppedError(Exception):
    """Another file failed, or a signal came: the rest is not wanted any more."""


class Stop(threading.Event):
    """Tells the threads of one input to end soon: set by a failure among them, or from outside."""

    def __init__(self, outer: threading.Event) -> None:
        super().__init__()
        self._outer = outer

    def is_set(self) -> bool:
        """Whether it is set, here or outside."""
        return super().is_set() or self._outer.is_set()


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What a store may look at besides the material that it is asked for."""

    tree: Path  # a checkout of the run's code
    repository: Path | None = None  # the user's own, whose config may know remotes and credentials
    folder: Path  # of the config, from which relative paths count
    env: Mapping[str, str] = field(default_factory=dict)  # the caller's
    cache: Path | None = None  # what is fetched may be kept here, by digest
    remote: str | None = None  # the only DVC remote to ask
    progress: Progress = field(default_factory=Silent)
    stop: threading.Event = field(default_factory=threading.Event)  # set: end soon, whatever comes
    trust: Trust | None = None  # ask these addresses only; None: those of run and commit, too
    bundle: Bundle | None = None  # ask nothing else
    lists: dict[str, bytes] = field(default_factory=dict)  # manifests that were read, by address


class DataStore(Protocol):
    """A place where inputs are kept. It is only read."""

    def accepts(self, material: Material) -> bool:
        """Whether the store can look for such an input."""

    def restore(self, material: Material, target: Path) -> tuple[Finding, ...]:
        """Writes the file or directory to `target`, every file's digest recomputed.

        Raises `RestoreError` when it is gone, or is not what the record says.
        """

    def listing(self, material: Material) -> Mapping[str, str] | None:
        """The digest of each file of a directory, by its path inside, without a download of the
        files. None: the store cannot tell; it is no directory, or its list is gone.
        """
