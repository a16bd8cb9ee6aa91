"""The steps that plan a schedule and sum it up, against the fake GitHub and a real tracker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reprocheck import cli
from reprocheck.action import hub
from reprocheck.detail import dump
from reprocheck.documents import report_document
from reprocheck.model import Report, RunRecord
from reprocheck.schedule.slugs import slug
from reprocheck.subjects import subject
from tests.action.test_outputs import written
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.hub import Clock
from tests.reporters.builders import make_report
from tests.schedule.builders import LETTERS
from tests.schedule.test_joining import report
from tests.trackers.conftest import database, empty_database

if TYPE_CHECKING:
    from tests.trackers.conftest import Store

__all__ = ["database", "empty_database"]

FILE = ".github/workflows/weekly.yml"


class Step:
    """What a step left behind, and what it printed."""

    def __init__(
        self,
        github: FakeGitHub,
        patch: pytest.MonkeyPatch,
        folder: Path,
        name: str,
        **inputs: str,
    ) -> None:
        folder.mkdir(exist_ok=True)
        files = {each: folder / each for each in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for each in files.values():
            each.unlink(missing_ok=True)
        variables = github.variables | {each: str(path) for each, path in files.items()}
        variables |= {"GITHUB_EVENT_NAME": "schedule", "GITHUB_REF_NAME": "main"}
        variables |= {"RUNNER_TEMP": str(folder), "GITHUB_RUN_ID": "15"}
        inputs = {"workflow": FILE, "github_token": "writer"} | inputs
        variables |= {f"INPUT_{each.upper()}": value for each, value in inputs.items()}
        for each, value in variables.items():
            patch.setenv(each, value)
        patch.setattr(hub, "WAITING", Clock().waiting())
        self.exit_code = cli.run(["action", name])
        self.outputs = written(files["GITHUB_OUTPUT"]) if files["GITHUB_OUTPUT"].exists() else {}
        summary = files["GITHUB_STEP_SUMMARY"]
        self.summary = summary.read_text() if summary.exists() else ""


def upload(github: FakeGitHub, found: Report) -> None:
    run = github.repository.add_run(file="weekly.yml", event="schedule", head_branch="main")
    assert found.record is not None
    name = f"reprocheck-report-{slug('net', found.record.ref.run_id)}"
    content = dump(report_document(found)).encode()
    github.repository.add_artifact(run.id, name, {"report.json": content})


def days_ago(letter: str, days: int, record: RunRecord) -> Report:
    return make_report(
        record=record,
        created_at=datetime.now(UTC) - timedelta(days=days),
        verdict=LETTERS[letter],
        subject=subject(record),
    )


def recent(letter: str, days: int, run_id: str = "1") -> Report:
    return report(letter, run=run_id, created_at=datetime.now(UTC) - timedelta(days=days))


def test_the_plan_knows_what_earlier_jobs_verified(
    github: FakeGitHub, database: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    fresh, doubted, new = (database.log(metrics={"accuracy": [0.5 + i / 8]}) for i in range(3))
    upload(github, days_ago("✓", 2, database.read(fresh)))
    upload(github, days_ago("✓", 3, database.read(doubted)))
    upload(github, days_ago("✗", 2, database.read(doubted)))
    monkeypatch.chdir(tmp_path)
    step = Step(
        *(github, monkeypatch, tmp_path / "temp", "plan"),
        tracking_uri=database.uri,
        metric="accuracy",
        experiment="digits\n",
    )
    assert step.exit_code == 0
    matrix = json.loads(step.outputs["matrix"])
    assert [each["id"] for each in matrix["include"]] == [doubted, new]
    assert step.outputs["count"] == "2"
    assert "## 2 runs to verify" in step.summary
    assert "1 run left out" in step.summary


def test_what_the_tracker_says_is_no_command(
    github: FakeGitHub,
    database: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    run_id = database.log(metrics={"accuracy": [0.5]})
    monkeypatch.chdir(tmp_path)
    inputs = {"tracking_uri": database.uri, "metric": "accuracy"}
    Step(github, monkeypatch, tmp_path / "temp", "plan", **inputs)
    before, _, after = capsys.readouterr().out.partition(run_id[:8])
    _, _, token = before.rpartition("::stop-commands::")
    assert f"\n::{token.splitlines()[0]}::\n" in after
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    Step(github, monkeypatch, tmp_path / "temp", "plan", **inputs | {"config": "##[x].yaml"})
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("::stop-commands::")
    assert any("##[x].yaml" in line for line in lines[1:-1])
    assert lines[-1] == f"::{lines[0].rpartition('::')[2]}::"


def test_a_plan_without_a_token_verifies_everything_and_says_why(
    github: FakeGitHub,
    database: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    run_id = database.log(metrics={"accuracy": [0.5]})
    monkeypatch.chdir(tmp_path)
    inputs = {"tracking_uri": database.uri, "metric": "accuracy", "github_token": ""}
    step = Step(github, monkeypatch, tmp_path / "temp", "plan", **inputs)
    assert json.loads(step.outputs["matrix"])["include"][0]["id"] == run_id
    assert "::warning" in capsys.readouterr().out
    inputs["limit"] = "257"
    assert Step(github, monkeypatch, tmp_path / "temp", "plan", **inputs).exit_code == 2
    assert "256" in capsys.readouterr().err


def test_nothing_to_verify_is_an_empty_matrix(
    github: FakeGitHub, database: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    database.log(metrics={"accuracy": [0.5]})
    monkeypatch.chdir(tmp_path)
    inputs = {"tracking_uri": database.uri, "tag": "release"}
    step = Step(github, monkeypatch, tmp_path / "temp", "plan", **inputs)
    assert step.outputs == {"matrix": '{"include": []}', "count": "0"}


def aggregate(
    github: FakeGitHub,
    patch: pytest.MonkeyPatch,
    folder: Path,
    *found: Report,
    name: str = "aggregate",
    **inputs: str,
) -> Step:
    """The step after jobs that left these reports."""
    patch.chdir(folder)
    for index, each in enumerate(found):
        assert each.record is not None
        job = slug(f"job {index}", each.record.ref.run_id)
        path = folder / f"new{len(github.seen)}" / f"reprocheck-report-{job}" / "report.json"
        path.parent.mkdir(parents=True)
        path.write_text(dump(report_document(each)))
    reports = folder / f"new{len(github.seen)}"
    given = {"files": str(reports), "issue": "true"} | inputs
    return Step(github, patch, folder / "temp", name, **given)


def issues(github: FakeGitHub) -> list[tuple[str, str]]:
    return [(each.state, each.title) for each in github.repository.issues.values()]


def test_the_issue_follows_what_two_verifications_say(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    upload(github, recent("✓", 21))
    first = recent("✗", 14)
    step = aggregate(github, monkeypatch, tmp_path, first)
    assert issues(github) == []
    assert "To be confirmed" in step.summary
    assert json.loads(Path(step.outputs["badge"]).read_text())["message"] == "0/1"
    upload(github, first)
    step = aggregate(github, monkeypatch, tmp_path, recent("✗", 7), issue_labels="a b, c")
    assert issues(github) == [("open", "Runs stopped reproducing")]
    (issue,) = github.repository.issues.values()
    assert issue.labels == ("a b", "c")
    assert "1 run has stopped reproducing" in issue.body
    assert step.outputs["issue-url"]
    upload(github, recent("✗", 7))
    step = aggregate(github, monkeypatch, tmp_path, recent("!", 1))  # says nothing
    assert issues(github) == [("open", "Runs stopped reproducing")]
    assert step.outputs["badge"] == ""
    aggregate(github, monkeypatch, tmp_path, recent("✓", 0))
    assert issues(github) == [("closed", "Runs stopped reproducing")]


def test_the_page_of_all_runs_comes_first_and_is_linked(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    upload(github, recent("✓", 21))
    upload(github, recent("✗", 14))
    new = recent("✗", 0)
    made = aggregate(github, monkeypatch, tmp_path, new, name="aggregate-page")
    page = Path(made.outputs["report-html"])
    assert page.name == "page-of-reprocheck-aggregate.html"
    assert "✓✗✗" in page.read_text(encoding="utf-8")  # the trend: one run, verified three times
    url = "https://github.com/octo/demo/actions/runs/15/artifacts/4"
    monkeypatch.setenv("REPROCHECK_HTML_URL", url)
    monkeypatch.setenv("REPORTS", made.outputs["reports"])
    asked = len(github.seen)
    step = aggregate(github, monkeypatch, tmp_path, new)
    assert not [each for each in github.seen[asked:] if "/actions/" in each.path]
    assert f"[Open the full report]({url})" in step.summary
    (issue,) = github.repository.issues.values()
    assert f"[Open the full report]({url})" in issue.body


def test_without_a_report_there_is_no_page_and_the_answer_is_the_same(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    broken = tmp_path / "broken" / "reprocheck-report-1" / "report.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{}")
    inputs = {"files": str(tmp_path / "broken")}
    made = aggregate(github, monkeypatch, tmp_path, name="aggregate-page", **inputs)
    assert (made.exit_code, made.outputs["report-html"]) == (0, "")
    assert "the report has no page" in capsys.readouterr().out
    assert "full report" not in aggregate(github, monkeypatch, tmp_path, recent("✓", 0)).summary


@pytest.mark.parametrize("token", ["", "reader"])
def test_an_issue_that_cannot_be_written_changes_nothing_else(
    github: FakeGitHub,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    token: str,
):
    found = [recent("✓", 9), recent("✗", 2), recent("✗", 1)]
    step = aggregate(github, monkeypatch, tmp_path, *found, github_token=token)
    assert step.exit_code == 0
    assert "1 run reproduces" in step.summary
    assert step.outputs["issue-url"] == ""
    printed = capsys.readouterr().out
    assert "the issue is not up to date" in printed
    assert ("issues: write" in printed) == bool(token)


def test_a_forge_that_fails_changes_nothing_else(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    github.faults.append(Fault(path="/repos/octo/demo$", times=99, status=404))
    step = aggregate(github, monkeypatch, tmp_path, recent("✓", 1))
    assert step.exit_code == 0
    assert json.loads(Path(step.outputs["badge"]).read_text())["message"] == "1/1"


def test_where_no_job_left_a_report_nothing_is_claimed(
    github: FakeGitHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    upload(github, recent("✓", 7))
    step = aggregate(github, monkeypatch, tmp_path)
    assert step.exit_code == 0
    assert step.outputs["badge"] == ""
    assert issues(github) == []
