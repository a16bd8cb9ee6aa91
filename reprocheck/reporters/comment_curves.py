"""The histories of judged metrics in a comment: as characters, and as a chart for Mermaid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from reprocheck.model import Metric, Report
from reprocheck.numbers import format_value
from reprocheck.reporters import plots
from reprocheck.reporters.blocks import Block
from reprocheck.reporters.markup import code, fence

CHARTS = 3
"""Metrics that are drawn."""
RERUNS = 8


def curves(report: Report) -> Iterator[Block]:
    """The original's and the reruns' curves of the first judged metrics that have any."""
    drawn = [
        told
        for told in (_drawn(report, each.metric) for each in report.comparisons if each.gated)
        if told
    ]
    if drawn:
        text = "\n\n".join(drawn[:CHARTS])
        yield Block(rank=7, title="Curves", before=text, folded=True)


def _drawn(report: Report, name: str) -> str:
    histories = {label: metric for label, metric in _sides(report, name) if metric}
    if "original" not in histories or min(len(each.history) for each in histories.values()) < 2:
        return ""
    lines, marks = _lines(histories), _chart(tuple(histories.values()))
    before, rows, after = fence(lines)
    text = "\n".join((f"{code(name)} by step:\n", before, *rows, after))
    return f"{text}\n\nThe same as lines, one for each of the above:\n\n{marks}" if marks else text


def _sides(report: Report, name: str) -> Iterator[tuple[str, Metric | None]]:
    if report.record:
        yield "original", report.record.metrics.get(name)
    for trial in report.trials[:RERUNS]:
        yield f"rerun {trial.index}", trial.metrics.get(name)


def _lines(histories: dict[str, Metric]) -> list[str]:
    """A line of characters a side, all on one scale."""
    curves = {label: _values(metric) for label, metric in histories.items()}
    known = [x for values in curves.values() for x in values if math.isfinite(x)] or [0.0]
    low, high = min(known), max(known)
    return [
        f"{label:<8}  {plots.sparkline(values, low, high)}  "
        f"{format_value(values[0])} to {format_value(values[-1])}"
        for label, values in curves.items()
    ]


def _chart(metrics: Sequence[Metric]) -> str:
    steps = [point.step for point in metrics[0].history]
    chart = plots.chart([_values(metric) for metric in metrics], min(steps), max(steps))
    return "\n".join(["```mermaid", *chart, "```"]) if chart else ""


def _values(metric: Metric) -> list[float]:
    return [point.value for point in metric.history]
