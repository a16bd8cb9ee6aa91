"""The fake GitHub as what surrounds a run: its tokens, its artifacts, its list of runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from tests.forges.github_server import FakeGitHub

_TOKENS = itertools.count(1)


def token_of(github: FakeGitHub, scopes: Mapping[str, str]) -> str:
    """A job's token, which may do what the job's permissions say and nothing else."""
    named = {scope.replace("-", "_"): level for scope, level in scopes.items()}
    return github.token(f"ghs_{next(_TOKENS):036}", **named)


@dataclass(frozen=True, slots=True)
class ForgeArtifacts:
    """Artifacts where the fake GitHub hands them out."""

    github: FakeGitHub

    def add(self, run_id: int, name: str, content: bytes) -> int:
        return self.github.repository.add_zip(run_id, name, content).id

    def of(self, run_id: int) -> dict[str, bytes]:
        held = self.github.repository.artifacts.values()
        return {each.name: each.content for each in held if each.run_id == run_id}

    def remove(self, run_id: int, name: str) -> None:
        held = self.github.repository.artifacts
        for number, each in list(held.items()):
            if (each.run_id, each.name) == (run_id, name):
                del held[number]
