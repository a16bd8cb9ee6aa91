"""Which accepted baselines count in a job: on a pull request those of the base branch alone.

What the pull request adds or changes in reprocheck.baseline.json is proposed: it is told, and
counts after the merge. One that it deletes or breaks still counts. A file of the base branch that
cannot be read is no licence to judge without it: then nothing is verified, and it is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reprocheck import accepted
from reprocheck.accepted import FILE_NAME
from reprocheck.action import rules
from reprocheck.errors import ConfigError
from reprocheck.git import Git
from reprocheck.model import Acceptance, RuleChange
from reprocheck.numbers import counted
from reprocheck.temporary import temporary_folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Counting:
    """The options by which `verify` takes what counts, and what the pull request takes away."""

    options: tuple[str, ...] = ()
    changes: tuple[RuleChange, ...] = ()


@contextlib.contextmanager
def in_force(git: Git | None, folder: Path, base_sha: str) -> Iterator[Counting]:
    """What counts for runs that are verified in `folder`, a checkout's root, as long as the block
    lasts; `base_sha` is "" where there is no base branch: then the checkout's file counts.

    Raises `ConfigError` for a file of the base branch that cannot be read, or `UsageError`.
    """
    if not (git and base_sha):
        yield Counting()
        return
    base, (head, problem) = _base(git, base_sha), _head(folder)
    gone = [each for each in base if each not in head]
    changes = (_change(base, head, problem),) if problem or gone else ()
    # Not in the checkout, where the training of the run before could write.
    with temporary_folder(keep=False) as scratch:
        named = {"accepted": base, "proposed": head if head != base else ()}
        words = (_option(name, entries, scratch) for name, entries in named.items())
        yield Counting(options=tuple(filter(None, words)), changes=changes)


def _option(name: str, entries: tuple[Acceptance, ...], scratch: Path) -> str:
    """One word; of none, the word that says so."""
    if not entries:
        return "--accepted=" if name == "accepted" else ""
    path = scratch / f"{name}.json"
    accepted.write(path, entries)
    return f"--{name}={path}"


def _base(git: Git, sha: str) -> tuple[Acceptance, ...]:
    content = rules.base_file(git, FILE_NAME, sha)
    if content is None:
        return ()
    try:
        return accepted.read(content, f"{FILE_NAME} of the base branch")
    except ConfigError as error:
        raise ConfigError(error.message, f"mend it on the base branch: {error.hint}") from error


def _head(folder: Path) -> tuple[tuple[Acceptance, ...], str]:
    """The checkout's acceptances, and why it has none where its file is broken."""
    try:
        return accepted.load(folder / FILE_NAME), ""
    except ConfigError as error:
        return (), error.message.replace(f"{folder}/", "")


def _change(base: tuple[Acceptance, ...], head: tuple[Acceptance, ...], problem: str) -> RuleChange:
    told = problem or (counted(len(head), "acceptance") if head else "")
    return RuleChange(
        key=FILE_NAME, base=counted(len(base), "acceptance") if base else "", head=told
    )
