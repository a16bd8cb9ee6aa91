"""Tables: which answer is the worst, and which fail a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reprocheck import checks
from reprocheck.model import (
    Check,
    CriterionResult,
    FailOn,
    Outcome,
    Problem,
    Report,
    Require,
    Verdict,
)

REPORT = Report(
    schema_version=1,
    tool_version="1",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    asked="run",
    record=None,
    stages=(),
    environment=None,
    cost=None,
    trials=(),
    gates=None,
    comparisons=(),
    verdict=Verdict.REPRODUCED,
    failed_stage=None,
    sentence="",
    needed="",
    require=Require.CONSISTENT,
    dry_run=False,
    workspace=None,
)
MISSED = CriterionResult(
    metric="a",
    bound="min",
    threshold=1.0,
    outcome=Outcome.MISSES,
    mean=0.0,
    limit=None,
    level=None,
    sentence="",
)
CRITERIA = replace(REPORT, require=Require.CRITERIA, criteria=(MISSED,))


def check_of(*verdicts: Verdict, codes: tuple[int, ...] = (), **fields: object) -> Check:
    told = {"created_at": REPORT.created_at, "head_sha": ""} | fields
    return Check(
        schema_version=1,
        tool_version="1",
        reports=tuple(replace(REPORT, verdict=each) for each in verdicts),
        problems=tuple(Problem(asked="x", message="", hint="", exit_code=code) for code in codes),
        **told,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("check", "verdict", "code"),
    [
        (check_of(), None, 0),
        (check_of(Verdict.IDENTICAL, Verdict.CONSISTENT), Verdict.CONSISTENT, 0),
        (check_of(Verdict.INCONCLUSIVE, Verdict.IDENTICAL), Verdict.INCONCLUSIVE, 11),
        (check_of(Verdict.NOT_COMPARABLE, Verdict.INCONCLUSIVE), Verdict.NOT_COMPARABLE, 3),
        (check_of(Verdict.NOT_REPRODUCED, Verdict.NOT_COMPARABLE), Verdict.NOT_REPRODUCED, 10),
        (check_of(Verdict.NOT_REPRODUCED, Verdict.NOT_VERIFIED), Verdict.NOT_VERIFIED, 3),
        (check_of(Verdict.IDENTICAL, codes=(3,)), Verdict.NOT_VERIFIED, 3),
        (check_of(Verdict.NOT_REPRODUCED, codes=(3,)), Verdict.NOT_VERIFIED, 3),
        (check_of(codes=(3, 2)), Verdict.NOT_VERIFIED, 2),
        (check_of(codes=(2, 1)), Verdict.NOT_VERIFIED, 1),
        (check_of(codes=(143, 1)), Verdict.NOT_VERIFIED, 143),
    ],
)
def test_the_worst_answer_is_the_checks(check: Check, verdict: Verdict | None, code: int) -> None:
    assert (checks.verdict(check), checks.exit_code(check)) == (verdict, code)


ALWAYS = (1, 2, 130, 143)


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        (Check.__dataclass_fields__["fail_on"].default, {10, 3}),
        ((), set()),
        ((FailOn.INCONCLUSIVE,), {11}),
        ((FailOn.NOT_VERIFIED,), {3}),
        ((FailOn.NOT_REPRODUCED,), {10}),
    ],
)
def test_fail_on_names_the_answers_that_fail_a_job(
    fail_on: tuple[FailOn, ...], failing: set[int]
) -> None:
    coded = {
        0: check_of(Verdict.CONSISTENT, fail_on=fail_on),
        3: check_of(Verdict.NOT_COMPARABLE, fail_on=fail_on),
        10: check_of(Verdict.NOT_REPRODUCED, fail_on=fail_on),
        11: check_of(Verdict.INCONCLUSIVE, fail_on=fail_on),
    } | {code: check_of(codes=(code,), fail_on=fail_on) for code in ALWAYS}
    failed = {code for code, check in coded.items() if checks.fails(check)}
    assert failed == failing | set(ALWAYS)
    assert {checks.exit_code(check) for check in coded.values()} == set(coded)


def test_criteria_fail_a_job_as_all_do_under_a_strict_requirement() -> None:
    strict = replace(check_of(fail_on=()), reports=(CRITERIA,))
    assert (checks.exit_code(strict), checks.fails(strict)) == (12, True)
    weak = replace(REPORT, verdict=Verdict.CONSISTENT, require=Require.REPRODUCED)
    assert checks.job_exit_code(replace(strict, reports=(weak,))) == 11
    assert (
        checks.job_exit_code(replace(strict, reports=(replace(weak, verdict=REPORT.verdict),))) == 0
    )


def test_what_does_not_fail_the_job_leaves_its_code_to_what_does() -> None:
    check = check_of(Verdict.NOT_VERIFIED, Verdict.NOT_REPRODUCED, fail_on=(FailOn.NOT_REPRODUCED,))
    assert (checks.exit_code(check), checks.job_exit_code(check)) == (3, 10)
    assert checks.job_exit_code(replace(check, fail_on=())) == 0


def _check(*reports: Report, **changes: object) -> Check:
    check = Check(
        schema_version=1,
        tool_version="1",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        head_sha="a" * 40,
        reports=reports,
    )
    return replace(check, **changes)  # type: ignore[arg-type]


def test_several_checks_say_together_what_each_says_once() -> None:
    other = replace(REPORT, asked="other")
    problem = Problem(asked="x", message="m", hint="", exit_code=3)
    newer = datetime(2026, 2, 1, tzinfo=UTC)
    one = _check(REPORT, problems=(problem,), fail_on=(FailOn.CRITERIA,), sought=("a", "b"))
    two = _check(other, REPORT, problems=(problem,), sought=("b",), created_at=newer)
    found = checks.merged([one, two, _check(head_sha="b" * 40, waiting="for a fetch")])
    assert found.reports == (REPORT, other)
    assert (found.problems, found.sought) == ((problem,), ("a", "b"))
    assert (found.created_at, found.head_sha, found.waiting) == (newer, "", "for a fetch")
    assert found.fail_on == (FailOn.NOT_REPRODUCED, FailOn.NOT_VERIFIED, FailOn.CRITERIA)


def test_two_answers_on_one_run_are_both_kept() -> None:
    bad = replace(REPORT, verdict=Verdict.NOT_REPRODUCED)
    assert checks.merged([_check(REPORT), _check(bad), _check(REPORT)]).reports == (REPORT, bad)


def test_one_check_alone_stays_as_it_is() -> None:
    check = _check(REPORT, waiting=" ")
    assert checks.merged([check]) is check
