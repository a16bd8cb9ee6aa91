import dataclasses
from datetime import UTC, datetime

import pytest

from reprocheck.late_metrics import MOST, findings
from reprocheck.model import Metric, Point, RunStatus, Severity
from tests.reporters.builders import make_record

END = datetime(2026, 1, 31, 12, 3, 20, tzinfo=UTC)
END_MS = round(END.timestamp() * 1000)


def found(after_s, name="accuracy", **changes):
    points = (
        Point(step=0, timestamp_ms=END_MS - 1000, value=0.9),
        Point(step=1, timestamp_ms=END_MS + round(after_s * 1000), value=0.99),
    )
    metric = Metric(name=name, history=points)
    return list(findings(make_record(metrics={name: metric}, ended_at=END, **changes)))


def test_a_metric_of_after_the_end_is_a_warning():
    (finding,) = found(7200)
    assert (finding.code, finding.severity) == ("late-metric", Severity.WARNING)
    assert finding.pointer == "/metrics/accuracy"
    assert "2 h after the run had ended" in finding.message
    assert "0.99" in finding.message
    assert 'mlflow.log_metric("accuracy", value)' in finding.fix


@pytest.mark.parametrize(
    ("after_s", "changes"),
    [
        (-1, {}),
        (59, {}),  # clocks
        (7200, {"name": "system/cpu"}),
        (7200, {"status": RunStatus.RUNNING}),
        (4e9, {}),  # no milliseconds
    ],
)
def test_an_honest_run_has_no_finding(after_s, changes):
    assert found(after_s, **changes) == []


def test_a_run_that_never_ended_has_no_finding():
    record = make_record(ended_at=None)
    assert list(findings(record)) == []


def test_many_late_metrics_are_told_together():
    (late,) = [Point(step=0, timestamp_ms=END_MS + 100_000, value=1.0)]
    metrics = {f"m{i}": Metric(name=f"m{i}", history=(late,)) for i in range(MOST + 3)}
    told = list(findings(dataclasses.replace(make_record(), metrics=metrics, ended_at=END)))
    assert len(told) == MOST + 1
    assert told[-1].message.startswith("3 more metrics")
