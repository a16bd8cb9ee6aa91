"""What stands beside the verdict: sentences of single metrics, success criteria, curves, products.

In the same words for every reporter; a renderer escapes them for its own format.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from reprocheck.compare.products import products_sentence
from reprocheck.model import (
    Comparison,
    CriterionResult,
    Exhibit,
    ExhibitKind,
    HistoryComparison,
    Outcome,
    Pair,
    Report,
    Verdict,
)
from reprocheck.numbers import format_size, format_spread, format_value
from reprocheck.reporters.base import MARKS, Fact

OUTCOMES = {Outcome.MEETS: "✓", Outcome.MISSES: "✗", Outcome.UNDECIDED: "?"}
NAMES = 5
"""Metrics told by name of one sentence."""

_SURE = ("bits", "tolerance", "deterministic")
"""Reasons of verdicts on values that do not vary: what they can find is no matter of chance."""
_SAID_BY_ROW = (Verdict.IDENTICAL, Verdict.NUMERICALLY_EQUAL, Verdict.REPRODUCED)


def sentences(report: Report, *, every: bool) -> tuple[str, ...]:
    """What was found of the gated metrics, where the report's own sentence does not say it.

    Without `every` only of those of which the table's row does not say all.
    """
    told = [
        (each.metric, each.sentence)
        for each in _gated(report)
        if each.sentence not in report.sentence and (every or each.verdict not in _SAID_BY_ROW)
    ]
    return _grouped(told)


def power(report: Report, *, every: bool) -> str:
    """What difference could have been detected, "" where none is known.

    Without `every` only where it is a matter of chance.
    """
    known = [
        each
        for each in _gated(report)
        if each.detectable is not None and math.isfinite(each.detectable)
    ]
    one = len(_gated(report)) == 1
    likely = _found([each for each in known if each.reason not in _SURE], "in 80 %", one=one)
    sure = _found([each for each in known if each.reason in _SURE], "for certain", one=one)
    return " ".join(filter(None, (likely, sure if every else "")))


def _found(comparisons: Sequence[Comparison], how: str, *, one: bool) -> str:
    told = [(each.metric, _size(each)) for each in comparisons]
    if not told:
        return ""
    if one:
        return f"A true difference of {told[0][1]} would have been found {how}."
    sizes = ", ".join(f"{name} {size}" for name, size in told)
    return f"True differences found {how}: {sizes}."


def _size(comparison: Comparison) -> str:
    size = comparison.detectable
    if not size:
        return "any size"
    text = format_spread(size, comparison.scale)
    return f"more than {text}" if comparison.reason in _SURE else text


def notes(report: Report) -> tuple[str, ...]:
    """What else the reader should know of the gated metrics, each sentence once.

    One that holds for all of them names none.
    """
    gated = _gated(report)
    common = (
        [note for note in gated[0].notes if all(note in e.notes for e in gated)] if gated else []
    )
    told = ((each.metric, note) for each in gated for note in each.notes if note not in common)
    return (*common, *_grouped(told))


def criteria(report: Report, *, every: bool) -> tuple[str, ...]:
    """The success criteria, each with its mark; they are no part of the verdict.

    Without `every` no numbers of those that are met.
    """
    return tuple(f"{OUTCOMES[each.outcome]} {_criterion(each, every)}" for each in report.criteria)


def _criterion(result: CriterionResult, every: bool) -> str:
    head, numbers, _ = result.sentence.partition(": ")
    met = result.outcome is Outcome.MEETS and numbers
    return f"{head}." if met and not every else result.sentence


def curves(report: Report, *, every: bool) -> tuple[Fact, ...]:
    """What histories tell of the gated metrics; with `every` of all."""
    return tuple(
        Fact(label="Curves", text=f"{each.metric}: {_curve(each.history)}")
        for each in report.comparisons
        if each.history is not None and (each.gated or every)
    )


def parted(report: Report) -> str:
    """Where the curves of the gated metrics part, in one line; "" where there is at most one."""
    told = [
        f"{each.metric} nowhere"
        if each.history.parted_at is None
        else f"{each.metric} at step {each.history.parted_at}"
        for each in _gated(report)
        if each.history is not None
    ]
    return f"part: {', '.join(told)}" if len(told) > 1 else ""


def outputs(report: Report, *, every: bool) -> tuple[Fact, ...]:
    """Products, exhibits and predictions; with `every` also products by name that are not judged,
    and exhibits that are all the same.
    """
    facts = [Fact(label="Products", text=text) for text in _products(report, every)]
    if every or any(map(differs, report.exhibits)):
        facts += [Fact(label="Exhibits", text=text) for text in _exhibits(report.exhibits)]
    if report.predictions:
        facts.append(Fact(label="Predictions", text=report.predictions.sentence))
    return tuple(facts)


def _gated(report: Report) -> list[Comparison]:
    return [each for each in report.comparisons if each.gated]


def _grouped(told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Each sentence once, after the names of the metrics it is of."""
    names: dict[str, list[str]] = {}
    for name, text in told:
        names.setdefault(text, []).append(name)
    return tuple(
        # The sentence of a metric that could not be compared begins with its name.
        text if text.startswith(f"{metrics[0]} ") else f"{_names(metrics)}: {text}"
        for text, metrics in names.items()
    )


def _names(metrics: list[str]) -> str:
    more = f" and {len(metrics) - NAMES} more" if len(metrics) > NAMES else ""
    return ", ".join(metrics[:NAMES]) + more


# --- curves -------------------------------------------------------------------------------


def _curve(history: HistoryComparison) -> str:
    if history.parted_at is None:
        return f"equal at all {history.steps} common steps"
    parts = [
        f"part at step {history.parted_at} ({history.steps} in common)",
        f"best {_pair(history.best)}" if history.best else "",
        f"area {_pair(history.area)}",
    ]
    if history.rank_p is not None:
        parts.append(f"rank p {format_size(history.rank_p)}")
    return "; ".join(part for part in parts if part)


def _pair(pair: Pair) -> str:
    apart = pair.rerun - pair.original
    return f"{format_value(pair.original, apart)} → {format_value(pair.rerun, apart)}"


# --- products -----------------------------------------------------------------------------


def _products(report: Report, every: bool) -> tuple[str, ...]:
    """How many are the same; then the gated ones by name, with `every` all results that are not."""
    if not report.products:
        return ()
    named = tuple(
        f"{MARKS[each.verdict]} {each.sentence}".lstrip()
        for each in report.products
        if each.gated or (every and each.reason not in ("same", "description"))
    )
    return (products_sentence(report.products), *named)


# --- exhibits -----------------------------------------------------------------------------


def differs(exhibit: Exhibit) -> bool:
    """Whether the rerun's is known to be another one, or is missing."""
    known = bool(exhibit.original.sha256) or exhibit.rerun.size is None
    return known and not exhibit.same


_NOUNS = {
    ExhibitKind.IMAGE: ("image", "images"),
    ExhibitKind.MATRIX: ("matrix", "matrices"),
    ExhibitKind.CURVE: ("curve", "curves"),
}


def _exhibits(exhibits: Sequence[Exhibit]) -> tuple[str, ...]:
    """How many there are of each kind, and how many differ: one line, or none."""
    counts = {kind: sum(each.kind is kind for each in exhibits) for kind in _NOUNS}
    told = [f"{count} {_NOUNS[kind][count != 1]}" for kind, count in counts.items() if count]
    if not told:
        return ()
    *first, last = told
    apart = sum(map(differs, exhibits))
    found = f"{apart} differ{'s' if apart == 1 else ''}" if apart else "none differs"
    return (f"{', '.join(first)} and {last}, {found}" if first else f"{last}, {found}",)
