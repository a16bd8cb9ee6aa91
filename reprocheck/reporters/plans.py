"""What is judged and why, after how many reruns, and at what cost: in every report."""

from __future__ import annotations

from collections.abc import Sequence

from reprocheck.compare.looks import most_reruns, single_look
from reprocheck.durations import format_duration
from reprocheck.model import (
    Comparison,
    Cost,
    Gates,
    Margin,
    Report,
    ReportDetail,
    RerunPlan,
    SeedPolicy,
)
from reprocheck.numbers import counted, format_percent, format_value
from reprocheck.reporters.base import NOTHING, Fact, margin, original

_ENDS = {
    "identical": "ended after {done}, identical beyond chance",
    "deterministic": "ended after {done}, which repeat each other",
    "decided": "decided after {done}",
    "planned": "all {done} done",
    "futility": "ended after {done}: more were not expected to decide",
    "unstable": "ended after {done}: one crashed",
    "budget": "ended after {done}: the time budget was spent",
    "nothing to compare": "ended after {done}: nothing to compare",
}
_EACH = "judged after each of "
_SAVING = ("identical", "deterministic", "decided", "futility")
"""Ends by which the reruns that are left were spared; the others only lack them."""


def planned(report: Report, *, every: bool = True) -> tuple[Fact, ...]:
    """The gates with the reason of their choice, the plan, and for a dry run the cost.

    Without `every` in fewer words.
    """
    facts = []
    if report.gates:
        facts.append(Fact(label="Judged", text=_gates(report.gates, every)))
    if report.plan and report.gates and (report.trials or report.dry_run):
        facts.append(Fact(label="Plan", text=_plan(report, report.plan, every)))
    if report.cost and report.dry_run:
        facts.append(Fact(label="Cost", text=_cost(report.cost)))
    return tuple(facts)


def planned_margins(report: Report) -> tuple[tuple[str, str, str], ...]:
    """For a dry run: each judged metric, its recorded value, its margin and where that is from."""
    known = {each.metric: each for each in report.comparisons}
    return tuple(
        (
            name,
            _recorded(report, name, known.get(name)),
            _margin(known.get(name)),
        )
        for name in (report.gates.metrics if report.gates else ())
    )


def _recorded(report: Report, name: str, comparison: Comparison | None) -> str:
    """The value that reruns would be compared with."""
    metrics = report.record.metrics if report.record else {}
    if comparison and (report.acceptance or name not in metrics):  # an expression is not recorded
        return original(comparison)
    return format_value(metrics[name].value) if name in metrics else NOTHING


def _margin(comparison: Comparison | None) -> str:
    if comparison is None:
        return NOTHING
    if comparison.margin is None:
        return "none known"
    found = comparison.margin
    return f"{margin(comparison)}, {found.source.value}: {found.text}"


def _gates(gates: Gates, every: bool) -> str:
    reason = gates.reason if every else gates.reason.partition(", since ")[0]
    names = ", ".join(gates.metrics) or "nothing"
    return f"{names}: {reason}" if reason else names


def _plan(report: Report, plan: RerunPlan, every: bool) -> str:
    """Looks, level and seeds, and how it ended."""
    level = f"level {format_percent(100 * plan.alpha)}"
    told = _looks(report, plan) if every else _looks(report, plan).removeprefix(_EACH)
    asked = ", ".join((told, level, _seeds(report, plan)))
    end = ended(report, plan)
    return f"{asked}; {end}" if end else asked


def _looks(report: Report, plan: RerunPlan) -> str:
    return looks(plan, [each.margin for each in report.comparisons if each.gated])


def looks(plan: RerunPlan, margins: Sequence[Margin | None]) -> str:
    """When the gated metrics with these margins are judged, in words."""
    once = single_look(plan)
    if not plan.is_sequential or (margins and not any(margins)):
        return f"judged once, after {counted(once, 'rerun')}"
    told = f"{_EACH}{plan.looks[0]} to {plan.most} reruns"
    return told if all(margins) else f"{told} (without a margin once, after {once})"


def _seeds(report: Report, plan: RerunPlan) -> str:
    """Which seeds; their numbers only where no other fact tells them."""
    told = "fresh seeds" if plan.seeds is SeedPolicy.FRESH else "same seed"
    if report.seeds or report.detail is ReportDetail.MINIMAL:
        return told
    if plan.seeds is SeedPolicy.FRESH:
        numbers = [trial.seed for trial in report.trials if trial.seed is not None]
    else:
        recorded = report.record.seeds.values() if report.record else ()
        numbers = list(dict.fromkeys(recorded)) or ["none recorded"]
    return f"{told} ({', '.join(numbers)})" if numbers else told


def ended(report: Report, plan: RerunPlan) -> str:
    """Why there were no more reruns, and how many that saved; "" where nothing is to be told."""
    if report.stopped_by not in _ENDS or (
        report.stopped_by == "planned" and not plan.is_sequential
    ):
        return ""
    done = sum(trial.exit_code == 0 for trial in report.trials)
    saved = _most(report, plan) - done
    end = _ENDS[report.stopped_by].format(done=done)
    return f"{end}, {saved} saved" if saved > 0 and report.stopped_by in _SAVING else end


def _most(report: Report, plan: RerunPlan) -> int:
    """The most reruns that could have been asked for."""
    if report.cost:
        return report.cost.reruns
    return most_reruns(plan, any_margin=any(each.margin for each in report.comparisons))


def _cost(cost: Cost) -> str:
    took = "unknown" if cost.original_s is None else format_duration(cost.original_s)
    return (
        f"the original took {took}; at most {counted(cost.reruns, 'rerun')}, "
        f"{format_duration(cost.trial_timeout_s)} each; "
        f"{format_duration(cost.longest_s)} at the longest"
    )
