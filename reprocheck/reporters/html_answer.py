"""Of a report's page: the verdict, why, what to do now, and of which run."""

from __future__ import annotations

from reprocheck.model import Report, Verdict
from reprocheck.reporters import base, checked

LOOKS = {
    Verdict.IDENTICAL: "good",
    Verdict.NUMERICALLY_EQUAL: "good",
    Verdict.REPRODUCED: "good",
    Verdict.NOT_WORSE: "good",
    Verdict.CONSISTENT: "good",
    Verdict.INCONCLUSIVE: "fair",
    Verdict.NOT_COMPARABLE: "fair",
    Verdict.NOT_REPRODUCED: "bad",
    Verdict.NOT_VERIFIED: "fair",
    Verdict.INFORMATIONAL: "quiet",
}
"""Classes of the style sheet; the signs of `base.MARKS` say the same without color."""


def answer(report: Report) -> dict[str, object]:
    """The values of the page's top."""
    return {
        "run": checked.run_id(report),
        "look": look(report),
        "mark": base.mark(report).strip(),
        "headline": base.headline(report),
        "lacking": base.shortfall(report),
        "reason": base.reason(report),
        "cause": base.cause(report),
        "next": base.next_steps(report),
        "lines": base.last_lines(report),
        "made_at": f"{report.created_at:%Y-%m-%d %H:%M} UTC",
        "tool_version": report.tool_version,
    }


def look(report: Report) -> str:
    """The color of the verdict."""
    if report.dry_run and report.failed_stage is None:
        return "quiet"
    if base.misses_criteria(report):
        return "bad"
    return "fair" if base.shortfall(report) else LOOKS[report.verdict]
