"""Of a report's page: how to do it by hand."""

from __future__ import annotations

from reprocheck.model import Report
from reprocheck.reporters.by_hand import by_hand
from reprocheck.reporters.html_parts import Fold


def commands(report: Report) -> dict[str, object]:
    """The commands, each part with the lock that it installs from."""
    title = "The lock that the reruns had"
    return {
        "by_hand": tuple(
            (part, Fold(title=title, lines=part.lock, is_long=True) if part.lock else None)
            for part in by_hand(report)
        )
    }
