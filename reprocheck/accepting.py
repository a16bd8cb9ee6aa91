"""Makes a changed result the new baseline of its run: what may be accepted, and the entry for it.

Only what was measured can be a baseline, and only where its spread is known: three reruns at
least, below which no test has power whatever the data, or reruns that are proven to repeat each
other. So an INCONCLUSIVE result can be accepted, if it is not an unstable one: a person may decide
what the statistics could not, and the reruns are as many originals from then on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reprocheck import accepted
from reprocheck.compare.ladder import storable
from reprocheck.compare.verdicts import GOOD
from reprocheck.errors import AcceptError, UsageError
from reprocheck.model import (
    FIRST_LOOK,
    Acceptance,
    AcceptedMetric,
    Comparison,
    Report,
    RunRecord,
    Verdict,
)
from reprocheck.numbers import counted
from reprocheck.reporters import base

LONGEST_REASON = 1_000
LONGEST_NAME = 200
_ANEW = "train the run anew, and verify that"
_UNSTABLE = ("unstable", "failures", "non_finite")


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Who accepts, when, why, and which metrics; all that changed where none is named."""

    by: str
    at: datetime  # UTC
    reason: str
    metrics: tuple[str, ...] = ()


def decision(by: str, at: datetime, reason: str, metrics: Sequence[str] = ()) -> Decision:
    """The decision, with its texts on one line each. Raises `UsageError`."""
    return Decision(
        by=_line("--by", by, LONGEST_NAME),
        at=at.astimezone(UTC).replace(microsecond=0),
        reason=_line("--reason", reason, LONGEST_REASON),
        metrics=tuple(dict.fromkeys(metrics)),
    )


def accept(report: Report, decided: Decision, counting: Sequence[Acceptance]) -> Acceptance | None:
    """The acceptance of a report's values; None of a report that reproduced: nothing changed.

    `counting` are the acceptances so far. Raises `AcceptError` for what cannot be a baseline, and
    `UsageError` for a metric that is not judged.
    """
    record = _measured(report)
    if report.verdict in GOOD:
        return None
    chosen = _chosen(report, decided.metrics)
    for each in chosen:
        _refuse_unsure(report, each)
    own = {name: metric.value for name, metric in record.metrics.items()}
    before = accepted.in_force(counting, record.ref.run_id, own).acceptance
    found = Acceptance(
        run_id=record.ref.run_id,
        by=decided.by,
        at=decided.at,
        reason=decided.reason,
        verdict=report.verdict,
        metrics=(*map(_metric, chosen), *_carried(before, {each.metric for each in chosen})),
        verified_at=report.created_at,
        tool_version=report.tool_version,
    )
    whole = accepted.added(counting, found)
    if accepted.in_force(whole, found.run_id, own).acceptance is not found:
        raise AcceptError(
            "the report was judged against another baseline than the one that counts now",
            f"verify the run again, and accept that: reprocheck verify {record.ref.run_id}",
        )
    return found


def _line(option: str, text: str, longest: int) -> str:
    line = " ".join(text.split())
    if not line:
        raise UsageError(f"{option} is empty", f'say it in words: {option} "…"')
    if len(line) > longest:
        raise UsageError(
            f"{option} has {len(line):,} characters; at most {longest:,} are kept", "say it shorter"
        )
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in line):
        raise UsageError(f"{option} holds control characters", "write plain text")
    return line


def _measured(report: Report) -> RunRecord:
    record = report.record
    again = f"reprocheck verify {record.ref.run_id if record else report.asked}"
    if report.dry_run:
        raise AcceptError("the report is of a dry run: nothing was measured", f"run {again}")
    if record is None or report.verdict is Verdict.NOT_VERIFIED:
        steps = base.next_steps(report)
        raise AcceptError(
            f"nothing was measured: {base.headline(report)}: {base.reason(report)}",
            f"{steps[0] if steps else 'mend it'}; then run {again}",
        )
    return record


def _chosen(report: Report, named: Sequence[str]) -> list[Comparison]:
    """The judged metrics that are not reproduced, or those of them that are named."""
    judged = {each.metric: each for each in report.comparisons if each.gated}
    for name in named:
        if name not in judged:
            told = ", ".join(judged) or "none"
            raise UsageError(f"--metric {name} is not judged in this report", f"judged: {told}")
        if judged[name].verdict in GOOD:
            raise AcceptError(
                f"{name} did not change ({judged[name].verdict}): its baseline stays as it is",
                "leave it out of --metric",
            )
    found = [each for name, each in judged.items() if not named or name in named]
    changed = [each for each in found if each.verdict not in GOOD]
    if not changed:
        raise AcceptError(
            "no judged metric changed: what is not reproduced is a file, and an acceptance is of "
            "metrics",
            "if the file need not be the same, judge it no more: products in reprocheck.yaml",
        )
    return changed


def _refuse_unsure(report: Report, judged: Comparison) -> None:
    """Raises `AcceptError` for a metric whose reruns cannot be a baseline."""
    run_id = report.record.ref.run_id if report.record else report.asked
    several = sum(each.gated for each in report.comparisons) > 1
    others = "; to accept others, name them with --metric" if several else ""
    values = list(map(storable, judged.reruns))
    if judged.verdict is Verdict.NOT_COMPARABLE or not values:
        way_out = {"missing": "let the training log it", "non_finite": _ANEW}
        hint = way_out.get(judged.reason, "judge another metric: --gate NAME")
        raise AcceptError(f"{judged.sentence}", f"{hint}{others}")
    if report.stopped_by == "unstable" or judged.reason in _UNSTABLE or not _finite(values):
        raise AcceptError(
            f"{judged.metric}: the training is unstable, and no baseline: {judged.sentence}",
            f"make every rerun end in a value{others}",
        )
    if not _finite([*map(storable, judged.baseline)]):
        raise AcceptError(
            f"{judged.metric}: the run's own value is not finite: {judged.sentence}",
            f"{_ANEW}{others}",
        )
    if len(values) < FIRST_LOOK and report.stopped_by != "deterministic":
        raise AcceptError(
            f"{judged.metric}: {counted(len(values), 'rerun')} cannot tell how much the result "
            f"varies; a baseline needs {FIRST_LOOK}",
            f"reprocheck verify {run_id} --reruns {FIRST_LOOK}..8{others}",
        )


def _finite(values: Sequence[float]) -> bool:
    return all(abs(value) < float("inf") for value in values)


def _metric(judged: Comparison) -> AcceptedMetric:
    return AcceptedMetric(metric=judged.metric, old=judged.baseline, new=judged.reruns)


def _carried(before: Acceptance | None, chosen: set[str]) -> tuple[AcceptedMetric, ...]:
    """What was accepted before and stays so: of a run the last entry counts alone."""
    values: Mapping[str, tuple[float, ...]] = accepted.values_of(before)
    return tuple(
        AcceptedMetric(metric=name, old=new, new=new)
        for name, new in values.items()
        if name not in chosen
    )
