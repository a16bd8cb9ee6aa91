"""Whether DVC's caches and remotes have objects: each is asked once, and nothing is fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reprocheck.datastores.dvc_config import Remotes
from reprocheck.datastores.dvc_findings import answers_in_time
from reprocheck.datastores.dvc_objects import Folder, Place

PATIENCE_S = 30.0
"""Seconds that a remote has for all objects."""

_FAILURES = 3  # after which a remote is not asked any more
_OFFLINE = "not asked (--offline)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Where an object is."""

    cached: bool = False
    remote: bool = False
    unasked: tuple[str, ...] = ()  # remotes that could not say, and why


def stored(remotes: Remotes, digests: Iterable[str], *, offline: bool) -> Mapping[str, Stored]:
    """Where each object is. Of a directory its list is looked for, which DVC pushes last."""
    asked = list(dict.fromkeys(digests))
    cache = remotes.cache
    cached = {digest for digest in asked if cache is not None and cache.has(digest)}
    found: set[str] = set()
    problems: dict[str, list[str]] = {digest: [] for digest in asked}
    for place in remotes.places:
        left = [digest for digest in asked if digest not in found]
        asking = _Asking(place=place, remotes=remotes)
        answers = asking.all(left, offline=offline)
        found |= {digest for digest, has in answers.items() if has}
        for digest in left:
            if digest not in answers:
                problems[digest].append(f"{place.words}: {asking.problem}")
    return {
        digest: Stored(
            cached=digest in cached,
            remote=digest in found,
            unasked=() if digest in found else tuple(problems[digest]),
        )
        for digest in asked
    }


@dataclass(kw_only=True, slots=True)
class _Asking:
    """Asks one remote."""

    place: Place
    remotes: Remotes
    problem: str = f"it did not answer within {PATIENCE_S:.0f} s"
    failures: Counter[str] = field(default_factory=Counter)

    def all(self, digests: list[str], *, offline: bool) -> dict[str, bool]:
        """What it says; a digest is missing where it did not."""
        if isinstance(self.place, Folder):
            if not self.place.root.is_dir():
                self.problem = f"there is no folder {self.place.root} on this machine"
                return {}
            return {digest: self.place.has(digest) for digest in digests}
        if offline:
            self.problem = _OFFLINE
            return {}
        told = answers_in_time(self._one, digests, PATIENCE_S)
        return {digest: has for digest, has in told.items() if has is not None}

    def _one(self, digest: str) -> bool | None:
        if self.failures.total() >= _FAILURES:
            return None
        try:
            return self.place.has(digest)
        except Exception as error:  # a cloud's client raises errors of its own kinds
            self.problem = self.remotes.plain(error) or type(error).__name__
            self.failures[self.problem] += 1
            return None
