"""Of a report's page: what was judged, in numbers, in sentences and in figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from reprocheck.hostile import cut
from reprocheck.model import Comparison, Interval, Report, Scale
from reprocheck.numbers import (
    counted,
    format_change,
    format_percent,
    format_size,
    format_spread,
    format_value,
)
from reprocheck.reporters import base, beside
from reprocheck.reporters.html_figures import curve, interval, siblings
from reprocheck.reporters.html_parts import (
    LOOKS,
    NAME,
    OUTCOMES,
    Cell,
    Fold,
    Item,
    Section,
    Shown,
    Table,
    code,
    fold,
    number,
    table,
    words,
)
from reprocheck.reporters.plans import planned_margins

MOST_DRAWN = 12
"""Judged metrics that have figures; of the others there are row and sentence."""
MOST_CURVES = 6
"""Metrics that are not judged, with their curves."""


def metrics(report: Report) -> Iterator[Section]:
    """The judged metrics, each with what was found of it; then what is no part of the verdict."""
    if report.dry_run:
        yield from _planned(report)
        return
    judged = _judged(report)
    if judged:
        yield judged
    for place, each in enumerate(_gated(report)[:MOST_DRAWN], start=1):
        yield _metric(report, each, place)
    yield from _beside(report)


def _planned(report: Report) -> Iterator[Section]:
    rows = [
        (code(name), number(value), words(told)) for name, value, told in planned_margins(report)
    ]
    found = table(
        "The metrics that would be judged", ("Metric", base.baseline_head(report), "Margin"), rows
    )
    if found:
        yield Section(id="metrics", title="What would be judged", tables=(found,))


# --- all judged metrics -------------------------------------------------------------------


def _judged(report: Report) -> Section | None:
    rows = base.rows(report)
    common, level = base.common_count(rows), base.levels(report)
    difference = f"Difference ({level} interval)" if level else "Difference"
    head = base.baseline_head(report)
    found = table(
        f"{head} beside the mean of {common}" if common else f"{head} beside the reruns’ means",
        ("Metric", head, "Reruns", difference, "Margin", "Verdict"),
        (_row(each, with_count=not common) for each in rows),
    )
    power = beside.power(report, every=True)
    left = [each.sentence for each in _gated(report)[MOST_DRAWN:]]
    items = tuple(Item(text=text) for text in (power, *_common_notes(report), *left) if text)
    if found is None:
        return None
    return Section(id="metrics", title="What was judged", tables=(found,), items=items)


def _row(row: base.Row, *, with_count: bool) -> tuple[Cell, ...]:
    verdict = row.judged.value + (f" ({row.change})" if row.change else "")
    return (
        code(row.metric, NAME),
        number(row.original),
        number(row.reruns, row.spread, row.count if with_count else ""),
        number(row.difference, " … ".join(row.interval)),
        number(row.margin, base.margin_source(row)),
        Cell(text=verdict, look=LOOKS[row.judged], mark=base.MARKS[row.judged], kind="short"),
    )


def _gated(report: Report) -> list[Comparison]:
    """The judged metrics as the table has them."""
    known = {each.metric: each for each in report.comparisons if each.gated}
    return [known[row.metric] for row in base.rows(report)]


def _common_notes(report: Report) -> tuple[str, ...]:
    notes = [each.notes for each in report.comparisons if each.gated]
    return tuple(note for note in notes[0] if all(note in e for e in notes)) if notes else ()


# --- one of them --------------------------------------------------------------------------


def _metric(report: Report, each: Comparison, place: int) -> Section:
    common = _common_notes(report)
    against = base.baseline_head(report).lower()
    drawn = (interval(each, against), curve(report, each), siblings(report, each.metric))
    notes = [note for note in each.notes if note not in common]
    verdict = each.verdict.value + (f" ({each.change.value})" if each.change else "")
    head = Item(
        text=each.sentence or verdict,
        look=LOOKS[each.verdict],
        mark=base.MARKS[each.verdict],
        label=verdict,
    )
    return Section(
        id=f"metric-{place}",
        title=cut(each.metric, NAME),
        items=(head, *(Item(text=note) for note in notes)),
        figures=tuple(shown for shown in drawn if shown),
        folds=fold("All numbers of this metric", _numbers(report, each)),
        level=3,
    )


def _numbers(report: Report, each: Comparison) -> Table | None:
    told = _told(each, base.baseline_head(report))
    rows = [(words(label), number(text)) for label, text in told if text]
    return table("What was measured and computed", ("What", "Value"), rows, name="numbers")


def _told(each: Comparison, head: str) -> Iterator[tuple[str, str]]:
    scale, found = each.scale, each.margin
    for i, value in enumerate(each.baseline, start=1):
        yield (head if len(each.baseline) == 1 else f"{head} {i}"), _exact(value)
    for i, value in enumerate(each.reruns, start=1):
        yield f"Rerun {i}", _exact(value)
    yield "Mean of the reruns", "" if each.mean is None else _exact(each.mean)
    yield "Standard deviation of the reruns", _spread(each.sd, scale)
    yield "Difference", "" if each.difference is None else format_change(each.difference, scale)
    yield "Interval of the difference", _interval(each.interval, scale)
    yield "Prediction interval of one more rerun", _prediction(each.prediction)
    yield "Margin", f"{base.margin(each)} ({found.text})" if found else "none known"
    yield "p of equivalence", _size(each.p_equivalence)
    yield "p of a difference, adjusted for all metrics", _size(each.p_difference)
    yield "Smallest margin that these reruns support", _spread(each.smallest_margin, scale)
    yield "True difference found in 80 %", _spread(each.detectable, scale)
    yield "Largest distance in units in the last place", _count(each.max_ulps)
    yield "Chosen as the best of", _count(each.best_of)
    yield "Reruns that would settle it, about", _count(each.reruns_needed)


def _exact(value: float) -> str:
    """All digits that tell the double apart."""
    return repr(value) if math.isfinite(value) else format_value(value)


def _spread(value: float | None, scale: Scale) -> str:
    return "" if value is None else format_spread(value, scale)


def _size(value: float | None) -> str:
    return "" if value is None else format_size(value)


def _count(value: int | None) -> str:
    return "" if value is None else str(value)


def _interval(found: Interval | None, scale: Scale) -> str:
    if found is None:
        return ""
    ends = " … ".join(format_change(end, scale) for end in (found.low, found.high))
    return f"{ends} ({format_percent(found.level)})"


def _prediction(found: Interval | None) -> str:
    if found is None:
        return ""
    ends = " … ".join(map(format_value, (found.low, found.high)))
    return f"{ends} ({format_percent(found.level)})"


# --- beside the verdict -------------------------------------------------------------------


def _beside(report: Report) -> Iterator[Section]:
    criteria = zip(report.criteria, beside.criteria(report, every=True), strict=True)
    items = tuple(
        Item(text=text.partition(" ")[2], mark=text.partition(" ")[0], look=OUTCOMES[each.outcome])
        for each, text in criteria
    )
    if items:
        intro = "No part of the verdict: whether the reruns reach what the run was meant to."
        yield Section(id="criteria", title="Success criteria", intro=intro, items=items)
    facts = (*beside.curves(report, every=True), *beside.outputs(report, every=True))
    others = _others(report)
    if facts or others:
        yield Section(
            id="beside",
            title="What else was compared",
            facts=facts,
            figures=tuple(_curves(report)),
            folds=others,
        )


def _curves(report: Report) -> Iterator[Shown]:
    """Histories of metrics that are not judged, those that part first."""
    known = [each for each in report.comparisons if not each.gated and each.history is not None]
    known.sort(key=lambda each: each.history is None or each.history.parted_at is None)
    for each in known[:MOST_CURVES]:
        shown = curve(report, each)
        if shown:
            yield shown


def _others(report: Report) -> tuple[Fold, ...]:
    """The metrics that were only measured, and the products by digest."""
    others = [each for each in report.comparisons if not each.gated]
    found = table(
        "Metrics that no verdict depends on",
        ("Metric", "Original", "Reruns"),
        (
            (code(each.metric, NAME), number(base.original(each)), number(base.mean(each)))
            for each in others
        ),
    )
    products = table(
        "Files that the original logged, beside those of the reruns",
        ("Product", "What was found", "Original, by SHA-256", "Judged"),
        (
            (
                code(each.path, NAME),
                words(each.sentence),
                code((each.original or base.NOTHING)[:16]),
                Cell(
                    text=each.verdict.value if each.gated else "no",
                    look=LOOKS[each.verdict],
                    mark=base.MARKS[each.verdict].strip(),
                ),
            )
            for each in report.products
        ),
    )
    return (
        *fold(counted(len(others), "metric that is not judged"), found),
        *fold(counted(len(report.products), "product"), products),
    )
