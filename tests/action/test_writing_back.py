"""Verdicts written back by the job that publishes: never those that a fork's code computed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprocheck import __version__, cli
from reprocheck.action import surroundings
from reprocheck.action.surroundings import EventKind, PullRequest, Surroundings, WorkflowRun
from reprocheck.action.writing_back import FORK, write_back
from reprocheck.model import Check, Report
from reprocheck.reporters import json
from reprocheck.trackers.mlflow_settings import client_settings
from tests.reporters.builders import make_record, make_report

OURS = "acme/digits"


def of_run(head: str) -> Surroundings:
    started = WorkflowRun(
        id=7,
        attempt=1,
        event="pull_request",
        path=".github/workflows/reprocheck.yml",
        head_sha="a" * 40,
        head_branch="better",
        head_repository=head,
        url="https://github.com/acme/digits/actions/runs/7",
    )
    plain = surroundings.read({})
    return dataclasses.replace(
        plain, kind=EventKind.WORKFLOW_RUN, repository=OURS, workflow_run=started
    )


def of_pull(head: str) -> Surroundings:
    pull = PullRequest(
        number=1,
        body="",
        head_sha="a" * 40,
        head_branch="better",
        head_repository=head,
        base_sha="b" * 40,
        base_branch="main",
        fork=head != OURS,
    )
    plain = surroundings.read({})
    return dataclasses.replace(
        plain, kind=EventKind.PULL_REQUEST, repository=OURS, pull_request=pull
    )


def check_of(*reports: Report) -> Check:
    return Check(
        schema_version=1,
        tool_version=__version__,
        created_at=datetime(2026, 2, 1, tzinfo=UTC),
        head_sha="a" * 40,
        reports=reports,
    )


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[str, Report]:
    from mlflow import MlflowClient

    uri = (tmp_path / "mlruns").as_uri()  # no schema has to be made
    with client_settings():
        run = MlflowClient(uri, uri).create_run("0")
    record = make_record()
    ref = dataclasses.replace(record.ref, run_id=run.info.run_id)
    return uri, make_report(record=dataclasses.replace(record, ref=ref))


def tags_of(uri: str, report: Report) -> dict[str, str]:
    from mlflow import MlflowClient

    assert report.record is not None
    with client_settings():
        return dict(MlflowClient(uri, uri).get_run(report.record.ref.run_id).data.tags)


@pytest.mark.parametrize("around", [of_run("eve/digits"), of_run(""), of_pull("eve/digits")])
def test_nothing_of_a_fork_is_written(around: Surroundings) -> None:
    told: list[str] = []
    done = write_back(check_of(make_report()), "sqlite:///absent.db", around, told.append)
    assert (done.written, done.refused) == ((), 0)
    assert told == [FORK]


@pytest.mark.parametrize("around", [of_run("Acme/Digits"), of_pull(OURS), surroundings.read({})])
def test_what_the_repositorys_own_code_computed_is(
    tracked: tuple[str, Report], around: Surroundings
) -> None:
    uri, report = tracked
    told: list[str] = []
    (done,) = write_back(check_of(report), uri, around, told.append).written
    assert told == []
    assert "is tagged REPRODUCED; 5 reruns in experiment Default-reprocheck" in done
    assert tags_of(uri, report)["reprocheck.verdict"] == "REPRODUCED"


def test_the_runs_tag_leads_to_the_job_that_verified(tracked: tuple[str, Report]) -> None:
    uri, report = tracked
    write_back(check_of(report), uri, of_run(OURS), print)
    assert tags_of(uri, report)["reprocheck.report"].endswith("/actions/runs/7")


def test_one_that_is_refused_keeps_no_other_from_being_written(
    tracked: tuple[str, Report],
) -> None:
    uri, report = tracked
    told: list[str] = []
    done = write_back(check_of(make_report(record=None), report), uri, of_run(OURS), told.append)
    assert (len(done.written), done.refused, len(told)) == (1, 1, 1)


def test_the_command_writes_and_tells_so(
    tracked: tuple[str, Report], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri, report = tracked
    file = tmp_path / "report.json"
    file.write_text(json.render(report))
    assert cli.run(["report", str(file), "--write-back", "--tracking-uri", uri]) == 0
    assert "is tagged REPRODUCED" in capsys.readouterr().err
    assert tags_of(uri, report)["reprocheck.verdict"] == "REPRODUCED"


def test_the_command_fails_where_nothing_could_be_written(
    tracked: tuple[str, Report], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, report = tracked
    file = tmp_path / "report.json"
    file.write_text(json.render(report))
    absent = f"sqlite:///{tmp_path}/absent.db"
    assert cli.run(["report", str(file), "--write-back", "--tracking-uri", absent]) == 3
    told = capsys.readouterr()
    assert told.out.startswith("REPRODUCED")
    assert "no MLflow store at" in told.err
