"""The seam to reports, and the answer that all of them tell in the same words and numbers.

The texts here are as the run gave them: a renderer escapes them for its own format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from reprocheck.hostile import cut
from reprocheck.model import (
    SEVERITY_ORDER,
    Comparison,
    Failure,
    Finding,
    Margin,
    MarginSource,
    Outcome,
    Report,
    Require,
    Scale,
    Severity,
    Stage,
    Verdict,
)
from reprocheck.numbers import (
    counted,
    format_change,
    format_percent,
    format_spread,
    format_value,
    format_width,
)

NOTHING = "—"
"""Stands where there is no value."""

DRY_RUN = "Nothing was run (dry run)"
LOG_LINES = 12

MARKS = {
    Verdict.IDENTICAL: "✓",
    Verdict.NUMERICALLY_EQUAL: "✓",
    Verdict.REPRODUCED: "✓",
    Verdict.NOT_WORSE: "✓",
    Verdict.CONSISTENT: "≈",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_COMPARABLE: "!",
    Verdict.NOT_REPRODUCED: "✗",
    Verdict.NOT_VERIFIED: "!",
    Verdict.INFORMATIONAL: " ",
}

GOOD = SEVERITY_ORDER[: SEVERITY_ORDER.index(Verdict.INCONCLUSIVE)]
"""Verdicts that exit 0, unless more was required."""
WEAKER = (Verdict.NOT_WORSE, Verdict.CONSISTENT)
"""Good ones that are not what `--require reproduced` asks for."""


class Reporter(Protocol):
    """A format of reports."""

    def __call__(self, report: Report) -> str:
        """The report as text, from the report alone: no file, no clock, no environment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One judged metric, in words."""

    metric: str
    original: str
    reruns: str  # their mean
    spread: str  # their standard deviation, "± 0.01"; may be empty
    count: str
    difference: str
    interval: tuple[str, ...]  # its ends; empty: none
    margin: str
    source: str  # of the margin
    judged: Verdict
    change: str  # of NOT_REPRODUCED: worse, better, changed


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """A labelled line."""

    label: str
    text: str


# --- the answer ---------------------------------------------------------------------------


def mark(report: Report) -> str:
    """A sign before the headline, so that color alone says nothing."""
    if report.dry_run:
        return ""
    if misses_criteria(report):
        return MARKS[Verdict.NOT_REPRODUCED] + " "
    return ("?" if shortfall(report) else MARKS[report.verdict]) + " "


def headline(report: Report) -> str:
    """The verdict in words, the first thing that a report says."""
    if report.dry_run and report.failed_stage is None:
        return DRY_RUN
    words = report.verdict.value
    if report.failed_stage is not None:
        return f"{words} ({report.failed_stage.value})"
    changes = dict.fromkeys(each.change.value for each in report.comparisons if each.change)
    if report.verdict is Verdict.NOT_REPRODUCED and changes:
        words = f"{words} ({', '.join(changes)})"
    return f"{words} against the accepted baseline" if report.acceptance else words


def baseline_head(report: Report) -> str:
    """What the column of the values that the reruns are compared with is called."""
    return "Baseline" if report.acceptance else "Original"


def failure(report: Report) -> Failure | None:
    """Why a stage could not do its work, where one could not."""
    return next((each.failure for each in report.stages if each.failure is not None), None)


def reason(report: Report) -> str:
    """Why the verdict is what it is, on one line."""
    return report.sentence.partition("\n")[0]


def cause(report: Report) -> str:
    """What failed, on one line, where that is not the reason already; else empty."""
    failed = failure(report)
    said = failed.message.partition("\n")[0] if failed else ""
    return "" if said == reason(report) else said


def next_steps(report: Report) -> tuple[str, ...]:
    """What to do now, most urgent first."""
    failed = failure(report)
    steps = [failed.hint if failed else "", report.needed]
    if shortfall(report):
        steps.append(_way_out(report))
    return tuple(dict.fromkeys(step for step in steps if step))


def shortfall(report: Report) -> str:
    """Where the verdict is good, but less than was required: what is lacking; else empty."""
    if report.dry_run or report.verdict not in GOOD:
        return ""
    if report.require is Require.REPRODUCED and report.verdict in WEAKER:
        return "but reproduced was required"
    if report.require is not Require.CRITERIA:
        return ""
    if misses_criteria(report):
        return "but a required success criterion is missed"
    if any(result.outcome is Outcome.UNDECIDED for result in report.criteria):
        return "but a required success criterion is undecided"
    return "" if report.criteria else "but no success criterion was judged, as required"


def misses_criteria(report: Report) -> bool:
    """Whether it is for a success criterion alone that the report is no good one."""
    required = report.require is Require.CRITERIA and report.verdict in GOOD
    return required and any(result.outcome is Outcome.MISSES for result in report.criteria)


def _way_out(report: Report) -> str:
    """What to do about a shortfall, "" where only another training would help."""
    if report.require is Require.CRITERIA:
        if misses_criteria(report):
            return ""
        return f"`--require criteria`: {_criteria_lack(report)} the success criteria"
    if report.verdict is Verdict.NOT_WORSE:
        return "`--require reproduced` needs both sides tested: remove noninferiority"
    if report.needed:
        return ""
    return "`--require reproduced` needs a margin: declare one, for example with --margin"


def _criteria_lack(report: Report) -> str:
    if not report.criteria:
        return "no rerun was judged by"
    logged = {name for trial in report.trials for name in trial.metrics}
    open_ones = {each.metric for each in report.criteria if each.outcome is Outcome.UNDECIDED}
    if report.trials and not open_ones <= logged:
        return f"make the training log {', '.join(sorted(open_ones - logged))}, for"
    return "more reruns narrow the bounds of"


def last_lines(report: Report, most: int = LOG_LINES) -> tuple[str, ...]:
    """The end of the output of what failed: as its message holds it, or of the last rerun."""
    failed = failure(report)
    text = (failed.message if failed else report.sentence).partition("\n")[2]
    if not text and report.failed_stage in (Stage.RERUN, Stage.COMPARE) and report.trials:
        text = report.trials[-1].log_tail
    lines = [line.rstrip() for line in text.splitlines()]
    return tuple(cut(line, 500) for line in lines if line)[-most:]


# --- the metrics --------------------------------------------------------------------------


def rows(report: Report) -> tuple[Row, ...]:
    """The judged metrics, worst first."""
    judged = [each for each in report.comparisons if each.gated]
    judged.sort(key=lambda each: _badness(each.verdict), reverse=True)
    return tuple(row_of(each) for each in judged)


def unjudged(report: Report) -> tuple[str, ...]:
    """The other metrics, each as one phrase."""
    return tuple(
        f"{each.metric} {original(each)} → {mean(each)}"
        for each in report.comparisons
        if not each.gated
    )


def original(comparison: Comparison) -> str:
    """The recorded value, or the mean of several."""
    usable, beside = _usable(comparison), _apart(comparison)
    if comparison.baseline and not math.isfinite(comparison.baseline[0]):
        return format_value(comparison.baseline[0])
    if len(usable) > 1:
        return f"{format_value(_centre(comparison), beside)} (mean of {len(usable)})"
    return format_value(usable[0], beside) if usable else NOTHING


def mean(comparison: Comparison) -> str:
    """The mean of the reruns, or the value where there is but one or all are non-finite."""
    if comparison.mean is not None:
        return format_value(comparison.mean, _apart(comparison))
    if len(comparison.reruns) > 1 and all(map(math.isfinite, comparison.reruns)):
        count = len(comparison.reruns)
        return format_value(math.fsum(value / count for value in comparison.reruns))
    return format_value(comparison.reruns[-1]) if comparison.reruns else NOTHING


def margin(comparison: Comparison) -> str:
    """The margin's half-widths."""
    found = comparison.margin
    return "none" if found is None else format_width(found.low, found.high, comparison.scale)


def _usable(comparison: Comparison) -> tuple[float, ...]:
    """The originals that are finite, or all where none is."""
    return tuple(filter(math.isfinite, comparison.baseline)) or comparison.baseline


def _centre(comparison: Comparison) -> float:
    """The originals' mean, the geometric one under scale log."""
    usable = _usable(comparison)
    if comparison.scale is Scale.LOG and min(usable) > 0:
        return math.exp(sum(map(math.log, usable)) / len(usable))
    return sum(usable) / len(usable)


def _apart(comparison: Comparison) -> float:
    """The difference in the metric's unit, for as many digits as show it."""
    if comparison.scale is Scale.LINEAR:
        return comparison.difference or 0.0
    if comparison.mean is None or not comparison.baseline:
        return 0.0
    return comparison.mean - _centre(comparison)


def row_of(comparison: Comparison) -> Row:
    """One metric in words, judged or not."""
    interval, scale = comparison.interval, comparison.scale
    ends = (interval.low, interval.high) if interval else ()
    sd, difference = comparison.sd, comparison.difference
    return Row(
        metric=comparison.metric,
        original=original(comparison),
        reruns=mean(comparison),
        spread="" if sd is None else f"± {format_spread(sd, scale)}",
        count=counted(len(comparison.reruns), "rerun"),
        difference=NOTHING if difference is None else format_change(difference, scale),
        interval=tuple(format_change(end, scale) for end in ends),
        margin=margin(comparison),
        source=_source(comparison.margin),
        judged=comparison.verdict,
        change=comparison.change.value if comparison.change else "",
    )


def _badness(verdict: Verdict) -> int:
    return SEVERITY_ORDER.index(verdict) if verdict in SEVERITY_ORDER else -1


def margin_source(row: Row, *, exact: bool = True) -> str:
    """Where the margin is from, without the number where that is the margin's own."""
    declared, _, source = row.source.partition(" (")
    same = row.margin in (f"±{declared}", declared.replace(", ", "…"))
    if not source:
        return row.source
    if exact:
        return source.removesuffix(")") if same else row.source
    return "declared" if same else declared


def _source(margin: Margin | None) -> str:
    if margin is None:
        return ""
    return margin.text if margin.source is MarginSource.DECLARED else margin.source.value


def common_count(rows: tuple[Row, ...]) -> str:
    """How many reruns every row has, empty where they differ."""
    counts = {row.count for row in rows}
    return counts.pop() if len(counts) == 1 else ""


def levels(report: Report) -> str:
    """The confidence levels of the intervals shown, for the table's head."""
    found = {format_percent(each.interval.level) for each in report.comparisons if each.interval}
    return " or ".join(sorted(found))


# --- findings -----------------------------------------------------------------------------


def findings(report: Report, *severities: Severity) -> tuple[Finding, ...]:
    """The findings of these severities, in the order of these, each once."""
    found = dict.fromkeys(report.findings)
    return tuple(each for level in severities for each in found if each.severity is level)
