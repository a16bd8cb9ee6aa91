"""What is a test case of a report, and which of them pass: only what was judged and found good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reprocheck import checks
from reprocheck.exit_codes import EXIT_CODES
from reprocheck.model import (
    Check,
    CriterionResult,
    Outcome,
    Report,
    Require,
    StageResult,
    Verdict,
)
from reprocheck.numbers import format_value
from reprocheck.reporters import base

FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"
PASSED = ""

_BADNESS = (PASSED, SKIPPED, FAILURE, ERROR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One test case."""

    name: str
    told: str  # the sentence
    kind: str  # PASSED, or the name of the element that says why not
    type: str  # the verdict, or what takes its place


def cases(check: Check, report: Report) -> list[Case]:
    """The judged metrics, products and criteria, and what kept the report from judging.

    There is always one at least, and where the verdict is no good one, one that did not pass.
    """
    found = [*_judged(check, report), *map(_stage, report.stages)]
    told = [each for each in found if each is not None]
    if report.require is Require.CRITERIA and not report.criteria:
        lacking = "no success criterion was judged, as required"
        told.append(Case(name="success criteria", told=lacking, kind=ERROR, type="none"))
    whole = _kind(check, report, Verdict.NOT_VERIFIED if report.dry_run else report.verdict)
    worst = max((_BADNESS.index(case.kind) for case in told), default=-1)
    if worst < min(_BADNESS.index(whole), _BADNESS.index(FAILURE)) or not told:
        told.append(_whole(report, whole))
    return told


def _judged(check: Check, report: Report) -> Iterator[Case]:
    if report.dry_run:
        return
    for each in report.comparisons:
        if each.gated:
            yield _case(check, report, each.metric, each.verdict, each.sentence)
    for product in report.products:
        if product.gated:
            name = f"product {product.path}"
            yield _case(check, report, name, product.verdict, product.sentence)
    for result in report.criteria:
        yield _criterion(report, result)


def _case(check: Check, report: Report, name: str, verdict: Verdict, told: str) -> Case:
    kind = _kind(check, report, verdict)
    weak = (
        f"{verdict.value}, but {report.require.value} was required. "
        if _is_weak(report, verdict)
        else ""
    )
    return Case(name=name, told=weak + told, kind=kind, type=verdict.value)


def _kind(check: Check, report: Report, verdict: Verdict) -> str:
    """By the exit code that the verdict stands for, and what the check fails on."""
    if _is_weak(report, verdict):
        return FAILURE
    match EXIT_CODES.get(verdict, 3):
        case 0:
            return PASSED
        case 10:
            return FAILURE
        case 11:
            return FAILURE if checks.is_failed_by(check, 11) else SKIPPED
        case _:
            return ERROR


def _is_weak(report: Report, verdict: Verdict) -> bool:
    return report.require is Require.REPRODUCED and verdict in base.WEAKER


def _criterion(report: Report, result: CriterionResult) -> Case:
    """One that is not required can pass, and fail nothing: it is no part of the verdict."""
    kind = FAILURE if report.require is Require.CRITERIA else SKIPPED
    return Case(
        name=f"{result.metric} {result.bound} {format_value(result.threshold)}",
        told=result.sentence,
        kind=PASSED if result.outcome is Outcome.MEETS else kind,
        type=result.outcome.value,
    )


def _stage(result: StageResult) -> Case | None:
    failed = result.failure
    if failed is None:
        return None
    told = f"{failed.message}\n{failed.hint}" if failed.hint else failed.message
    return Case(name=f"stage {result.stage.value}", told=told, kind=ERROR, type=failed.kind)


def _whole(report: Report, kind: str) -> Case:
    told = base.DRY_RUN if report.dry_run else report.sentence or base.headline(report)
    return Case(name="verdict", told=told, kind=kind or ERROR, type=report.verdict.value)
