from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reprocheck.detail import dump
from reprocheck.documents import report_document
from reprocheck.model import Report
from reprocheck.report_store import ReportStore
from reprocheck.schedule import collecting
from reprocheck.schedule.collecting import Archive, Collecting, Schedule
from reprocheck.schedule.slugs import slug
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.hub import hub
from tests.schedule.builders import DAY
from tests.schedule.test_joining import report

FILE = ".github/workflows/weekly.yml"
OURS = {"file": "weekly.yml", "event": "schedule", "head_branch": "main"}


def upload(github: FakeGitHub, found: Report, *, name: str = "", **about: object) -> None:
    run = github.repository.add_run(**{**OURS, **about})
    assert found.record is not None
    named = name or f"reprocheck-report-{slug('net', found.record.ref.run_id)}"
    content = dump(report_document(found)).encode()
    github.repository.add_artifact(run.id, named, {"report.json": content})


def collect(github: FakeGitHub, folder: Path, token: str = "reader") -> tuple[int, list[str]]:
    told: list[str] = []
    forge = hub(github, token)
    found = Collecting(
        archive=Archive(
            runs=lambda file, branch, most: forge.workflow_runs(file, branch=branch, limit=most),
            artifacts=forge.artifacts,
            download=forge.download,
        ),
        schedule=Schedule(repository="octo/demo", branch="main", workflow=FILE),
        store=ReportStore(folder),
        now=DAY + timedelta(days=30),
        notice=told.append,
    )
    return found.collect(), told


def kept(folder: Path) -> list[str]:
    return [each.run_id for each in ReportStore(folder).kept()]


def test_reports_of_earlier_runs_fill_the_store(github: FakeGitHub, tmp_path: Path):
    upload(github, report("✓", 0))
    upload(github, report("✗", 7))
    upload(github, report("✓", 7, "2"), event="workflow_dispatch")
    assert collect(github, tmp_path) == (3, [])
    assert sorted(kept(tmp_path)) == ["1" * 32, "1" * 32, "2" * 32]
    assert collect(github, tmp_path) == (3, [])  # nothing twice
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize(
    "about",
    [
        {"event": "pull_request"},
        {"head_owner": "mallory"},
        {"head_branch": "other"},
    ],
)
def test_what_is_not_the_schedules_own_is_not_looked_at(
    github: FakeGitHub, tmp_path: Path, about: dict[str, str]
):
    upload(github, report("✓"), **about)
    assert collect(github, tmp_path) == (0, [])


def test_a_report_counts_for_the_run_alone_that_its_artifact_is_named_for(
    github: FakeGitHub, tmp_path: Path
):
    upload(github, report("✓"), name=f"reprocheck-report-{slug('net', '2' * 32)}")
    count, told = collect(github, tmp_path)
    assert (count, kept(tmp_path)) == (0, [])
    assert "another name" in told[0]


def test_a_report_of_the_future_is_passed_over(github: FakeGitHub, tmp_path: Path):
    upload(github, report("✓", 300))
    count, told = collect(github, tmp_path)
    assert count == 0
    assert "of the future" in told[0]


@pytest.mark.parametrize(
    "files",
    [
        {"other.json": b"{}"},
        {"report.json": b"{"},
        {"report.json": b'{"schema_version": 99}'},
        {"report.json": b"[" * 100_000},
        {"../report.json": b"{}"},
        {"report.json": b" " * 30_000_000},
    ],
)
def test_hostile_content_is_passed_over_and_the_rest_is_taken(
    github: FakeGitHub, tmp_path: Path, files: dict[str, bytes]
):
    upload(github, report("✓"))
    run = github.repository.add_run(**OURS)
    github.repository.add_artifact(run.id, "reprocheck-report-x", files)
    count, told = collect(github, tmp_path / "store")
    assert count == 1
    assert len(told) == 1
    assert told[0].startswith("passed over the artifact reprocheck-report-x: ")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_of_each_run_the_newest_are_taken(
    github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(collecting, "MOST_OF_A_NAME", 2)
    for day in range(3):
        upload(github, report("✓", day), created_at=f"2026-01-0{day + 1}T00:00:00Z")
    assert collect(github, tmp_path)[0] == 2


def test_a_token_without_the_scope_is_told_and_the_store_stays_empty(
    github: FakeGitHub, tmp_path: Path
):
    upload(github, report("✓"))
    github.token("blind", metadata="read")
    count, told = collect(github, tmp_path, "blind")
    assert count == 0
    assert len(told) == 1
    assert "actions: read" in told[0]


def test_what_cannot_be_downloaded_leaves_the_rest(github: FakeGitHub, tmp_path: Path):
    for run_id in ("1", "2"):
        upload(github, report("✓", 0, run_id))
    artifact = next(iter(github.repository.artifacts.values()))
    github.faults.append(Fault(path=f"/actions/artifacts/{artifact.id}/zip", status=410))
    count, told = collect(github, tmp_path)
    assert (count, len(told)) == (1, 1)
