"""The first line of our comments, which tells them apart and says of which result they tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Draft

# What GitHub takes, in characters; it does not say of which kind, so bytes are counted.
MOST_BYTES = 65_536
_KEY = re.compile(r"[0-9a-f]{1,64}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_MARK = re.compile(
    r"<!-- reprocheck:v1 key=(?P<key>[0-9a-f]{1,64}) head=(?P<head>[0-9a-f]{7,64})"
    r" run=(?P<run>[0-9]{1,20}) attempt=(?P<attempt>[0-9]{1,9}) -->(?:\r?\n|\Z)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Whose comment it is, and the result that it tells of."""

    key: str
    head_sha: str
    run_id: int
    attempt: int

    @property
    def age(self) -> tuple[int, int]:
        """Larger is newer, of one head."""
        return self.run_id, self.attempt


def mark_of(body: str) -> Mark | None:
    """The mark that a comment begins with, None where it is none of ours."""
    found = _MARK.match(body)
    if found is None:
        return None
    run_id, attempt = int(found["run"]), int(found["attempt"])
    return Mark(key=found["key"], head_sha=found["head"], run_id=run_id, attempt=attempt)


def mark_for(draft: Draft) -> Mark:
    """Raises `ForgeError` where a part of it could end the hidden line."""
    if not _KEY.fullmatch(draft.key) or not _SHA.fullmatch(draft.head_sha):
        raise ForgeError(
            "could not mark a comment: its key and its head must be hexadecimal, not "
            f"{draft.key[:80]!r} and {draft.head_sha[:80]!r}"
        )
    return Mark(key=draft.key, head_sha=draft.head_sha, run_id=draft.run_id, attempt=draft.attempt)


def unmarked(body: str) -> str:
    """A comment's text without the first line, where that is a mark."""
    return _MARK.sub("", body, count=1) if mark_of(body) else body


def text_for(draft: Draft, head_sha: str) -> str:
    """The whole comment; says so where the pull request's head is another one by now.

    Raises `ForgeError` for what is longer than forges take: cutting is the renderer's.
    """
    mark = mark_for(draft)
    lines = [
        f"<!-- reprocheck:v1 key={mark.key} head={mark.head_sha} run={mark.run_id}"
        f" attempt={mark.attempt} -->"
    ]
    if head_sha and head_sha != draft.head_sha:
        lines.append(
            f"> [!NOTE]\n> Stale: the head moved to {head_sha[:12]}; "
            f"this tells of {draft.head_sha[:12]}.\n"
        )
    text = "\n".join([*lines, draft.body])
    if len(text.encode()) > MOST_BYTES:
        raise ForgeError(f"could not comment: {len(text.encode())} bytes are over {MOST_BYTES}")
    return text


def is_newer(mark: Mark, draft: Draft, head_sha: str) -> bool:
    """Whether what a comment tells of must not be replaced by the draft.

    Of one head, the later run and attempt are newer; of two, what tells of the head as it is.
    """
    if mark.head_sha != draft.head_sha and head_sha in (mark.head_sha, draft.head_sha):
        return mark.head_sha == head_sha
    return mark.age > (draft.run_id, draft.attempt)


def is_same(one: str, other: str) -> bool:
    """Forges may change the ends of lines and of the text."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
