"""What is not as it was when the run ended, by the seal that reprocheck-capture kept of it.

MLflow keeps no time for parameters and tags, and takes any time for a metric's value.
"""

from __future__ import annotations

from collections.abc import Iterator

from reprocheck import mending
from reprocheck.late_metrics import LATE, SYSTEM, ends_of, is_same
from reprocheck.model import Finding, Metric, RunRecord, Seal, SealedMetric, Severity
from reprocheck.numbers import format_value
from reprocheck.schema import pointer
from reprocheck.seals import HIDDEN, holds

MOST = 10
"""Findings of a kind; one who rewrites a run often rewrites all of it."""

_LONGEST = 60  # characters of a value that a message shows
_SEALED_DIGEST = "sha256:"
# What a run is rebuilt from: changed, another run would be verified.
_FACTS = ("mlflow.source.", "mlflow.project.", "mlflow.databricks.git", "reprocheck.", "git_commit")
_WRITTEN_BACK = tuple(f"reprocheck.{name}" for name in ("verdict", "verified_at", "tool", "report"))
_ADDRESS = "mlflow.source.git.repoURL"  # told later, it leads to the same commit
_APPROVALS = ("approved_by", "approvals")
_HINT = "look who wrote into the run after it had ended; log everything before that"


def findings(record: RunRecord) -> Iterator[Finding]:
    """A finding for each metric, parameter and tag that the seal has not, or has as another."""
    seal = record.sealed
    if seal is not None:
        kinds = (_metrics(record, seal), _parameters(record, seal), _tags(record, seal))
        for kind in kinds:
            yield from list(kind)[:MOST]


def _metrics(record: RunRecord, seal: Seal) -> Iterator[Finding]:
    for name, metric in record.metrics.items():
        told = "" if name.startswith(SYSTEM) else _metric(metric, seal.metrics.get(name))
        if told:
            yield _finding("metrics", name, told, Severity.WARNING)
    for name in sorted(seal.metrics.keys() - record.metrics.keys()):
        yield _finding("metrics", name, "was there when it ended, and is gone", Severity.WARNING)


def _metric(metric: Metric, sealed: SealedMetric | None) -> str:
    """What differs from the seal; "" for nothing."""
    if sealed is None:
        return "was not there when the run ended"
    last = metric.history[-1]
    if not any(is_same(value, sealed.value) for value in ends_of(metric)):
        beside = last.value - sealed.value
        shown = [format_value(each, beside) for each in (last.value, sealed.value)]
        return f"is {shown[0]}, and was {shown[1]} when the run ended"
    more = len(metric.history) - (sealed.points or len(metric.history))
    if more > 0:
        return f"has {more} values more than when the run ended"
    return ""


def _parameters(record: RunRecord, seal: Seal) -> Iterator[Finding]:
    for name, text in record.parameters.items():
        told = _text(text, seal.parameters.get(name))
        if told:
            yield _finding("parameters", name, told, Severity.WARNING)
    for name in sorted(seal.parameters.keys() - record.parameters.keys()):
        yield _finding("parameters", name, "was there when it ended, and is gone", Severity.WARNING)


def _tags(record: RunRecord, seal: Seal) -> Iterator[Finding]:
    """Tags of a finished run are set every day; those that say what ran are not."""
    found = []
    for name, text in record.tags.items():
        added = name == _ADDRESS and name not in seal.tags
        told = "" if added or _is_free(name) else _text(text, seal.tags.get(name))
        if told:
            fact = name.startswith(_FACTS) and name in seal.tags
            severity = Severity.WARNING if fact else Severity.NOTE
            found.append(_finding("tags", name, told, severity, _restored(record, seal, name)))
    yield from sorted(found, key=lambda each: each.severity is Severity.NOTE)


def _is_free(name: str) -> bool:
    """Whether a tag is meant to be written later: MLflow's own, ours of a verdict, approvals."""
    if name in _WRITTEN_BACK or name in _APPROVALS:
        return True
    return name.startswith("mlflow.") and not name.startswith(_FACTS)


def _text(text: str, sealed: str | None) -> str:
    if text == HIDDEN:  # of a record file
        return ""
    if sealed is None:
        return "was not there when the run ended"
    if holds(sealed, text):
        return ""
    before = "another" if sealed.startswith(_SEALED_DIGEST) else f"'{sealed[:_LONGEST]}'"
    return f"is '{text[:_LONGEST]}', and was {before} when the run ended"


def _restored(record: RunRecord, seal: Seal, name: str) -> str:
    """The line that sets a tag as it was, where the seal has it whole."""
    before = seal.tags.get(name, HIDDEN)
    whole = before != HIDDEN and not before.startswith(_SEALED_DIGEST)
    return mending.set_tag(record, name, before) if whole else ""


def _finding(kind: str, name: str, told: str, severity: Severity, fix: str = "") -> Finding:
    return Finding(
        code=LATE,
        severity=severity,
        message=f"the {kind[:-1]} {name} {told}",
        hint=_HINT,
        pointer=pointer([kind, name]),
        fix=fix,
    )
