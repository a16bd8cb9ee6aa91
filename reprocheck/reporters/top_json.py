"""The runs that are worth verifying again as a matrix of jobs, by schemas/top.schema.json."""

from __future__ import annotations

from reprocheck.detail import ENCODE, Document
from reprocheck.hostile import cut, printable, redact
from reprocheck.model import Candidate, Top

LONGEST = 200
"""Characters of a name or a reason."""


def render(top: Top) -> str:
    """The matrix as strict JSON on one line: a job's output is one."""
    return ENCODE({"include": [_entry(each) for each in top.chosen]}) + "\n"


def _entry(candidate: Candidate) -> Document:
    return {
        "id": candidate.ref.run_id,
        "slug": candidate.slug,
        "name": _text(candidate.name),
        "why": _text(candidate.why),
    }


def _text(text: str) -> str:
    return cut(printable(redact(text)), LONGEST)
