"""Posting a check where its readers are: the one comment, and if wanted a status and a check run.

Nothing here changes the answer. What a forge refuses becomes one warning, with the scope that the
token lacks.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reprocheck import checks
from reprocheck.errors import ForgeError
from reprocheck.forges.base import Draft, Forge, Posted, Writing
from reprocheck.model import Check, CommentMode, Page, Verdict
from reprocheck.reporters import comment, comment_state
from reprocheck.reporters.markup import alert, prose

_NOTICE = "<!-- reprocheck:notice -->\n"
_NOTICE_END = "\n<!-- reprocheck:notice-end -->\n\n"
_LONGEST_NOTICE = 2_000  # characters; GitHub leaves room for 5,536 beside our own comment


class Marks(Protocol):
    """What besides a comment tells of a commit's check."""

    def mark(self, check: Check, page: Page) -> None:
        """Sets it. Raises `ForgeError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """How a check is to be posted."""

    key: str  # of the comment
    mode: CommentMode = CommentMode.ALWAYS
    marks: tuple[Marks, ...] = ()


def comment_key(workflow: str, named: str) -> str:
    """Tells comments on one thread apart: by the workflow's file, and by what the user named."""
    return hashlib.sha256(f"{workflow}\0{named}".encode()).hexdigest()[:16]


def page_of(check: Check, note: str = "") -> str:
    """The check as a page of HTML that needs nothing else: its one report, or all of them.

    `note` stands above all.
    """
    from reprocheck.reporters import batch_html, html

    if len(check.reports) == 1 and not check.problems:
        return html.render(check.reports[0], note)
    return batch_html.render(check, note=note)


def publish(
    check: Check, page: Page, forge: Forge, wish: Wish, warn: Callable[[str], None]
) -> Posted | None:
    """The comment as it is now, None where there is none.

    A failure of the forge is told to `warn`, once for each thing that was to be posted.
    """
    posted = None
    try:
        posted = _comment(check, page, forge, wish)
    except ForgeError as error:
        warn(told("commenting", error))
    if posted and posted.writing is Writing.OUTDATED:
        return posted  # nor is a mark put over the one of the newer result
    for mark in wish.marks:
        try:
            mark.mark(check, page)
        except ForgeError as error:
            warn(told("marking the commit", error))
    return posted


def told(doing: str, error: ForgeError) -> str:
    """What was not posted, and what would mend it."""
    hint = f" ({error.hint})" if error.hint else ""
    return f"{doing} failed: {error.message}{error.lacking}{hint}"


def _comment(check: Check, page: Page, forge: Forge, wish: Wish) -> Posted | None:
    if page.number is None or wish.mode is CommentMode.OFF:
        return None
    before = forge.previous(page.number, wish.key)
    if not before and not _is_wanted(check, wish.mode):
        return None
    body = _body(check, page, before)
    if wish.mode is CommentMode.CHANGES and _answers(body) == _answers(before):
        return None
    draft = Draft(
        key=wish.key,
        body=body,
        head_sha=page.head_sha,
        run_id=page.run_id,
        attempt=page.attempt,
    )
    return forge.comment(page.number, draft)


def _answers(body: str) -> Mapping[str, Verdict] | None:
    """The verdicts that a comment is about by run; None: what it says is no verdict."""
    earlier = None if body.startswith(_NOTICE) else comment_state.recall(body)
    return None if earlier is None else earlier.verdicts


def _is_wanted(check: Check, mode: CommentMode) -> bool:
    """Whether a first comment is worth making: a pull request that claims nothing gets none."""
    if mode is CommentMode.FAILURES:
        return checks.fails(check)
    told = bool(check.reports or check.problems or check.rule_changes)
    return told or (mode is CommentMode.ALWAYS and bool(check.waiting))


def _body(check: Check, page: Page, before: str) -> str:
    """The comment. Where nothing could be read or verified, what it said before stays below."""
    before = _without_notice(before)
    earlier = comment_state.recall(before)
    if check.reports or earlier is None or not earlier.verdicts:
        itself = (page.run_id, page.attempt)
        known = earlier and (earlier.run_id, earlier.attempt) != itself
        return comment.render(check, dataclasses.replace(page, earlier=earlier if known else None))
    return f"{_NOTICE}{_notice(check, page, earlier.head_sha)}{_NOTICE_END}{before}"


def _without_notice(body: str) -> str:
    if not body.startswith(_NOTICE):
        return body
    return body.partition(_NOTICE_END)[2]


def _notice(check: Check, page: Page, older: str) -> str:
    """What keeps the newest commit from an answer, above the one that an older commit has."""
    about = f"Of commit {page.head_sha[:12] or 'unknown'} nothing was verified."
    lines = [checks.in_words(each) for each in check.problems[:3]]
    lines += [check.waiting] if check.waiting else []
    told = [prose(line, 400) for line in lines] or ["No run was named or found."]
    kept = f"What follows is of commit {older[:12] or 'unknown'}."
    text = alert("WARNING", prose(about), *told, prose(kept))
    return text[:_LONGEST_NOTICE].rpartition("\n")[0] if len(text) > _LONGEST_NOTICE else text
