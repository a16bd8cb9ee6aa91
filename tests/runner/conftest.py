"""A world with a repository of actions and workflows that a test writes."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repo
from tests.runner.machines import Here, Machine
from tests.runner.workflows import WorkflowRun, run_workflow
from tests.runner.world import Event, World


@contextlib.contextmanager
def here(_: Path) -> Iterator[Machine]:
    yield Here()


class Sample:
    """Files of a repository, and its workflow as the tests of the runner write it."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder / "repo")
        self.world = World(
            repository="team/project",
            folder=folder / "jobs",
            checkouts={"team/project": self.repo.path},
            actions={"ours/action": folder / "action"},
            machine=here,
        )
        self._folder = folder

    def action(self, text: str, inner: str = "") -> None:
        place = self._folder / "action" / inner
        place.mkdir(parents=True, exist_ok=True)
        (place / "action.yml").write_text(textwrap.dedent(text))

    def run(self, text: str, event: Event | None = None, **world: Any) -> WorkflowRun:
        """Runs a workflow of this text."""
        for name, value in world.items():
            setattr(self.world, name, value)
        path = self._folder / "sample.yml"
        path.write_text(textwrap.dedent(text))
        return run_workflow(path, event or self.push(), self.world)

    def push(self) -> Event:
        commit = self.repo.commit({"file.txt": "content"})
        return Event(name="push", sha=commit, ref="refs/heads/main", payload={"after": commit})


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)
