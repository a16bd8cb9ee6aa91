"""Which of the runs that are wished for come first, and which were verified lately. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reprocheck.model import Candidate, Standing, Top, Verification
from reprocheck.schedule.choosing import Seen
from reprocheck.schedule.slugs import slug
from reprocheck.schedule.standing import measured, standing
from reprocheck.schedule.wishes import Wishes

_BLOCK = 64  # runs whose records are looked at together
_NEVER = datetime(1, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)
"""How far clocks may be apart: a report of the future says nothing about how long ago it was."""

UNCONFIRMED = "did not reproduce at its last verification: to be confirmed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a run's record tells that the search for it does not."""

    subject: str
    sensitive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    seen: Seen
    why: str
    history: tuple[Verification, ...]  # oldest first
    unconfirmed: bool

    @property
    def tried_at(self) -> datetime:
        return self.history[-1].at if self.history else _NEVER


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """What is asked, and of whom."""

    wishes: Wishes
    now: datetime
    history: Callable[[str], tuple[Verification, ...]]  # of a run, in order
    look: Callable[[Sequence[str]], Mapping[str, Looked]]  # into the records of runs, by id

    def rank(self, found: Iterable[tuple[Seen, str]], notes: Iterable[str] = ()) -> Top:
        """What was verified longest ago first; before it, what has to be confirmed.

        A verification that failed counts as tried: a run that can never be verified must not keep
        all others waiting.
        """
        chosen: list[Candidate] = []
        recent: list[Candidate] = []
        entries = sorted(map(self._entry, found), key=_order)
        for entry, looked in self._looked(entries):
            if len(chosen) == self.wishes.limit:
                break
            others = recent if self._is_recent(entry, looked.subject) else chosen
            others.append(_candidate(entry, looked, (each.slug for each in (*chosen, *recent))))
        return Top(
            chosen=tuple(chosen),
            recent=tuple(recent),
            further=len(entries) - len(chosen) - len(recent),
            notes=tuple(notes),
        )

    def _entry(self, found: tuple[Seen, str]) -> _Entry:
        seen, why = found
        known = (each for each in self.history(seen.ref.run_id) if each.at <= self.now + _SKEW)
        history = tuple(known)
        doubted = standing(history) is Standing.UNCONFIRMED
        return _Entry(
            seen=seen,
            why=f"{UNCONFIRMED}; {why}" if doubted else why,
            history=history,
            unconfirmed=doubted,
        )

    def _looked(self, entries: Sequence[_Entry]) -> Iterator[tuple[_Entry, Looked]]:
        # A run that was deleted meanwhile is verified, which says so.
        unknown = Looked(subject="", sensitive=True)
        for start in range(0, len(entries), _BLOCK):
            block = entries[start : start + _BLOCK]
            looked = self.look([entry.seen.ref.run_id for entry in block])
            yield from ((entry, looked.get(entry.seen.ref.run_id, unknown)) for entry in block)

    def _is_recent(self, entry: _Entry, subject: str) -> bool:
        oldest = self.now - timedelta(seconds=self.wishes.max_age_s)
        return not entry.unconfirmed and any(
            measured(each) and each.at >= oldest and each.subject == subject != ""
            for each in entry.history
        )


def _order(entry: _Entry) -> tuple[bool, datetime]:
    return not entry.unconfirmed, entry.tried_at


def _candidate(entry: _Entry, looked: Looked, taken: Iterable[str]) -> Candidate:
    seen = entry.seen
    last = next((each for each in reversed(entry.history) if measured(each)), None)
    where = f" in {seen.experiment}"
    return Candidate(
        ref=seen.ref,
        name="" if looked.sensitive else seen.name,
        experiment="" if looked.sensitive else seen.experiment,
        why=entry.why.replace(where, "") if looked.sensitive else entry.why,
        value=seen.value,
        subject=looked.subject,
        verified_at=last.at if last else None,
        verdict=last.verdict if last else None,
        slug=slug("" if looked.sensitive else seen.name, seen.ref.run_id, taken),
    )
