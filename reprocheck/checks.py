"""What a job answers that verified several runs: the worst of them, and whether it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from reprocheck import exit_codes
from reprocheck.errors import ReprocheckError
from reprocheck.model import (
    SEVERITY_ORDER,
    Check,
    FailOn,
    Problem,
    Report,
    Require,
    Verdict,
    Verification,
)

FAILED_BY = {10: FailOn.NOT_REPRODUCED, 3: FailOn.NOT_VERIFIED} | {
    11: FailOn.INCONCLUSIVE,
    12: FailOn.CRITERIA,
}
"""What in `fail_on` an exit code fails a job by; one that is not here fails it always."""

_BY_CODE = {0: 0, 12: 1, 11: 2, 3: 12, 2: 13, 1: 14}  # verdicts with a 3 or 10 lie in between
_INTERRUPTED = 15


def alone(report: Report) -> Check:
    """The check of a single report, which says no more than the report does."""
    return Check(
        schema_version=1,
        tool_version=report.tool_version,
        created_at=report.created_at,
        head_sha="",
        reports=(report,),
    )


def merged(checks: Sequence[Check]) -> Check:
    """At least one check as one: what any of them says, once, in their order.

    A commit is told where all have the same; what fails any of them fails the whole.
    """
    if len(checks) == 1:
        return checks[0]
    newest = max(checks, key=lambda each: each.created_at)
    commits = {each.head_sha for each in checks}
    failing = {answer for each in checks for answer in each.fail_on}
    return Check(
        schema_version=newest.schema_version,
        tool_version=newest.tool_version,
        created_at=newest.created_at,
        head_sha=newest.head_sha if len(commits) == 1 else "",
        reports=tuple(_once(report for each in checks for report in each.reports)),
        problems=tuple(dict.fromkeys(told for each in checks for told in each.problems)),
        rule_changes=tuple(dict.fromkeys(told for each in checks for told in each.rule_changes)),
        fail_on=tuple(answer for answer in FailOn if answer in failing),
        sought=tuple(dict.fromkeys(told for each in checks for told in each.sought)),
        waiting="; ".join(dict.fromkeys(each.waiting for each in checks if each.waiting.strip())),
    )


def _once(reports: Iterable[Report]) -> Iterator[Report]:
    """The reports without those that are there already, as of a run's file and of its job's."""
    known: dict[tuple[datetime, str, str], list[Report]] = {}
    for report in reports:
        alike = known.setdefault((report.created_at, report.asked, report.subject), [])
        if report not in alike:
            alike.append(report)
            yield report


def verdict(check: Check) -> Verdict | None:
    """The worst verdict of all; a run or a file without a report counts as NOT_VERIFIED.

    None: there was nothing to verify.
    """
    found = [report.verdict for report in check.reports]
    found += [Verdict.NOT_VERIFIED for _ in check.problems]
    return max(found, key=SEVERITY_ORDER.index, default=None)


def exit_code(check: Check) -> int:
    """The exit code of the worst answer, as `verdict` ranks it; 0 where there is none."""
    return _worst(_codes(check))


def job_exit_code(check: Check) -> int:
    """The worst exit code among those that fail the job; 0 where none does."""
    return _worst([(rank, code) for rank, code in _codes(check) if is_failed_by(check, code)])


def fails(check: Check) -> bool:
    """Whether the job fails, by `fail_on` and by what the runs require."""
    return job_exit_code(check) != 0


def is_failed_by(check: Check, code: int) -> bool:
    """Whether an answer of that exit code fails the job."""
    if code == 0:
        return False
    strict = any(report.require is not Require.CONSISTENT for report in check.reports)
    return strict or code not in FAILED_BY or FAILED_BY[code] in check.fail_on


def problem(asked: str, error: ReprocheckError) -> Problem:
    """What is told of something asked for that an error kept from being answered."""
    return Problem(
        asked=asked, message=error.message, hint=error.hint, exit_code=2 if error.usage else 3
    )


def in_words(problem: Problem) -> str:
    """A problem as a sentence, with the next thing to try where there is one."""
    told = f"{problem.asked}: {problem.message}"
    return f"{told}. {problem.hint}" if problem.hint else told


def verification_of(report: Report) -> Verification:
    """What a trend keeps of a report."""
    return Verification(
        at=report.created_at,
        verdict=report.verdict,
        failed_stage=report.failed_stage,
        subject=report.subject,
        exit_code=exit_codes.exit_code(report),
        means={
            each.metric: each.mean
            for each in report.comparisons
            if each.gated and each.mean is not None
        },
    )


def in_order(verifications: Iterable[Verification]) -> tuple[Verification, ...]:
    """Each once, the oldest first. One report may have come by several ways: a second copy of it
    must never confirm the first."""
    known: dict[tuple[datetime, str], Verification] = {}
    for each in verifications:
        known.setdefault((each.at, each.subject), each)
    return tuple(known[key] for key in sorted(known))


def _worst(codes: list[tuple[int, int]]) -> int:
    return max(codes, default=(0, 0))[1]


def _codes(check: Check) -> list[tuple[int, int]]:
    """How bad each answer is, and its exit code."""
    problems = [problem.exit_code for problem in check.problems]
    return [_ranked(report) for report in check.reports] + [
        (_BY_CODE.get(code, _INTERRUPTED), code) for code in problems
    ]


def _ranked(report: Report) -> tuple[int, int]:
    code = exit_codes.exit_code(report)
    if code in (3, 10):
        return 3 + SEVERITY_ORDER.index(report.verdict), code
    return _BY_CODE[code], code
