"""The second stage: a report is downloaded and posted by GitHub's facts alone."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reprocheck import cli
from reprocheck.action import base_branch, hub
from reprocheck.check_documents import check_document
from reprocheck.detail import dump
from reprocheck.forges.gitlab import TOKEN
from reprocheck.model import Check, Verdict
from reprocheck.schedule.slugs import slug
from tests.action import payloads
from tests.action.test_outputs import written
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import SHA
from tests.forges.gitlab_server import SHA as GITLAB_SHA
from tests.forges.gitlab_server import FakeGitLab
from tests.forges.hub import Clock
from tests.reporters.builders import make_comparison, make_record, make_report
from tests.test_checks import check_of

JUDGED = make_comparison(verdict=Verdict.IDENTICAL)
GOOD = check_of(Verdict.IDENTICAL, head_sha=SHA)
_REPORT = replace(GOOD.reports[0], record=make_record(), comparisons=(JUDGED,))
GOOD = replace(GOOD, reports=(_REPORT,))


@dataclass
class Stage:
    """The job that reports, on a GitHub of its own."""

    github: FakeGitHub
    folder: Path
    patch: pytest.MonkeyPatch
    number: int
    run_id: int
    token: str = "writer"

    def upload(self, content: bytes | Check, name: str = "report.json") -> None:
        if isinstance(content, Check):
            content = dump(check_document(content)).encode()
        self.github.repository.add_artifact(self.run_id, "reprocheck-report", {name: content})

    def event(self, **changes: Any) -> dict[str, Any]:
        run = self.github.repository.runs[self.run_id]
        head = {"full_name": f"{run.head_owner}/{run.head_name}"}
        about = {"id": run.id, "head_sha": run.head_sha, "head_branch": run.head_branch}
        return payloads.workflow_run(**(about | {"head_repository": head} | changes))

    def run(self, *args: str, event: dict[str, Any] | None = None, **inputs: str) -> dict[str, str]:
        """Runs a step; its outputs, and `code`."""
        output, summary = self.folder / "output", self.folder / "summary"
        output.write_text("")
        env = payloads.variables(self.folder, "workflow_run", event or self.event(), "octo/demo")
        env |= self.github.variables | {
            "GITHUB_OUTPUT": str(output),
            "RUNNER_TEMP": str(self.folder),
        }
        env |= {"GITHUB_STEP_SUMMARY": str(summary), "INPUT_GITHUB_TOKEN": self.token}
        env |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
        with self.patch.context() as patch:
            for name, value in env.items():
                patch.setenv(name, value)
            code = cli.run(list(args))
        return written(output) | {"code": str(code)}

    def download(self, **about: Any) -> dict[str, str]:
        return self.run("action", "download", **about)

    def post(self, report: str, **about: Any) -> dict[str, str]:
        return self.run("report", report, "--post", **about)

    @property
    def comments(self) -> list[str]:
        return [each.body for each in self.github.repository.comments_of(self.number)]

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()


@pytest.fixture
def stage(github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """After a fork's pull request was verified."""
    monkeypatch.setattr(hub, "WAITING", Clock().waiting())
    pull = github.repository.add_fork_pull()
    run = github.repository.add_run(head_owner="mallory")
    return Stage(github, tmp_path, monkeypatch, pull.number, run.id)


def test_a_forks_report_becomes_a_labelled_comment(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = replace(GOOD, reports=(replace(GOOD.reports[0], sentence="\n::add-mask::x\n"),))
    stage.upload(hostile)
    told = stage.download()
    assert (told["code"], told["verdict"], told["job-exit-code"]) == ("0", "identical", "0")
    posted = stage.post(told["report"], comment_mode="always", commit_status="true")
    (body,) = stage.comments
    assert posted["comment-url"].startswith("https://") or posted["comment-url"]
    assert "[!IMPORTANT]" in body  # computed by the code of a fork
    assert "IDENTICAL" in stage.summary.upper()
    said = capsys.readouterr().out
    assert said.index("::stop-commands::") < said.index("add-mask")
    (status,) = stage.github.repository.statuses
    assert status["context"] == "reprocheck/verify of a fork"  # never where ours is looked for
    assert status["state"] == "success"
    assert status["description"].startswith("by a fork's code: ")


BROKEN: dict[str, tuple[bytes | Check, str, str, str]] = {
    "other-file": (GOOD, "pwn.json", "2", "holds other files than report.json"),
    "later-version": (b'{"schema_version": 99, "reports": []}', "report.json", "2", "version"),
    "no-json": (b"{", "report.json", "2", "report.json"),
    "other-head": (
        replace(GOOD, head_sha="f" * 40),
        "report.json",
        "2",
        "is of commit ffffffffffff",
    ),
    "too-large": (b"0" * 8_500_000, "report.json", "3", "8000000 bytes"),
}


@pytest.mark.parametrize("defect", BROKEN)
def test_a_report_that_cannot_be_used_is_told_above_the_older_one(
    stage: Stage, defect: str
) -> None:
    content, name, code, words = BROKEN[defect]
    stage.upload(GOOD)
    stage.post(stage.download()["report"])
    (older,) = stage.comments
    stage.github.repository.artifacts.clear()
    stage.github.repository.runs[stage.run_id].attempt = 2
    stage.upload(content, name)
    event = stage.event(run_attempt=2)
    told = stage.download(event=event)
    assert (told["code"], told["verdict"], told["job-exit-code"]) == ("0", "not_verified", code)
    assert stage.post(told["report"], event=event)["code"] == "0"
    (body,) = stage.comments
    assert words in body.replace("&#45;", "-").replace("&#46;", ".")
    assert body.endswith(older.partition("\n")[2])
    assert words in stage.summary.replace("&#45;", "-").replace("&#46;", ".")


def test_an_absent_report_is_told_in_a_first_comment(stage: Stage) -> None:
    told = stage.download()
    assert (told["verdict"], told["job-exit-code"]) == ("not_verified", "3")
    stage.post(told["report"])
    (body,) = stage.comments
    assert "Nothing was verified" in body
    assert "is not there" in body


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"event": "push"}, "was started by push"),
        ({"path": ".github/workflows/evil.yml"}, "is of .github/workflows/evil.yml"),
        ({"path": None}, "is of an unknown file"),
    ],
)
def test_a_run_of_anything_else_is_refused(
    stage: Stage, changes: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.upload(GOOD)
    assert stage.download(event=stage.event(**changes))["code"] == "2"
    assert words in capsys.readouterr().err
    assert not stage.github.seen


def test_a_closed_or_newer_pull_request_has_the_summary_alone(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.upload(GOOD)
    told = stage.download()
    stage.github.repository.pulls[stage.number].head_sha = "e" * 40
    assert stage.post(told["report"])["code"] == "0"
    assert stage.comments == []
    assert "no open pull request ends at commit" in capsys.readouterr().out
    assert stage.summary


@pytest.mark.parametrize("token", ["reader", "none"])
def test_a_weak_token_is_a_warning_and_no_failure(
    stage: Stage, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.github.token("none", contents="read")
    stage.upload(GOOD)
    told = stage.download()
    stage.token = token
    posted = stage.post(told["report"], commit_status="true", check_run="true")
    assert (posted["code"], stage.comments) == ("0", [])
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::warning")]
    lacking = {"pull-requests"} if token == "none" else {"pull-requests", "statuses", "checks"}
    assert {scope for scope in lacking for line in said if f"{scope}: " in line} == lacking
    assert stage.summary


def test_without_a_token_the_summary_is_there_and_nothing_fails(
    stage: Stage, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stage.token = ""
    report = tmp_path / "report.json"
    report.write_text(dump(check_document(GOOD)))
    posted = stage.post(str(report))
    assert (posted["code"], stage.comments) == ("0", [])
    assert "IDENTICAL" in stage.summary.upper()
    assert "pull-requests: write" in capsys.readouterr().out


def test_a_github_that_is_down_loses_the_report_and_says_so(stage: Stage) -> None:
    stage.github.faults.append(Fault(path="/artifacts", times=99, status=403))
    told = stage.download()
    assert (told["code"], told["job-exit-code"]) == ("0", "3")
    document = json.loads(Path(told["report"]).read_text())
    assert "actions" in json.dumps(document["problems"])


def test_posting_from_the_verifying_job_itself(github: FakeGitHub, tmp_path: Path) -> None:
    shown = "https://github.com/octo/demo/actions/runs/7/artifacts/9"
    pull = github.repository.add_pull()
    event = payloads.pull_request(number=pull.number, head={"sha": SHA})
    event["pull_request"]["head"]["repo"]["full_name"] = "octo/demo"
    env = payloads.variables(tmp_path, "pull_request", event, "octo/demo") | github.variables
    report = tmp_path / "report.json"
    report.write_text(dump(check_document(GOOD)))
    with pytest.MonkeyPatch.context() as patch:
        env |= {"GITHUB_TOKEN": "writer", "GITHUB_SERVER_URL": "https://github.com"}
        for name, value in (env | {"REPROCHECK_HTML_URL": shown}).items():
            patch.setenv(name, value)
        assert cli.run(["report", str(report), "--post"]) == 0
    (comment,) = github.repository.comments_of(pull.number)
    assert "[!IMPORTANT]" not in comment.body
    assert f"[Open the full report]({shown})" in comment.body


def test_outside_of_a_job_posting_is_a_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    report.write_text(dump(check_document(GOOD)))
    assert cli.run(["report", str(report), "--post"]) == 2
    assert "no job of a pull request" in capsys.readouterr().err


def in_merge_request(server: FakeGitLab, **changes: str) -> dict[str, str]:
    return {
        "CI_API_V4_URL": server.api_url,
        "CI_SERVER_URL": server.site,
        "CI_PROJECT_ID": "7",
        "CI_PROJECT_PATH": "group/demo",
        "CI_MERGE_REQUEST_IID": "3",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": GITLAB_SHA,
        "CI_PIPELINE_ID": "77",
        "CI_JOB_NAME": "reprocheck",
        TOKEN: "project",
    } | changes


@pytest.mark.parametrize("token", ["project", ""])
def test_a_merge_requests_job_posts_a_note_or_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    report = tmp_path / "report.json"
    report.write_text(dump(check_document(replace(GOOD, head_sha=GITLAB_SHA))))
    with FakeGitLab() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in in_merge_request(server, **{TOKEN: token}).items():
            patch.setenv(name, value)
        assert cli.run(["report", str(report), "--post"]) == 0
        notes = [note.body for note in server.notes]
    said = capsys.readouterr().out
    assert "::" not in said
    if token:
        assert "IDENTICAL" in notes[-1].upper()
        assert f"head={GITLAB_SHA} run=77" in notes[-1]
    else:
        assert notes == []
        assert f"{TOKEN} is not set" in said


def test_what_the_schedule_verified_last_is_what_a_run_is_compared_with() -> None:
    one, other = make_report(), make_report()
    assert one.record is not None
    assert other.record is not None
    record = replace(other.record, ref=replace(other.record.ref, run_id="other"))
    old = replace(other, record=record)
    new = replace(old, created_at=old.created_at + timedelta(days=1))
    worse = replace(new, verdict=Verdict.NOT_REPRODUCED)
    elsewhere = replace(new, record=replace(record, experiment="elsewhere"))
    check = replace(GOOD, reports=(one,))
    mine = one.record.ref.run_id
    assert base_branch.last_verified(check, [old, new, one]) == {mine: new}
    assert base_branch.last_verified(check, [worse, elsewhere, one]) == {}


def test_the_comment_asks_the_schedule_of_the_default_branch(stage: Stage) -> None:
    run = stage.github.repository.add_run(
        file="reprocheck-scheduled.yml", event="schedule", head_branch="main", head_sha="c" * 40
    )
    other = make_report()
    assert other.record is not None
    record = replace(other.record, ref=replace(other.record.ref, run_id="0ther"))
    kept = replace(GOOD, reports=(replace(other, record=record, asked="0ther"),))
    name = f"reprocheck-report-{slug(record.name, '0ther')}"
    content = dump(check_document(kept)).encode()
    stage.github.repository.add_artifact(run.id, name, {"report.json": content})
    stage.upload(replace(GOOD, reports=(make_report(),)))
    event = stage.event()
    event["repository"]["default_branch"] = "main"
    stage.post(stage.download(event=event)["report"], event=event)
    (body,) = stage.comments
    assert "Against the base branch" in body
    assert "0ther" in body
