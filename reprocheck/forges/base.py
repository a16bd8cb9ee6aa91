"""The seam to forges: the one comment on a pull request or merge request."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol


class Writing(enum.StrEnum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"  # it said the same already
    OUTDATED = "outdated"  # it tells of a newer result, and was left


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """What a comment shall say, and of which result: an older one never replaces a newer one."""

    key: str  # tells our comments on one thread apart; hexadecimal
    body: str  # Markdown, without the marker
    head_sha: str
    run_id: int  # of the workflow or pipeline
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """A comment as it is now."""

    url: str
    id: int
    writing: Writing


class Forge(Protocol):
    """A repository or project on a forge, with a token or without."""

    def previous(self, number: int, key: str) -> str:
        """The body of our comment of that key on pull request `number`, "" where there is none.

        Raises `ForgeError`.
        """

    def comment(self, number: int, draft: Draft) -> Posted:
        """Makes our comment of the draft's key say what the draft does, and there be but one.

        Raises `ForgeError`, with the scope that is missing where one is.
        """
