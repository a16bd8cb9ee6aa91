"""Final values that are not what their histories end in: SQL stores keep the two apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from reprocheck.late_metrics import LATE
from reprocheck.model import Finding, Metric, Severity
from reprocheck.numbers import format_value
from reprocheck.schema import pointer
from reprocheck.trackers.mlflow_run import FoundRun

_CLOSE = 1e-9  # relative: databases and JSON keep doubles, but not all print every digit


def altered(run: FoundRun, metrics: Mapping[str, Metric]) -> Iterator[Finding]:
    """A warning for each metric whose final value, as the tracker tells it, its history lacks."""
    for name, metric in metrics.items():
        told, end = run.last[name], _end(metric)
        if not any(_is_same(told, value) for value in end):
            values = [format_value(each, told - end[-1]) for each in (told, end[-1])]
            yield Finding(
                code=LATE,
                severity=Severity.WARNING,
                message=f"{name} is {values[0]} in the tracker's list, and its own history ends in "
                f"{values[1]}, which counts here: one of the two was changed",
                hint="look who changed the tracker's database; MLflow's client keeps both in step",
                pointer=pointer(["metrics", name]),
            )


def _end(metric: Metric) -> tuple[float, ...]:
    """The values that may be the last: which of one step and millisecond it is, no store tells."""
    last = metric.history[-1]
    at = (last.step, last.timestamp_ms)
    return tuple(each.value for each in metric.history if (each.step, each.timestamp_ms) == at)


def _is_same(one: float, other: float) -> bool:
    both_nan = math.isnan(one) and math.isnan(other)
    return both_nan or math.isclose(one, other, rel_tol=_CLOSE)
