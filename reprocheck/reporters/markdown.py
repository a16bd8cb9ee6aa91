"""The report as GitHub-flavoured Markdown, in the words of the comment."""

from __future__ import annotations

from reprocheck.model import Report
from reprocheck.reporters import comment

LARGEST = comment.LARGEST


def render(report: Report) -> str:
    """The report as Markdown, at most `LARGEST` bytes; what is folded is left out first."""
    return comment.one(report)
