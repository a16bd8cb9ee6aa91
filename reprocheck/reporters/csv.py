"""A check as a table for spreadsheets: a line a metric and run, as RFC 4180 says."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO

from reprocheck import checks
from reprocheck.detail import time
from reprocheck.hostile import cut, printable
from reprocheck.model import Check, Comparison, Problem, Report, Verdict
from reprocheck.reporters import base, checked

COLUMNS = (
    *("run_id", "name", "experiment", "created_at", "run_verdict", "failed_stage"),
    *("metric", "gated", "verdict", "change", "originals", "reruns", "mean", "sd", "n"),
    *("difference", "interval_low", "interval_high", "interval_level"),
    *("margin_low", "margin_high", "margin_source", "scale", "reason", "sentence"),
)
LONGEST = 2_000
"""Characters of a cell."""

_FORMULA = re.compile(r"[\s;]*[=+\-@＝＋－＠]|[\t\r]")
_AFTER = re.compile(r";(?=\s*[=+\-@＝＋－＠])(?!\s*-?(?:[\d.]+(?:e[+-]\d+)?|inf)(?:;|$))")
"""What begins another cell where a spreadsheet takes the semicolon for the separator."""

Cell = str | float | None


def render(check: Check) -> str:
    """The metrics by run, with a line of names above them; lines end in CR LF.

    A run without a metric, and a problem, is a line of its own. Numbers are whole, as in the JSON
    report; under scale log difference, interval, margin and sd are of natural logarithms. A text
    that a spreadsheet would take for a formula begins with an apostrophe, also behind a semicolon.
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in _rows(checked.clean(check)))
    return out.getvalue()


def _rows(check: Check) -> Iterator[Sequence[Cell]]:
    for report in check.reports:
        run = _run(report)
        rest = len(COLUMNS) - len(run) - 1
        yield from ((*run, *_metric(each)) for each in report.comparisons)
        if not report.comparisons:
            yield (*run, *[""] * rest, report.sentence)
    for problem in check.problems:
        yield _problem(problem)


def _run(report: Report) -> tuple[Cell, ...]:
    record = report.record
    return (
        checked.run_id(report),
        record.name if record else "",
        record.experiment if record else "",
        time(report.created_at),
        base.DRY_RUN if report.dry_run else report.verdict.value,
        report.failed_stage.value if report.failed_stage else "",
    )


def _metric(each: Comparison) -> tuple[Cell, ...]:
    interval, margin = each.interval, each.margin
    return (
        each.metric,
        "yes" if each.gated else "no",
        each.verdict.value,
        each.change.value if each.change else "",
        _several(each.baseline),
        _several(each.reruns),
        each.mean,
        each.sd,
        str(len(each.reruns)),
        each.difference,
        *((interval.low, interval.high, interval.level) if interval else (None,) * 3),
        *((margin.low, margin.high, margin.source.value) if margin else (None,) * 3),
        each.scale.value,
        each.reason,
        each.sentence,
    )


def _problem(problem: Problem) -> Sequence[Cell]:
    told = {
        "run_id": problem.asked,
        "run_verdict": Verdict.NOT_VERIFIED.value,
        "sentence": checks.in_words(problem),
    }
    return [told.get(name, "") for name in COLUMNS]


def _several(values: Sequence[float]) -> Cell:
    """One value is a number; several are a text."""
    return values[0] if len(values) == 1 else "; ".join(map(_number, values))


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case str():
            text = _AFTER.sub("; '", printable(cut(value, LONGEST)))
            return f"'{text}" if _FORMULA.match(text) else text
        case _:
            return _number(value)


def _number(value: float) -> str:
    """The shortest text that reads back as the same number; `nan`, `inf` and `-inf`."""
    return repr(float(value)).removesuffix(".0")
