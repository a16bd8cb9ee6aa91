"""What `reprocheck record` says on the terminal, before a command and after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reprocheck.hostile import printable, redact
from reprocheck.numbers import counted
from reprocheck.recording import Lack, Outcome


def before(lacks: Sequence[Lack], refused: Sequence[Lack], *, strict: bool) -> str:
    """What the record would lack; "" where that is nothing."""
    if refused:
        why = "--strict" if strict else "record.require"
        head = f"Refused by {why}; nothing was run. The record would lack:"
        others = [each for each in lacks if each not in refused]
        more = ["It would also lack:", *_block(others)] if others else []
        return _text([head, *_block(refused), *more])
    if not lacks:
        return ""
    return _text(["reprocheck: a record of this run would lack:", *_block(lacks)])


def _block(lacks: Iterable[Lack]) -> Iterator[str]:
    told = set()
    for each in lacks:
        finding = each.finding
        if (finding.code, finding.message) in told:  # several requirements ask for it
            continue
        told.add((finding.code, finding.message))
        name = each.requirement.value if each.requirement else "capture"
        yield f"  {name}: {finding.message}"
        if finding.fix:
            yield f"      {finding.fix}"
        yield f"      ({finding.hint}) [{finding.code}]"


def after(outcome: Outcome) -> str:
    """Which runs carry the record, and what went wrong with it."""
    lines = []
    if outcome.problem:
        lines.append(f"Warning: {outcome.problem}")
    if outcome.runs:
        first = outcome.runs[0]
        rest = len(outcome.runs) - 1
        more = f" and {counted(rest, 'other run')}" if rest else ""
        made = " (the command logged none itself)" if outcome.created else ""
        lines.append(f"reprocheck: recorded run {first.run_id}{more} in {first.uri}{made}")
        lines.append(f"      reprocheck verify {first.run_id}")
    if outcome.not_kept:
        lines.append(f"Warning: the commit is not kept: {outcome.not_kept}")
        lines.append(f"      {outcome.kept}")
    return _text(lines)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(printable(redact(line)) for line in lines)
