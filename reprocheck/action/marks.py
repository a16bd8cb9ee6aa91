"""What a commit is marked by besides the comment: a status, a check run. Both only where wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reprocheck import checks
from reprocheck.forges.github_nouns import CheckRun, StatusState
from reprocheck.model import Check, Page
from reprocheck.reporters import checked, comment

if TYPE_CHECKING:
    from reprocheck.forges.github import GitHub

_FORK = "by a fork's code: "
_OF_FORKS = " of a fork"
"""Part of the name of a fork's marks: anybody can open a pull request that ends at a commit of
somebody else's, so what its own code says must never stand where ours is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """A commit status."""

    forge: GitHub
    name: str  # reprocheck/…

    def mark(self, check: Check, page: Page) -> None:
        """Sets it; where nothing was verified there is none. Raises `ForgeError`."""
        if not page.head_sha or (checks.verdict(check) is None and not check.waiting):
            return
        self.forge.commit_status(
            page.head_sha,
            _named(self.name, page),
            _state(check),
            _headline(check, page),
            page.workflow_url,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A check run, which holds what the comment does."""

    forge: GitHub
    name: str

    def mark(self, check: Check, page: Page) -> None:
        """Makes it; where nothing was verified there is none. Raises `ForgeError`."""
        if not page.head_sha or checks.verdict(check) is None:
            return
        self.forge.check_run(
            CheckRun(
                name=_named(self.name, page),
                sha=page.head_sha,
                conclusion=_conclusion(check),
                title=_headline(check, page),
                summary=comment.render(check, page),
                external_id=f"{page.run_id}-{page.attempt}",
                details_url=page.workflow_url,
            )
        )


def _named(name: str, page: Page) -> str:
    return f"{name}{_OF_FORKS if page.untrusted else ''}"


def _headline(check: Check, page: Page) -> str:
    told = check.waiting if check.waiting and not check.reports else checked.headline(check)
    return f"{_FORK if page.untrusted else ''}{told}"


def _state(check: Check) -> StatusState:
    if checks.fails(check):
        return StatusState.FAILURE
    return StatusState.SUCCESS if check.reports or check.problems else StatusState.PENDING


def _conclusion(check: Check) -> str:
    if checks.fails(check):
        return "failure"
    return "success" if checks.exit_code(check) == 0 else "neutral"
