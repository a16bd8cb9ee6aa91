"""What surrounds a workflow's run: repositories, secrets, tokens, artifacts, and its event."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.runner.machines import Machine

SERVER = "https://github.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What started a run."""

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any]
    actor: str = "octocat"
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pull_request(self) -> Mapping[str, Any] | None:
        return self.payload.get("pull_request") if self.name == "pull_request" else None

    @property
    def of_a_fork(self) -> bool:
        """Whether code from outside of the repository runs: no secret then, no writing token."""
        pull = self.pull_request
        return bool(pull) and pull["head"]["repo"]["full_name"] != pull["base"]["repo"]["full_name"]


class Artifacts(Protocol):
    """Where artifacts of runs are kept: zips, and files as they are. Names are unique in a run."""

    def add(self, run_id: int, name: str, content: bytes) -> int:
        """Keeps one and returns its id."""

    def of(self, run_id: int) -> dict[str, bytes]:
        """Those of a run by name."""

    def remove(self, run_id: int, name: str) -> None:
        """Forgets one, if it is there."""


@dataclass
class Shelf:
    """Artifacts in memory."""

    held: dict[int, dict[str, bytes]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, run_id: int, name: str, content: bytes) -> int:
        self.held.setdefault(run_id, {})[name] = content
        return next(self._ids)

    def of(self, run_id: int) -> dict[str, bytes]:
        return dict(self.held.get(run_id, {}))

    def remove(self, run_id: int, name: str) -> None:
        self.held.get(run_id, {}).pop(name, None)


@dataclass(kw_only=True)
class World:
    """A repository on a forge, as far as its workflows' runs notice."""

    repository: str
    folder: Path  # for the jobs' own folders
    checkouts: Mapping[str, Path]  # repositories by full name, for checkout
    actions: Mapping[str, Path]  # trees of composite actions by "owner/name"
    pinned: Mapping[str, str] = field(default_factory=dict)  # commits of others' actions
    machine: Callable[[Path], contextlib.AbstractContextManager[Machine]]
    token: Callable[[Mapping[str, str]], str] = lambda scopes: "ghs_of_the_test"
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By environment; "": those of the repository."""
    variables: Mapping[str, str] = field(default_factory=dict)
    artifacts: Artifacts = field(default_factory=Shelf)
    server_url: str = SERVER
    api_url: str = "https://api.github.com"
    graphql_url: str = "https://api.github.com/graphql"
    tool_cache: Path | None = None
    in_temp: Mapping[str, Path] = field(default_factory=dict)
    """Folders that every job finds in its temporary folder: what they hold is made once."""
