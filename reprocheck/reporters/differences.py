"""Parameters that a rerun logged otherwise, and why they may differ honestly."""

from __future__ import annotations

from reprocheck.model import Report
from reprocheck.numbers import counted


def set_aside(report: Report) -> str:
    """The parameters that were not compared, by the reason; nothing where there are none."""
    reasons: dict[str, dict[str, None]] = {}
    for trial in report.trials:
        for difference in trial.differences:
            if difference.excuse is not None:
                reasons.setdefault(difference.excuse, {})[difference.name] = None
    told = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in reasons.items())
    count = len({name for names in reasons.values() for name in names})
    return f"{counted(count, 'parameter')}: {told}" if told else ""
