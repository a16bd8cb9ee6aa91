"""What the checkout is asked for, what it makes, and a place that it looks into."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck.errors import SourceError
from reprocheck.git import Git
from reprocheck.model import Artifact, CodeState, Finding

Fetch = Callable[[Sequence[str], Path], Mapping[str, Path]]
"""Files of the run's artifacts, by path, perhaps downloaded into a folder; raises `ReadError`."""


def _nothing(_paths: Sequence[str], _folder: Path) -> Mapping[str, Path]:
    return {}


def no_object(_sha256: str) -> Path | None:
    """No object of git LFS is at hand."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the run's tracker holds beside its record."""

    artifacts: tuple[Artifact, ...] = ()
    fetch: Fetch = _nothing
    whole: bool = True  # the list is all there is


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutRequest:
    """What to check out, where to look for it, and where to put it."""

    code: CodeState
    repo: str | None  # --repo: a path or URL
    cwd: Path  # the user's
    env: Mapping[str, str]  # the user's
    tree: Path  # to be made
    run_id: str = "RUN_ID"
    kept: Kept = Kept()
    ref: str = ""  # of the remotes, that is asked for first: refs/pull/7/head
    trusted: bool = False  # ask no address that only the run or its commit names
    objects: Callable[[str], Path | None] = no_object  # of git LFS, by SHA-256


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkout:
    """The code of the run."""

    tree: Path
    commit: str  # in full; as recorded where the code is not the commit's
    repository: Path | None  # the user's local repository that it came from
    place: str  # where it came from, in words
    findings: tuple[Finding, ...]
    stored: tuple[str, ...] = ()  # as `CodeState.stored`


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A repository to look into."""

    location: str
    local: Path | None
    words: str
    home: Path | None = None  # the user's own clone of a remote one
    problem: SourceError | None = None  # why it cannot be asked


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A clone of our own that has a commit, and the commit in full."""

    place: Place
    git: Git
    commit: str


class NotHereError(SourceError):
    """A place that has not got the commit, or could not be asked for it."""

    def __init__(self, message: str, hint: str = "", *, asked: bool) -> None:
        super().__init__(message, hint)
        self.asked = asked  # it did answer, and has not got the commit
