"""Of a report's page: the figures, each with the numbers that it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reprocheck.hostile import cut
from reprocheck.model import Comparison, Metric, Report
from reprocheck.numbers import format_value
from reprocheck.reporters import base
from reprocheck.reporters.html_parts import (
    NAME,
    Cell,
    Fold,
    Shown,
    Table,
    code,
    fold,
    number,
    table,
)

STEPS = 24
"""Steps of a curve that its table tells; the figure and the JSON report have more."""
SIBLINGS = 50


def interval(comparison: Comparison, against: str) -> Shown | None:
    """The values, their interval and the margin; the metric's own table has the numbers."""
    from reprocheck.reporters.figures import intervals

    drawn = intervals.interval(comparison, against)
    label = f"Interval of {cut(comparison.metric, NAME)}"
    return Shown(label=label, figure=drawn) if drawn else None


def curve(report: Report, comparison: Comparison) -> Shown | None:
    """The histories of both sides."""
    from reprocheck.reporters.figures import curves

    drawn = curves.histories(report, comparison.metric)
    if drawn is None:
        return None
    numbers = _one(fold("The curves as a table", _steps(report, comparison)))
    label = f"Curves of {cut(comparison.metric, NAME)}"
    return Shown(label=label, figure=drawn, numbers=numbers)


def siblings(report: Report, metric: str) -> Shown | None:
    """Where the original stands among its siblings."""
    from reprocheck.reporters.figures import siblings as drawing

    drawn = drawing.siblings(report, metric)
    if drawn is None or report.record is None:
        return None
    known = [each for each in report.record.siblings if metric in each.metrics]
    found = table(
        "The same training with other seeds, as the tracker has it",
        ("Run", "Value"),
        (
            (code(each.run_id, NAME), number(format_value(each.metrics[metric])))
            for each in known[:SIBLINGS]
        ),
    )
    numbers = _one(fold("The siblings as a table", found))
    return Shown(label=f"Siblings by {cut(metric, NAME)}", figure=drawn, numbers=numbers)


def timeline(report: Report) -> Shown | None:
    """How long each stage took; the table of stages has the numbers."""
    from reprocheck.reporters.figures import timeline as drawing

    drawn = drawing.timeline(report)
    return Shown(label="Times of the stages", figure=drawn) if drawn else None


def _one(folds: tuple[Fold, ...]) -> Fold | None:
    return folds[0] if folds else None


def _steps(report: Report, comparison: Comparison) -> Table | None:
    name = comparison.metric
    original = _by_step(report.record.metrics.get(name) if report.record else None)
    reruns = [_by_step(trial.metrics.get(name)) for trial in report.trials]
    steps = sorted({*original, *(step for each in reruns for step in each)})
    shown = _evenly(steps)
    return table(
        f"{cut(name, NAME)} by step" + ("" if len(shown) == len(steps) else ", evenly thinned"),
        ("Step", "Original", *(f"Rerun {trial.index}" for trial in report.trials)),
        (
            (number(str(step)), *(_cell(each, step) for each in (original, *reruns)))
            for step in shown
        ),
    )


def _cell(curve: Mapping[int, float], step: int) -> Cell:
    return number(format_value(curve[step]) if step in curve else base.NOTHING)


def _by_step(metric: Metric | None) -> dict[int, float]:
    """The last value of each step."""
    return {point.step: point.value for point in metric.history} if metric else {}


def _evenly(steps: Sequence[int]) -> list[int]:
    """At most so many steps, with the first and the last."""
    if len(steps) <= STEPS:
        return list(steps)
    return [steps[round(i * (len(steps) - 1) / (STEPS - 1))] for i in range(STEPS)]
