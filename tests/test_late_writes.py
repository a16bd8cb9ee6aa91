import dataclasses

import pytest

from reprocheck.late_writes import MOST, findings
from reprocheck.metadata import validate
from reprocheck.model import Seal, SealedMetric
from tests.reporters.builders import make_metric, make_record

TAGS = {"team": "vision", "mlflow.source.git.commit": "0123456", "secret": "x"}
RECORD = make_record(tags=TAGS)


def seal(**changes):
    metrics = {
        name: SealedMetric(value=each.value, step=1, timestamp_ms=1000, points=2)
        for name, each in RECORD.metrics.items()
    }
    sealed = Seal(
        at=RECORD.ended_at,
        parameters=dict(RECORD.parameters),
        metrics=metrics,
        tags={**TAGS, "secret": "***"},
    )
    return dataclasses.replace(sealed, **changes)


def found(sealed=None, **changes):
    return list(findings(dataclasses.replace(RECORD, sealed=sealed or seal(), **changes)))


def test_a_run_as_it_ended_has_no_finding():
    assert found() == []
    assert list(findings(RECORD)) == []


@pytest.mark.parametrize(
    ("changes", "severity", "pointer", "told"),
    [
        ({"metrics": {**RECORD.metrics, "f1": make_metric("f1", 0.9)}}, "warning", "/metrics/f1",
         "was not there"),
        ({"metrics": {**RECORD.metrics, "loss": make_metric("loss", 0.5, 0.1)}}, "warning",
         "/metrics/loss", "is 0.1, and was 0.1342"),
        ({"metrics": {**RECORD.metrics, "loss": make_metric("loss", 0.5, 0.4, 0.1342)}}, "warning",
         "/metrics/loss", "has 1 values more"),
        ({"metrics": {"loss": RECORD.metrics["loss"]}}, "warning", "/metrics/accuracy", "is gone"),
        ({"parameters": {**RECORD.parameters, "lr": "0.2"}}, "warning", "/parameters/lr",
         "is '0.2', and was '0.1'"),
        ({"parameters": {**RECORD.parameters, "a/b": "1"}}, "warning", "/parameters/a~1b",
         "was not there"),
        ({"parameters": {"lr": "0.1"}}, "warning", "/parameters/seed", "is gone"),
        ({"tags": {**TAGS, "mlflow.source.git.commit": "7654321"}}, "warning",
         "/tags/mlflow.source.git.commit", "was '0123456'"),
        ({"tags": {**TAGS, "team": "language"}}, "note", "/tags/team", "was 'vision'"),
        ({"tags": {**TAGS, "stage": "production"}}, "note", "/tags/stage", "was not there"),
    ],
)  # fmt: skip
def test_what_was_written_later_is_told(changes, severity, pointer, told):
    (finding,) = found(**changes)
    assert (finding.code, finding.severity, finding.pointer) == ("late-metric", severity, pointer)
    assert told in finding.message


@pytest.mark.parametrize(
    "name",
    ["mlflow.note.content", "mlflow.runName", "reprocheck.verdict", "approved_by", "approvals"],
)
def test_what_is_meant_to_be_written_later_is_no_finding(name):
    assert found(tags={**TAGS, name: "later"}) == []


def test_an_address_that_was_added_is_no_finding_and_a_changed_one_is():
    name = "mlflow.source.git.repoURL"
    tags = {**TAGS, name: "https://example.com/x.git"}
    assert found(tags=tags) == []
    assert len(found(seal(tags={**TAGS, name: "https://example.com/other.git"}), tags=tags)) == 1


def test_metrics_of_the_systems_monitor_are_no_finding():
    late = {"system/cpu": make_metric("system/cpu", 1.0)}
    assert found(metrics={**RECORD.metrics, **late}) == []


def test_a_changed_tag_has_the_line_that_puts_it_back():
    (finding,) = found(tags={**TAGS, "team": "x"})
    assert finding.fix.endswith("team vision")


def test_a_long_text_is_compared_by_its_digest():
    sealed = seal(parameters={**RECORD.parameters, "lr": "sha256:" + "0" * 64})
    (finding,) = found(sealed)
    assert "was another" in finding.message


def test_a_run_that_was_rewritten_is_told_shortly():
    assert len(found(parameters={f"p{i}": "1" for i in range(50)})) == MOST


def test_the_stage_validate_tells_it_and_passes():
    record = dataclasses.replace(RECORD, sealed=seal(), parameters={"lr": "9", "seed": "42"})
    codes = {finding.code: finding.severity for finding in validate(record)}
    assert codes == {"late-metric": "warning", "unlogged-argument": "warning"}
