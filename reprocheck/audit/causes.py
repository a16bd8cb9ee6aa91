"""What keeps runs from being verified: the commonest causes, and the step that mends most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from reprocheck.grading import OPEN, grade
from reprocheck.model import AuditedRun, Cause, Finding, Grade, Severity

_BEST_FIRST = tuple(Grade)
_SEVERITIES = tuple(Severity)  # the worst first

_STEPS = {
    "give `command` in reprocheck.yaml": ("missing-command", "kernel-launcher", "inferred-command"),
    "name the environment's file under `environment` in reprocheck.yaml": ("missing-environment",),
    "give the digests of the data under `data` in reprocheck.yaml": ("missing-data", "weak-digest"),
    "push the commits that no remote has": ("unpushed-commit",),
    "push the commits that no place has, where a clone still has them": ("commit-unreachable",),
    "run the audit where the repository is, or name it with --repo": (
        "missing-repository",
        "commit-unchecked",
    ),
    "leave --offline out": ("artifacts-unread",),
    "copy the artifacts to where they can be read, and say so under `tracker: artifact_roots` in "
    "reprocheck.yaml": ("artifacts-unreachable", "artifacts-truncated"),
    "give `limits: {timeout: ...}` in reprocheck.yaml": ("missing-times", "odd-times"),
}
"""Steps that mend several codes, or runs whose findings have different fixes, at one stroke."""
_OF_OLD_RUNS = re.compile(
    r"(git (push|fetch)|dvc push) |(command|data|environment|limits|metrics|parameters|tracker): ?"
)
"""How a fix begins that helps runs which have ended: others are for the runs to come."""
_STEP_OF = {code: step for step, codes in _STEPS.items() for code in codes}


def causes(runs: Iterable[AuditedRun]) -> tuple[Cause, ...]:
    """What keeps runs from a better grade, the one that concerns most runs first."""
    counts: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    worst: dict[str, Finding] = {}
    for run in runs:
        mattering = [f for f in run.findings if f.severity is not Severity.NOTE or f.code in OPEN]
        for finding in mattering:
            known = worst.get(finding.code)
            if known is None or _rank(finding) < _rank(known):
                worst[finding.code] = finding
        codes = {finding.code for finding in mattering}
        counts.update(codes)
        alone.update(code for code in codes if _is_better(run, _of(run, code)))
    found = [
        Cause(
            code=code,
            severity=finding.severity,
            message=finding.message,
            fix=finding.fix,
            runs=counts[code],
            alone=alone[code],
        )
        for code, finding in worst.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.runs, _SEVERITIES.index(each.severity))))


@dataclass(kw_only=True, slots=True)
class _Step:
    rescued: int = 0  # runs that could be verified then, and cannot now
    lifted: int = 0  # runs of a better grade, these among them
    fixes: tuple[str, ...] = ()  # two are enough to see that they differ

    @property
    def worth(self) -> tuple[int, int]:
        return self.rescued, self.lifted


def rescue(runs: Iterable[AuditedRun]) -> tuple[str, int]:
    """The one step that would rescue most runs, and how many runs it lifts to a better grade.

    Runs that cannot be verified count first. ("", 0) where no one step lifts any run: what mends
    a single run by its own id is none, nor is what only helps the runs to come.
    """
    steps: dict[str, _Step] = {}
    for run in runs:
        for name, findings in _mended(run).items():
            if not _is_better(run, findings):
                continue
            step = steps.setdefault(name, _Step())
            step.lifted += 1
            step.rescued += run.grade is Grade.NOT_VERIFIABLE
            step.fixes = tuple(dict.fromkeys((*step.fixes, *(f.fix for f in findings))))[:2]
    if not steps:
        return "", 0
    best = max(steps, key=lambda name: steps[name].worth)
    return _told(best, steps[best]), steps[best].lifted


def _told(name: str, step: _Step) -> str:
    if len(step.fixes) == 1 and step.fixes[0] != name and _OF_OLD_RUNS.match(step.fixes[0]):
        return f"{name}: {step.fixes[0]}"
    return name


def _mended(run: AuditedRun) -> dict[str, list[Finding]]:
    """The run's findings by the step that mends them."""
    steps: dict[str, list[Finding]] = {}
    for finding, step in _with_steps(run):
        steps.setdefault(step, []).append(finding)
    return steps


def _with_steps(run: AuditedRun) -> Iterator[tuple[Finding, str]]:
    for finding in run.findings:
        if finding.code in _STEP_OF:
            yield finding, _STEP_OF[finding.code]
        elif _OF_OLD_RUNS.match(finding.fix) and run.ref.run_id not in finding.fix:
            yield finding, finding.fix


def _of(run: AuditedRun, code: str) -> list[Finding]:
    return [finding for finding in run.findings if finding.code == code]


def _is_better(run: AuditedRun, mended: Collection[Finding]) -> bool:
    """Whether the run would have a better grade without these findings."""
    then = grade(finding for finding in run.findings if finding not in mended)
    return _BEST_FIRST.index(then) < _BEST_FIRST.index(run.grade)


def _rank(finding: Finding) -> tuple[int, bool]:
    """The worst first; of these, one that tells what mends it."""
    return _SEVERITIES.index(finding.severity), not finding.fix
