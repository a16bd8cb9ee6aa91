"""Final values that are not what their histories end in: SQL stores keep the two apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reprocheck.late_metrics import LATE, ends_of, is_same
from reprocheck.model import Finding, Metric, Severity
from reprocheck.numbers import format_value
from reprocheck.schema import pointer
from reprocheck.trackers.mlflow_run import FoundRun


def altered(run: FoundRun, metrics: Mapping[str, Metric]) -> Iterator[Finding]:
    """A warning for each metric whose final value, as the tracker tells it, its history lacks."""
    for name, metric in metrics.items():
        told, end = run.last[name], ends_of(metric)
        if not any(is_same(told, value) for value in end):
            values = [format_value(each, told - end[-1]) for each in (told, end[-1])]
            yield Finding(
                code=LATE,
                severity=Severity.WARNING,
                message=f"{name} is {values[0]} in the tracker's list, and its own history ends in "
                f"{values[1]}, which counts here: one of the two was changed",
                hint="look who changed the tracker's database; MLflow's client keeps both in step",
                pointer=pointer(["metrics", name]),
            )
