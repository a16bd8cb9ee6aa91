"""What every report of an audit says in the same words and order, and its texts made safe.

The texts are printable and hold no secrets; a renderer still escapes them for its own format.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from reprocheck.grading import OPEN
from reprocheck.hostile import cut, printable, redact
from reprocheck.model import Audit, AuditedRun, Finding, Grade, RunStatus, Severity
from reprocheck.numbers import counted

SHORT = {
    Grade.VERIFIABLE: "verifiable now",
    Grade.CAVEATS: "with caveats",
    Grade.NOT_VERIFIABLE: "not verifiable",
}
GRADES = (Grade.VERIFIABLE, Grade.CAVEATS, Grade.NOT_VERIFIABLE)
"""The best first."""
WORST_FIRST = GRADES[::-1]
MOST_CODES = 4
"""Codes of a run in a sentence."""
LONGEST = 2_000
"""Characters of one text of a run."""

_SEVERITIES = tuple(Severity)


@lru_cache(maxsize=8192)
def safe(text: str) -> str:
    """The text of one line, without secrets, control characters, and what is too long."""
    text = redact(cut(text, LONGEST))
    return text if text.isprintable() else printable(text)


def subject(audit: Audit) -> str:
    """What was looked at."""
    if not audit.experiments:
        return "all experiments"
    named = ", ".join(safe(cut(name, 60)) for name in audit.experiments[:3])
    more = len(audit.experiments) - 3
    return f"{named} and {more} more" if more > 0 else named


def headline(audit: Audit) -> str:
    """The totals in one sentence, the first thing that a report says."""
    if not audit.runs:
        return "No run to audit"
    counts = {grade: audit.count(grade) for grade in GRADES}
    every = len(audit.runs)
    now, caveats = counts[Grade.VERIFIABLE], counts[Grade.CAVEATS]
    are = "is" if now == 1 or every == 1 else "are"
    return (
        f"{now} of {counted(every, 'run')} {are} verifiable now, {caveats} with caveats, "
        f"{counts[Grade.NOT_VERIFIABLE]} not"
    )


def rescue(audit: Audit) -> str:
    """The step that would rescue most runs, the second thing that a report says."""
    if not audit.runs:
        return "No experiment has runs that the filter keeps" if audit.filter else ""
    if audit.rescue:
        runs = counted(audit.rescued, "run")
        return f"One step could lift {runs} to a better grade: {safe(audit.rescue)}"
    if audit.count(Grade.VERIFIABLE) == len(audit.runs):
        return "Nothing has to be mended"
    return "No one step lifts a run to a better grade: the causes differ, or come together"


def share(some: int, every: int) -> str:
    """A share in percent; neither 0 % nor 100 % unless it is none or all."""
    if not every:
        return "0 %"
    percent = round(100 * some / every)
    if 0 < some < every:
        percent = min(99, max(1, percent))
    return f"{percent} %"


def day(moment: datetime | None) -> str:
    """A day in UTC; "" where it is not known."""
    return f"{moment:%Y-%m-%d}" if moment else ""


def worst(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, errors first; of a severity, first one of each code."""
    nth: Counter[str] = Counter()
    keyed = []
    for finding in findings:
        keyed.append((_SEVERITIES.index(finding.severity), nth[finding.code], finding))
        nth[finding.code] += 1
    return tuple(finding for *_, finding in sorted(keyed, key=lambda each: each[:2]))


def ordered(runs: Iterable[AuditedRun]) -> tuple[AuditedRun, ...]:
    """The runs, the worst first; of those of a grade, the ones with most findings, then the
    latest."""
    return tuple(sorted(runs, key=_badness))


def reasons(run: AuditedRun) -> tuple[Finding, ...]:
    """The findings that keep a run from a better grade."""
    if run.grade is Grade.VERIFIABLE:
        return ()
    told = worst(run.findings)
    return tuple(f for f in told if f.severity is not Severity.NOTE or f.code in OPEN)


def why(run: AuditedRun, most: int = MOST_CODES) -> str:
    """The codes of what keeps a run from a better grade; "" where nothing does."""
    codes = list(dict.fromkeys(safe(each.code) for each in reasons(run)))
    more = f" and {len(codes) - most} more" if len(codes) > most else ""
    return ", ".join(codes[:most]) + more


def named(run: AuditedRun) -> str:
    """The run's name, with its status where it did not finish."""
    name = safe(cut(run.name, 100))
    return name if run.status is RunStatus.FINISHED else f"{name} ({run.status.value})".strip()


def _badness(run: AuditedRun) -> tuple[int, int, int, float, str]:
    errors = sum(each.severity is Severity.ERROR for each in run.findings)
    warnings = sum(each.severity is Severity.WARNING for each in run.findings)
    started = run.started_at.timestamp() if run.started_at else 0.0
    return WORST_FIRST.index(run.grade), -errors, -warnings, -started, run.ref.run_id
