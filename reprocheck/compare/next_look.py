"""What is waited for between two reruns: the next look, and what would decide then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reprocheck.compare.looks import single_look
from reprocheck.model import Comparison, RerunPlan, Verdict
from reprocheck.numbers import format_change, format_width

MOST = 2
"""Metrics that are told."""


def next_look(plan: RerunPlan, comparisons: Sequence[Comparison], reruns: int) -> tuple[str, ...]:
    """Lines about the next moment of judging after so many reruns; () where there is none.

    `comparisons` are the latest judgement's; before the first rerun those that are planned.
    """
    gated = [each for each in comparisons if each.gated]
    looks = sorted({look for each in gated for look in _looks(plan, each)})
    ahead = [look for look in looks if look > reruns]
    if not ahead:
        return ()
    which = "first" if ahead == looks else "next"
    early = ", or after trial 1 if it gives exactly the same" if reruns == 0 else ""
    open_ones = [each for each in gated if each.verdict is Verdict.INCONCLUSIVE]
    told = [*_settled_by(plan, open_ones, reruns)] if which == "next" else []
    return (f"{which} look after trial {ahead[0]}{early}", *told[:MOST])


def _looks(plan: RerunPlan, comparison: Comparison) -> tuple[int, ...]:
    """The numbers of reruns after which a metric is judged."""
    return plan.looks if comparison.margin else (single_look(plan),)


def _settled_by(plan: RerunPlan, comparisons: Sequence[Comparison], reruns: int) -> Iterator[str]:
    """What the metrics wait for that are undecided, the slowest first."""
    for each in sorted(comparisons, key=_slowness, reverse=True):
        if each.margin is None:
            yield f"{each.metric}: judged once, after trial {single_look(plan)}"
        elif each.interval is not None:
            ends = (format_change(end, each.scale) for end in _ends(each))
            margin = format_width(each.margin.low, each.margin.high, each.scale)
            more = _more(plan, each, reruns)
            yield f"{each.metric}: reproduced once {'…'.join(ends)} is inside {margin}{more}"


def _slowness(comparison: Comparison) -> int:
    return comparison.reruns_needed or 0


def _ends(comparison: Comparison) -> tuple[float, ...]:
    found = comparison.interval
    return (found.low, found.high) if found else ()


def _more(plan: RerunPlan, comparison: Comparison, reruns: int) -> str:
    """How many more reruns that may take, as far as that can be told."""
    needed = comparison.reruns_needed
    if needed is None or needed <= reruns:
        return ""
    return f"; {needed} reruns may do" if needed > plan.most else f"; {needed - reruns} more may do"
