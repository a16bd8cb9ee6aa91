"""What a verification exits with, by its report."""

from __future__ import annotations

from reprocheck.model import Outcome, Report, Require, Verdict

EXIT_CODES = {
    Verdict.IDENTICAL: 0,
    Verdict.NUMERICALLY_EQUAL: 0,
    Verdict.REPRODUCED: 0,
    Verdict.NOT_WORSE: 0,
    Verdict.CONSISTENT: 0,
    Verdict.NOT_VERIFIED: 3,
    Verdict.NOT_COMPARABLE: 3,
    Verdict.NOT_REPRODUCED: 10,
    Verdict.INCONCLUSIVE: 11,
}


def exit_code(report: Report) -> int:
    """The exit code that the report's verdict stands for (DESIGN's table)."""
    if report.dry_run:
        return 0
    if any(stage.failure and stage.failure.usage for stage in report.stages):
        return 2
    code = EXIT_CODES[report.verdict]
    if code == 0 and report.require is Require.CRITERIA:
        return _of_criteria({result.outcome for result in report.criteria})
    weaker = report.verdict in (Verdict.CONSISTENT, Verdict.NOT_WORSE)
    return 11 if weaker and report.require is Require.REPRODUCED else code


def _of_criteria(outcomes: set[Outcome]) -> int:
    """Nothing judged is not met."""
    if Outcome.MISSES in outcomes:
        return 12
    return 0 if outcomes == {Outcome.MEETS} else 11
