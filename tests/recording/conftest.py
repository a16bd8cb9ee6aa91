"""Situations of a command in a real repository, without asking an interpreter."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reprocheck.config import Config
from reprocheck.recording import code_imports, programs
from reprocheck.recording.base import Asked, Foreseen, Lack, Situation
from tests.conftest import Repo

Situate = Callable[..., Situation]


@pytest.fixture
def situate(repo: Repo) -> Situate:
    """The situation of a command; further names are fields of what was asked or is foreseen."""

    def make(*argv: str, cwd: Path = repo.path, **given: Any) -> Situation:
        command = argv or ("python", "train.py")
        of_asked = {name: given.pop(name) for name in list(given) if name in Asked.__slots__}
        settings = {"env": dict(os.environ), "config": Config(), **of_asked}
        asked = Asked(argv=command, cwd=cwd, **settings)
        known = {"root": repo.path, "commit": commit_of(repo), "own": True, **given}
        foreseen = Foreseen(**known)
        scripts = programs.scripts(command, cwd)
        search = code_imports.search_path(scripts, [], foreseen.search, foreseen.root)
        sources, modules = code_imports.read_sources(scripts, search)
        tracked = frozenset(repo.git("ls-files").splitlines())
        found = Situation(asked=asked, foreseen=foreseen)
        return replace(found, tracked=tracked, sources=sources, modules=modules)

    return make


def commit_of(repo: Repo) -> str:
    return repo.git("rev-list", "--max-count=1", "--all")


def codes(lacks: tuple[Lack, ...]) -> list[str]:
    return [each.finding.code for each in lacks]


@pytest.fixture
def remote(repo: Repo, tmp_path: Path) -> Repo:
    """A bare repository that is the origin of `repo`."""
    place = tmp_path / "remote.git"
    repo.git("init", "--quiet", "--bare", "--initial-branch=main", str(place))
    repo.git("remote", "add", "origin", str(place))
    return Repo.at(place)
