"""The seam to reports, and the facts that all of them tell in the same words and numbers.

The texts here are as the run gave them: a renderer escapes them for its own format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reprocheck.durations import format_duration
from reprocheck.hostile import cut
from reprocheck.model import (
    SEVERITY_ORDER,
    Argv,
    BuiltEnvironment,
    Comparison,
    Failure,
    Finding,
    Margin,
    MarginSource,
    Material,
    Origin,
    OriginKind,
    Report,
    Require,
    RunRecord,
    Severity,
    ShellLine,
    Stage,
    StageStatus,
    Step,
    Verdict,
)
from reprocheck.numbers import (
    counted,
    format_difference,
    format_percent,
    format_size,
    format_value,
)
from reprocheck.reporters.differences import set_aside
from reprocheck.reporters.seeds import given_seeds

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
    return ("?" if missed(report) else MARKS[report.verdict]) + " "


def headline(report: Report) -> str:
    """The verdict in words, the first thing that a report says."""
    if report.dry_run and report.failed_stage is None:
        return DRY_RUN
    words = report.verdict.value
    if report.failed_stage is not None:
        return f"{words} ({report.failed_stage.value})"
    changes = dict.fromkeys(each.change.value for each in report.comparisons if each.change)
    if report.verdict is Verdict.NOT_REPRODUCED and changes:
        return f"{words} ({', '.join(changes)})"
    return words


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
    if missed(report) and not report.needed:
        steps.append(
            "`--require reproduced` needs a margin: declare one, for example with --margin"
        )
    return tuple(dict.fromkeys(step for step in steps if step))


def missed(report: Report) -> bool:
    """Whether the verdict is good, but weaker than the one that was required."""
    return report.require is Require.REPRODUCED and report.verdict is Verdict.CONSISTENT


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
    return tuple(_row(each) for each in judged)


def unjudged(report: Report) -> tuple[str, ...]:
    """The other metrics, each as one phrase."""
    return tuple(
        f"{each.metric} {original(each)} → {mean(each)}"
        for each in report.comparisons
        if not each.gated
    )


def original(comparison: Comparison) -> str:
    """The recorded value, or the mean of several."""
    values, beside = comparison.baseline, comparison.difference or 0.0
    if len(values) > 1:
        return f"{format_value(sum(values) / len(values), beside)} (mean of {len(values)})"
    return format_value(values[0], beside) if values else NOTHING


def mean(comparison: Comparison) -> str:
    """The mean of the reruns, or the value where there is but one or all are non-finite."""
    if comparison.mean is not None:
        return format_value(comparison.mean, comparison.difference or 0.0)
    return format_value(comparison.reruns[-1]) if comparison.reruns else NOTHING


def margin(margin: Margin | None) -> str:
    """The margin's half-widths."""
    if margin is None:
        return "none"
    if margin.low == margin.high:
        return f"±{format_size(margin.high)}"
    return f"-{format_size(margin.low)} +{format_size(margin.high)}"


def _row(comparison: Comparison) -> Row:
    interval = comparison.interval
    return Row(
        metric=comparison.metric,
        original=original(comparison),
        reruns=mean(comparison),
        spread="" if comparison.sd is None else f"± {format_size(comparison.sd)}",
        count=counted(len(comparison.reruns), "rerun"),
        difference=_optional(comparison.difference),
        interval=tuple(map(format_difference, (interval.low, interval.high))) if interval else (),
        margin=margin(comparison.margin),
        source=_source(comparison.margin),
        judged=comparison.verdict,
        change=comparison.change.value if comparison.change else "",
    )


def _badness(verdict: Verdict) -> int:
    return SEVERITY_ORDER.index(verdict) if verdict in SEVERITY_ORDER else -1


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


def _optional(value: float | None) -> str:
    return NOTHING if value is None else format_difference(value)


# --- what was used ------------------------------------------------------------------------


def used(report: Report) -> tuple[Fact, ...]:
    """The run, its code, command, environment and data, one line each."""
    record = report.record
    if record is None:
        return (Fact(label="Run", text=report.asked),)
    facts = [
        Fact(label="Run", text=_run(record)),
        Fact(label="Code", text=_code(record)),
        Fact(label="Command", text=_command(record)),
        Fact(label="Environment", text=_environment(report, record)),
        Fact(label="Data", text=_data(report, record)),
    ]
    if report.plan and report.seeds:
        facts.append(Fact(label="Seeds", text=given_seeds(report, report.plan.seeds)))
    if report.environment:
        facts.insert(4, Fact(label="Rebuilt", text=_rebuilt(report.environment)))
    if aside := set_aside(report):
        facts.append(Fact(label="Set aside", text=aside))
    return tuple(facts)


def plan(report: Report) -> tuple[Fact, ...]:
    """What a verification would judge and cost, for a dry run."""
    facts: list[Fact] = []
    if report.gates:
        names = ", ".join(report.gates.metrics) or "none"
        facts.append(Fact(label="Judged", text=f"{names} (by {report.gates.reason})"))
    cost = report.cost
    if cost:
        took = "unknown" if cost.original_s is None else format_duration(cost.original_s)
        text = (
            f"the original took {took}; at most {counted(cost.reruns, 'rerun')}, "
            f"{format_duration(cost.trial_timeout_s)} each; "
            f"{format_duration(cost.longest_s)} at the longest"
        )
        facts.append(Fact(label="Cost", text=text))
    return tuple(facts)


def planned_margins(report: Report) -> tuple[tuple[str, str, str], ...]:
    """For a dry run: each judged metric, its recorded value, its margin and where that is from."""
    known = {each.metric: each for each in report.comparisons}
    metrics = report.record.metrics if report.record else {}
    told = []
    for name in report.gates.metrics if report.gates else ():
        value = format_value(metrics[name].value) if name in metrics else NOTHING
        comparison = known.get(name)
        if comparison is None:
            told.append((name, value, NOTHING))
        elif comparison.margin is None:
            told.append((name, value, "none known"))
        else:
            source = f"{comparison.margin.source.value}: {comparison.margin.text}"
            told.append((name, value, f"{margin(comparison.margin)}, {source}"))
    return tuple(told)


def stage_times(report: Report) -> str:
    """How long each stage that ran took, on one line; one that did not pass says so."""
    said = []
    for result in report.stages:
        if result.status is StageStatus.SKIPPED:
            continue
        how = "" if result.status is StageStatus.PASSED else f" {result.status.value}"
        said.append(f"{result.stage.value} {format_duration(result.duration_s)}{how}")
    return " · ".join(said)


def command_line(step: Step) -> str:
    """A step as one line to read, not to paste."""
    match step.run:
        case Argv(args=args):
            line = " ".join(arg if arg and " " not in arg else repr(arg) for arg in args)
        case ShellLine(line=text):
            line = f"sh -c {text!r}"
    return line if step.cwd in ("", ".") else f"{line} (in {step.cwd})"


def origin_words(origin: Origin | None) -> str:
    """Where a fact was found, in brackets; nothing where that is not known."""
    if origin is None:
        return ""
    if origin.kind is OriginKind.INFERRED:
        return f" (inferred from {origin.where})"
    return f" ({origin.kind.value} {origin.where})"


def _run(record: RunRecord) -> str:
    name = f" {record.name}" if record.name else ""
    group = f" of {record.experiment}" if record.experiment else ""
    return f"{record.ref.run_id}{name}{group} ({record.ref.tracker})"


def _code(record: RunRecord) -> str:
    code = record.code
    patch = " with its patch" if code.patch else ""
    commit = code.commit[:12] or "no commit"
    origin = origin_words(record.origins.get("/code/commit"))
    return f"{commit}, tree {code.tree.value}{patch}{origin}"


def _command(record: RunRecord) -> str:
    if record.command is None:
        return "not recorded"
    line = " && ".join(command_line(step) for step in record.command.steps)
    return line + origin_words(record.origins.get("/command"))


def _environment(report: Report, record: RunRecord) -> str:
    if report.environment:
        return report.environment.asked
    spec = record.environment
    if spec is None:
        return "not recorded"
    return f"{spec.kind.value} {spec.file}{origin_words(spec.origin)}"


def _rebuilt(built: BuiltEnvironment) -> str:
    cached = ", cached" if built.cached else ""
    return (
        f"{built.kind.value}, Python {built.python}, {counted(len(built.packages), 'package')}"
        f"{cached}; isolation: {built.isolation or 'none'}"
    )


def _data(report: Report, record: RunRecord) -> str:
    if not record.data:
        said = (each.summary for each in report.stages if each.stage is Stage.RESTORE)
        return next(said, "") or "no digest recorded"
    first = ", ".join(_material(material) for material in record.data[:2])
    more = f" and {len(record.data) - 2} more" if len(record.data) > 2 else ""
    return f"{counted(len(record.data), 'material')}: {first}{more}"


def _material(material: Material) -> str:
    weak = " (weak)" if material.weak else ""
    return f"{material.path} {material.algorithm} {material.digest[:12]}{weak}"


# --- findings -----------------------------------------------------------------------------


def findings(report: Report, *severities: Severity) -> tuple[Finding, ...]:
    """The findings of these severities, in the order of these, each once."""
    found = dict.fromkeys(report.findings)
    return tuple(each for level in severities for each in found if each.severity is level)
