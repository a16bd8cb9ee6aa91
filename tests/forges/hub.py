"""A client of the fake GitHub that never really waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from reprocheck.forges.base import Draft
from reprocheck.forges.github import GitHub
from reprocheck.forges.waiting import Waiting
from tests.forges.github_server import FakeGitHub
from tests.forges.github_state import SHA


@dataclass
class Clock:
    """Passes as it is slept; whole seconds of jitter tell it from what GitHub asks for."""

    now_s: float = 1_000_000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, s: float) -> None:
        self.slept.append(s)
        self.now_s += s

    def waiting(self, most_s: float = 300.0) -> Waiting:
        return Waiting(
            most_s=most_s,
            clock=lambda: self.now_s,
            sleep=self.sleep,
            jitter_s=lambda: 0.25,
            timeout_s=1,
        )


def hub(
    github: FakeGitHub, token: str = "writer", clock: Clock | None = None, **about: str
) -> GitHub:
    return GitHub(
        api_url=about.get("api_url", github.api_url),
        graphql_url=about.get("graphql_url", github.graphql_url),
        repository=about.get("repository", "octo/demo"),
        token=token,
        waiting=(clock or Clock()).waiting(),
    )


def draft(body: str = "It reproduces.", head_sha: str = SHA, **about: int) -> Draft:
    return Draft(
        key="ab12",
        body=body,
        head_sha=head_sha,
        run_id=about.get("run_id", 7),
        attempt=about.get("attempt", 1),
    )
