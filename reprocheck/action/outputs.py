"""What a step leaves behind: its outputs, the job's summary, annotations."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from reprocheck import checks, exit_codes
from reprocheck.action.commands import Level, annotation
from reprocheck.errors import MachineError
from reprocheck.model import Check, Comparison, Report, Verdict
from reprocheck.numbers import counted

LARGEST_METRICS = 50_000
"""Bytes of the output metrics-json."""
LARGEST_SUMMARY = 900_000
"""Bytes: over 1,024 KiB the runner drops the whole summary, and the step fails."""
MOST_ANNOTATIONS = 10
"""Of each level that the runner shows of a step."""


def set_outputs(env: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Sets the step's outputs; without GITHUB_OUTPUT there is nobody to read them.

    Raises `MachineError`.
    """
    parts = []
    for name, value in outputs.items():
        end = f"end-{secrets.token_hex(16)}"
        parts.append(f"{name}<<{end}\n{value}\n{end}\n")
    _append(env.get("GITHUB_OUTPUT", ""), "".join(parts))


def add_summary(env: Mapping[str, str], markdown: str) -> None:
    """Adds to the page of the job. Raises `MachineError`."""
    content = markdown.encode(errors="replace")
    if len(content) > LARGEST_SUMMARY:  # whole lines: half a tag would open what never closes
        content = content[:LARGEST_SUMMARY].rpartition(b"\n")[0]
    _append(env.get("GITHUB_STEP_SUMMARY", ""), content.decode(errors="ignore") + "\n")


def write_files(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Writes files by name, and says where each one is. Raises `MachineError`."""
    found = {name: folder / name for name in texts}
    try:
        for name, text in texts.items():
            found[name].write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise MachineError(
            f"writing to {folder} failed: {error.strerror}", "make room on the runner"
        ) from error
    return found


def of_check(check: Check) -> dict[str, str]:
    """The outputs that tell of a check."""
    verdict = checks.verdict(check)
    return {
        "verdict": verdict.value.lower() if verdict else "none",
        "exit-code": str(checks.exit_code(check)),
        "job-exit-code": str(checks.job_exit_code(check)),
        "run-ids": json.dumps([report.asked for report in check.reports]),
        "checked-count": str(len(check.reports)),
        "mismatched": json.dumps(_mismatched(check.reports)),
        "metrics-json": _metrics(check.reports),
        "environment-digest": json.dumps(_environments(check.reports)),
        "cached": _cached(check.reports),
        "waiting": check.waiting,
    }


def _mismatched(reports: tuple[Report, ...]) -> list[str]:
    return [each.asked for each in reports if each.verdict is Verdict.NOT_REPRODUCED]


def _environments(reports: tuple[Report, ...]) -> dict[str, str]:
    return {each.asked: each.environment.digest for each in reports if each.environment}


def _cached(reports: tuple[Report, ...]) -> str:
    """Whether nothing had to be built; "" where no environment was needed."""
    known = [each.environment.cached for each in reports if each.environment]
    return str(all(known)).lower() if known else ""


def annotated(check: Check) -> Iterator[str]:
    """Commands that annotate the job with what went wrong, and with what is not sure."""
    left = dict.fromkeys(Level, MOST_ANNOTATIONS)
    for level, message, title in _told(check):
        left[level] -= 1
        if left[level] >= 0:
            yield annotation(level, message, title)


def _told(check: Check) -> Iterator[tuple[Level, str, str]]:
    for problem in check.problems:
        yield Level.ERROR, checks.in_words(problem), "reprocheck: not verified"
    for report in check.reports:
        level = _level(check, report)
        if level:
            yield level, f"{report.asked}: {report.sentence}", f"reprocheck: {report.verdict.value}"
    if check.rule_changes:
        told = f"{counted(len(check.rule_changes), 'rule')} of judging would change with this pull "
        yield Level.NOTICE, told + "request; the base branch's were used", "reprocheck"
    if check.waiting:
        yield Level.NOTICE, check.waiting, "reprocheck: nothing was verified"
    elif not (check.reports or check.problems):
        yield Level.NOTICE, "no run was named or found", "reprocheck: nothing was verified"


def _level(check: Check, report: Report) -> Level | None:
    """None: there is nothing to say beyond the summary."""
    code = exit_codes.exit_code(report)
    if checks.is_failed_by(check, code):
        return Level.ERROR
    weak = report.verdict in (Verdict.CONSISTENT, Verdict.NOT_WORSE)
    return Level.WARNING if code or weak else None


def _metrics(reports: tuple[Report, ...]) -> str:
    """The judged metrics by run as JSON; runs that do not fit are left out, the last first."""
    told = [(report.asked, _judged(report)) for report in reports]
    while True:
        text = json.dumps(dict(told), separators=(",", ":"), allow_nan=False)
        if len(text) <= LARGEST_METRICS:
            return text
        told.pop()


def _judged(report: Report) -> dict[str, dict[str, object]]:
    return {each.metric: _metric(each) for each in report.comparisons if each.gated}


def _metric(comparison: Comparison) -> dict[str, object]:
    return {
        "verdict": comparison.verdict.value,
        "original": [_finite(value) for value in comparison.baseline[:8]],
        "mean": _finite(comparison.mean),
        "reruns": len(comparison.reruns),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no other numbers."""
    return value if value is not None and math.isfinite(value) else None


def _append(name: str, text: str) -> None:
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        raise MachineError(
            f"writing to {name} failed: {error.strerror}", "make room on the runner"
        ) from error
