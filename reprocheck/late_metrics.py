"""Metrics that were logged after the run had ended: a later evaluation, or somebody's edit."""

from __future__ import annotations

from collections.abc import Iterator

from reprocheck import mending
from reprocheck.durations import format_duration
from reprocheck.model import Finding, Metric, RunRecord, RunStatus, Severity
from reprocheck.numbers import counted, format_value
from reprocheck.schema import pointer

LATE = "late-metric"
SLACK_MS = 60_000
"""Each time is of the machine that logged: the one that ended the run may be behind it."""

SYSTEM = "system/"
"""Metrics of MLflow's own thread, which may write its last ones while the run ends."""

NO_TIME_MS = 4_102_444_800_000
"""2100: beyond it, somebody logged another unit than milliseconds."""

MOST = 10
HINT = (
    "log every metric before the run ends; log a later evaluation inside "
    "`mlflow.start_run(run_id=...)`, which moves the run's end, or as a run of its own"
)
FIX = "with mlflow.start_run(run_id={}): mlflow.log_metric({}, value)"


def findings(record: RunRecord) -> Iterator[Finding]:
    """A warning for each metric with a value that is later than the run's end."""
    late = [
        (metric, time_ms) for metric in _judged(record) if (time_ms := _late_ms(record, metric))
    ]
    for metric, late_ms in late[:MOST]:
        behind = format_duration(late_ms / 1000)
        told = f"{metric.name} was logged {behind} after the run had ended: whether the run's "
        told += f"command computed its {format_value(metric.value)} is not known"
        fix = mending.line(FIX, record.ref.run_id, metric.name)
        yield _finding(told, pointer(["metrics", metric.name]), fix)
    if len(late) > MOST:
        told = f"{counted(len(late) - MOST, 'more metric')} had values after the run's end"
        yield _finding(told, "/metrics", "")


def _judged(record: RunRecord) -> Iterator[Metric]:
    if record.ended_at is not None and record.status is RunStatus.FINISHED:
        yield from (each for each in record.metrics.values() if not each.name.startswith(SYSTEM))


def _late_ms(record: RunRecord, metric: Metric) -> int:
    """How long after the run's end the metric was last logged; 0 where it was not."""
    end_ms = round(record.ended_at.timestamp() * 1000) if record.ended_at else 0
    times = (each.timestamp_ms for each in metric.history if each.timestamp_ms < NO_TIME_MS)
    last_ms = max(times, default=0)
    return last_ms - end_ms if last_ms > end_ms + SLACK_MS else 0


def _finding(message: str, place: str, fix: str) -> Finding:
    return Finding(
        code=LATE,
        severity=Severity.WARNING,
        message=message,
        hint=HINT,
        pointer=place,
        fix=fix,
    )
