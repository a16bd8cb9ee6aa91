"""What an audit is asked for, and what it keeps of a run until the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reprocheck.config import Config
from reprocheck.model import AuditedRun, Material


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRequest:
    """Which runs to look at, and from where."""

    tracking_uri: str
    cwd: Path  # the user's
    env: Mapping[str, str]  # the user's
    config: Config = field(default_factory=Config)
    repo: str | None = None  # --repo: a path or URL
    experiments: tuple[str, ...] = ()  # names or ids; (): the config's, else all
    filter: str = ""  # of MLflow
    limit: int | None = None  # runs
    offline: bool = False  # nothing but the tracker is asked over the network


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A run whose record was graded, and what it names that has to be reachable."""

    run: AuditedRun
    commits: tuple[str, ...] = ()  # as recorded; any one of them gives the code
    repository: str = ""  # as recorded
    stored: bool = False  # the run keeps code of its own, which stands in for a commit
    adds: bool = False  # its code is more than what its commit has
    data: tuple[Material, ...] = ()  # with a digest that covers the content
