"""Which seeds the trials had, in the words of every report."""

from __future__ import annotations

from reprocheck.model import Report, SeedPolicy
from reprocheck.seeds import is_no_seed


def given_seeds(report: Report, policy: SeedPolicy) -> str:
    """What the reruns' spread is, and the seeds of the trials; before the first, of all planned."""
    if policy is SeedPolicy.SAME:
        known = report.seeds[0]
        if known is not None and is_no_seed(known):
            return f"none (the recipe's spread): {known or 'empty'}, as recorded"
        which = "none is known" if known is None else f"{known}, as recorded"
        return f"same (the training's nondeterminism): {which}"
    given = report.seeds[: len(report.trials) or None]
    return f"fresh (the recipe's spread): {', '.join(map(str, given))}"
