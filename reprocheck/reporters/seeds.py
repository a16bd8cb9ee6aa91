"""Which seeds the trials had, in the words of every report."""

from __future__ import annotations

from reprocheck.model import Report, SeedPolicy


def given_seeds(report: Report, policy: SeedPolicy) -> str:
    """The seeds of the trials, of all planned ones before the first, and what their spread is."""
    if policy is SeedPolicy.SAME:
        known = report.seeds[0]
        which = "none is known" if known is None else f"{known}, as recorded, in all reruns"
        return f"same: {which}; their spread is the training's nondeterminism"
    given = report.seeds[: len(report.trials) or None]
    return f"fresh: {', '.join(map(str, given))}; their spread is the recipe's over seeds"
