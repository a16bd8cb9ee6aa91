"""What a run's reruns are judged against where somebody accepted another baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reprocheck import accepted, compare
from reprocheck.accepted import FILE_NAME, InForce
from reprocheck.compare.case import centre_of
from reprocheck.model import Acceptance, Finding, Metric, Point, Severity
from reprocheck.numbers import format_value


@dataclass(frozen=True, kw_only=True, slots=True)
class Honoured:
    """The question with the baseline that counts, and whose that is."""

    question: compare.Question
    acceptance: Acceptance | None = None  # None: the run's own values are the baseline
    proposed: Acceptance | None = None
    findings: tuple[Finding, ...] = ()


def honour(
    question: compare.Question,
    run_id: str,
    counting: tuple[Acceptance, ...],
    proposed: tuple[Acceptance, ...] = (),
) -> Honoured:
    """The question judged by the last acceptance of the run among `counting`.

    What only `proposed` holds counts nothing, and is told. Raises `ConfigError` for a margin that
    the accepted values give no meaning.
    """
    own = {name: metric.value for name, metric in question.metrics.items()}
    base = accepted.in_force(counting, run_id, own)
    head = accepted.in_force(proposed, run_id, own) if proposed else InForce()
    values = {
        name: new
        for name, new in accepted.values_of(base.acceptance).items()
        if name in question.gates.metrics and name in own
    }
    _check_margins(question, values)
    return Honoured(
        question=dataclasses.replace(question, accepted=values),
        acceptance=base.acceptance if values else None,
        proposed=head.acceptance if head.acceptance != base.acceptance else None,
        findings=(
            *(_stale(each, own) for each in base.stale),
            *(_stale(each, own) for each in head.stale if each not in counting),
            *_unused(question, base.acceptance),
        ),
    )


def described(acceptance: Acceptance) -> str:
    """Whose and of when it is, in words."""
    by = f" by {acceptance.by}" if acceptance.by else ""
    return f"the acceptance{by} of {acceptance.at.date().isoformat()}"


def _check_margins(question: compare.Question, values: Mapping[str, tuple[float, ...]]) -> None:
    for name, new in values.items():
        rule = question.rule(name)
        point = Point(step=0, timestamp_ms=0, value=centre_of(rule, new))
        compare.check_margins({name: rule}, {name: Metric(name=name, history=(point,))})


def _stale(acceptance: Acceptance, own: Mapping[str, float]) -> Finding:
    told = ", ".join(
        f"{each.metric} of {format_value(each.old[0])}" for each in acceptance.metrics[:3]
    )
    recorded = ", ".join(
        f"{each.metric} {format_value(own[each.metric])}"
        for each in acceptance.metrics[:3]
        if each.metric in own
    )
    return Finding(
        code="stale-acceptance",
        severity=Severity.WARNING,
        message=f"{FILE_NAME}: {described(acceptance)} does not count: it replaced {told}, which "
        f"is neither the run's own value nor what was accepted before it (the run logged "
        f"{recorded})",
        hint="verify the run again, and accept what that report says, if it is right",
        pointer="/metrics",
    )


def _unused(question: compare.Question, acceptance: Acceptance | None) -> Iterator[Finding]:
    for each in acceptance.metrics if acceptance else ():
        if each.metric in question.gates.metrics and each.metric in question.metrics:
            continue
        logged = each.metric in question.metrics
        why = "which is not judged here" if logged else "which the run never logged"
        yield Finding(
            code="unused-acceptance",
            severity=Severity.NOTE,
            message=f"{FILE_NAME}: {described(acceptance) if acceptance else ''} names "
            f"{each.metric}, {why}: it changes nothing",
            hint="judge the metric (--gate), or leave it as it is",
            pointer="/metrics",
        )
