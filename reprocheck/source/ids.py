"""Ids of commits: which commit a recorded one means in a repository."""

from __future__ import annotations

import re

from reprocheck.errors import SourceError
from reprocheck.git import Git

LENGTHS = (40, 64)
"""Hexadecimal digits of a full id: SHA-1's and SHA-256's."""

_TOLD = 10


def check(wanted: str) -> str:
    """The id in small letters. Raises `SourceError` for what is none."""
    if not re.fullmatch(r"[0-9a-fA-F]{7,64}", wanted):
        raise SourceError(f"'{wanted}' is not a commit id", "the run's record must name a commit")
    return wanted.lower()


def resolve(git: Git, wanted: str) -> str | None:
    """The commit in full that an id, perhaps abbreviated, means; None where there is none.

    Only commits count, and annotated tags for what they name: `git rev-parse` would take a branch
    of that name first. Raises `SourceError` for several commits, and for a tree's or file's id.
    """
    types = _types(git, wanted)
    commits = [name for name, kind in types.items() if kind == "commit"]
    if not commits:
        tags = [name for name, kind in types.items() if kind == "tag"]
        named = (git.text("rev-parse", f"{tag}^{{commit}}", trusting=True) for tag in tags)
        commits = list(dict.fromkeys(name for name in named if name))
    if len(commits) > 1:
        raise _ambiguous(git, wanted, commits)
    if not commits and wanted in types:
        raise SourceError(
            f"{wanted[:12]} is the id of a {types[wanted]}, not of a commit",
            "record what `git rev-parse HEAD` printed when the run started",
        )
    return commits[0] if commits else None


def _types(git: Git, wanted: str) -> dict[str, str]:
    """The kinds of all objects whose ids begin so."""
    named = git.text("rev-parse", f"--disambiguate={wanted}", trusting=True)
    done = git(
        *("cat-file", "--batch-check=%(objectname) %(objecttype)"),
        trusting=True,
        check=False,
        stdin=f"{named or wanted}\n".encode(),
    )
    lines = (line.split() for line in done.stdout.decode().splitlines())
    return {
        words[0]: words[1]
        for words in lines
        if len(words) == 2 and words[0].startswith(wanted) and words[1] != "missing"
    }


def _ambiguous(git: Git, wanted: str, commits: list[str]) -> SourceError:
    told = git.text(
        *("log", "--no-walk", "--format=%h %cs %s", "--abbrev=16"),
        *commits[:_TOLD],
        trusting=True,
    )
    more = f"\nand {len(commits) - _TOLD} more" if len(commits) > _TOLD else ""
    return SourceError(
        f"{wanted} is the beginning of {len(commits)} commits' ids:\n{told}{more}",
        "record the whole id: what `git rev-parse HEAD` printed when the run started",
    )
