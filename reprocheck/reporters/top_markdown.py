"""The runs that are worth verifying again as GitHub-flavoured Markdown, for a job's summary."""

from __future__ import annotations

from reprocheck.model import Candidate, Top
from reprocheck.numbers import format_value
from reprocheck.reporters.base import MARKS
from reprocheck.reporters.markup import code, head, prose, row
from reprocheck.reporters.top_terminal import headline, left_out
from reprocheck.reporters.trends import day


def render(top: Top) -> str:
    """The runs as a table, and what was left out."""
    parts = [f"## {prose(headline(top))}"]
    if top.chosen:
        heads = ("Run", "Name", "Why", "Value", "Verified")
        parts.append(head(heads) + "\n".join(row(_cells(each)) for each in top.chosen))
    parts += [prose(line) for line in left_out(top)]
    return "\n\n".join(parts) + "\n"


def _cells(candidate: Candidate) -> tuple[str, ...]:
    mark = MARKS[candidate.verdict] if candidate.verdict else ""
    return (
        code(candidate.ref.run_id),
        code(candidate.name),
        prose(candidate.why, 300),
        "" if candidate.value is None else format_value(candidate.value),
        prose(f"{mark} {day(candidate.verified_at)}".strip()),
    )
