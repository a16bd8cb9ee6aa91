"""One comment, whoever writes at the same time: written, read again, and duplicates removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from reprocheck.errors import ForgeError
from reprocheck.forges.base import Draft, Posted, Writing
from reprocheck.forges.markers import Mark, is_newer, is_same, mark_for, mark_of, text_for

ROUNDS = 8


class UnsureError(ForgeError):
    """It may have been written or not: read before writing again."""


class GoneError(ForgeError):
    """What was to be changed is not there any more."""


class RefusedChangeError(ForgeError):
    """Our own comment may not be changed; a new one may be written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A comment of ours."""

    id: int
    body: str
    url: str

    @property
    def mark(self) -> Mark | None:
        """None where somebody edited it away."""
        return mark_of(self.body)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """A thread as it is: the head of what it is about, and our comments of one key."""

    head_sha: str
    ours: tuple[Found, ...]  # the oldest first


class Thread(Protocol):
    """The comments of one pull request or merge request."""

    def look(self, key: str) -> Look:
        """All pages of it."""

    def create(self, text: str) -> Found:
        """Raises `UnsureError` where it may have been written."""

    def change(self, comment_id: int, text: str) -> Found:
        """Raises `UnsureError`, `GoneError` and `RefusedChangeError`."""

    def delete(self, comment_id: int) -> None:
        """Raises nothing: the comment is there, and the next run removes what stayed."""

    def pause(self) -> None:
        """Lets others finish writing; of uneven length, so that two do not keep step."""


def upsert(thread: Thread, draft: Draft) -> Posted:
    """Makes the oldest comment of the draft's key say what it does, and be the only one.

    Whoever writes at the same time does the same, so all of them end at one comment. Raises
    `ForgeError`.
    """
    mark_for(draft)
    writer = _Writer(thread=thread, draft=draft)
    for _ in range(ROUNDS):
        posted = writer.round()
        if posted is not None:
            return posted
        thread.pause()
    raise ForgeError(
        "could not settle the comment: what was written was not there when read again",
        "write the comment from one job only, or give each job its own comment key",
    )


@dataclass(kw_only=True, slots=True)
class _Writer:
    thread: Thread
    draft: Draft
    writing: Writing = Writing.UNCHANGED
    made: set[int] = field(default_factory=set)  # what we created
    written: dict[int, str] = field(default_factory=dict)  # what we wrote where
    closed: set[int] = field(default_factory=set)  # ours, that may not be changed

    def round(self) -> Posted | None:
        """None where something was written, to be read again."""
        look = self.thread.look(self.draft.key)
        ours = [found for found in look.ours if found.id not in self.closed]
        text = text_for(self.draft, look.head_sha)
        newer = [found for found in ours if found.mark and self._is_newer(found.mark, look)]
        if newer:
            self._remove_made(except_id=newer[0].id)
            return _posted(newer[0], Writing.OUTDATED)
        if not ours:
            self._create(text)
            return None
        if is_same(ours[0].body, text) or self._was_overtaken(ours[0]):
            self._remove_duplicates(ours)
            return _posted(ours[0], self.writing)
        self._change(ours[0].id, text)
        return None

    def _is_newer(self, mark: Mark, look: Look) -> bool:
        return is_newer(mark, self.draft, look.head_sha)

    def _was_overtaken(self, found: Found) -> bool:
        """Another job of the same run wrote over what we wrote: to write again would never end."""
        last = self.written.get(found.id)
        return last is not None and found.mark == mark_for(self.draft) and found.body != last

    def _create(self, text: str) -> None:
        self.writing = Writing.CREATED
        try:
            found = self.thread.create(text)
        except UnsureError:
            return
        self.made.add(found.id)
        self.written[found.id] = found.body

    def _change(self, comment_id: int, text: str) -> None:
        if self.writing is not Writing.CREATED or comment_id not in self.made:
            self.writing = Writing.UPDATED
        try:
            self.written[comment_id] = self.thread.change(comment_id, text).body
        except RefusedChangeError:
            self.closed.add(comment_id)
        except (GoneError, UnsureError):
            return

    def _remove_duplicates(self, ours: list[Found]) -> None:
        """Our own of this time, and what runs left that ended before; never another job's."""
        for found in ours[1:]:
            mark = found.mark
            if found.id in self.made or (mark and mark.run_id < self.draft.run_id):
                self.thread.delete(found.id)

    def _remove_made(self, *, except_id: int) -> None:
        for comment_id in self.made - {except_id}:
            self.thread.delete(comment_id)


def _posted(found: Found, writing: Writing) -> Posted:
    return Posted(url=found.url, id=found.id, writing=writing)
