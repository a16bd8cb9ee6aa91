"""Of a report's page: how to do it by hand."""

from __future__ import annotations

from reprocheck.model import Report
from reprocheck.reporters.by_hand import by_hand
from reprocheck.reporters.html_parts import Fold


def commands(report: Report) -> dict[str, object]:
    """The commands, and the lock that they install from."""
    built = report.environment
    lock = tuple(built.lock.splitlines()) if built else ()
    return {
        "by_hand": by_hand(report),
        "lock": Fold(title="The lock that the reruns had", lines=lock, is_long=True)
        if lock
        else None,
    }
