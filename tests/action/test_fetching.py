"""Fetching with credentials, and verifying a fork's pull request by what was fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reprocheck.action import hub
from tests.action import payloads
from tests.action.test_outputs import written
from tests.action.test_verifying import verify
from tests.forges.github_server import FakeGitHub, Fault
from tests.forges.github_state import Pull
from tests.forges.hub import Clock
from tests.lab import Lab, copy_of

WORKFLOW = "reprocheck-fetch.yml"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "WAITING", Clock().waiting())


def job(github: FakeGitHub, patch: pytest.MonkeyPatch) -> None:
    """A job's own variables, which those of an event are set beside."""
    for name, value in (github.variables | {"INPUT_GITHUB_TOKEN": "reader"}).items():
        patch.setenv(name, value)
    ours = github.variables
    made = payloads.variables
    patch.setattr(payloads, "variables", lambda *args: made(*args, "octo/demo") | ours)


def fetch(
    lab: Lab, folder: Path, event: dict[str, Any], kind: str, **inputs: str
) -> dict[str, str]:
    output = folder / "fetched"
    output.write_text("")
    env = lab.env | payloads.variables(folder, kind, event)
    env |= {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder)}
    env |= {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        result = lab.reprocheck("action", "fetch")
    return written(output) | {"said": result.stdout, "code": str(result.exit_code)}


def fork_event(pull: Pull, base: str) -> dict[str, Any]:
    head = {"sha": pull.head_sha}
    event = payloads.of_fork(body=pull.body, number=pull.number, head=head, base={"sha": base})
    event["repository"] |= {"default_branch": "main", "private": True, "visibility": "private"}
    return event


DISPATCH = {"repository": {"private": True, "visibility": "private", "default_branch": "main"}}


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_a_maintainer_fetched_is_verified_in_the_forks_own_job(
    lab: Lab, github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(github, monkeypatch)
    lab = copy_of(lab, tmp_path)
    config = (lab.repo.path / "reprocheck.yaml").read_text()
    base = lab.repo.commit({"reprocheck.yaml": f'{config}tracker: {{uri: "{lab.uri}"}}\n'})
    evil = f'{config}tracker: {{uri: "http://127.0.0.1:9/evil"}}\n'
    head = lab.repo.commit({"reprocheck.yaml": evil})
    body = f"reprocheck: {lab.seeded}\n\nreprocheck: 00dead\n"
    pull = github.repository.add_fork_pull(head_sha=head, base_sha=base, body=body)
    event = fork_event(pull, base)
    github.repository.add_run(file=WORKFLOW, event="workflow_dispatch", head_branch="main")

    waiting = verify(lab, tmp_path, event, fetched_by=WORKFLOW)
    assert (waiting.outputs["verdict"], waiting.outputs["job-exit-code"]) == ("none", "0")
    assert waiting.outputs["waiting"] == "waiting for a maintainer's fetch"

    lab.repo.git("checkout", "--quiet", "--detach", base)
    asked = {"pull_request": str(pull.number), "head_sha": head}
    told = fetch(lab, tmp_path, DISPATCH, "workflow_dispatch", **asked)
    assert (json.loads(told["run-ids"]), told["job-exit-code"]) == ([lab.seeded], "2"), told["said"]
    assert "00dead: " in told["said"]

    run = github.repository.add_run(file=WORKFLOW, event="workflow_dispatch", head_branch="main")
    files = files_of(Path(told["bundle"]))
    github.repository.add_artifact(run.id, f"reprocheck-bundle-{head}", files)
    (lab.root / "mlflow.db").unlink()
    lab.repo.git("checkout", "--quiet", "--detach", head)
    step = verify(lab, tmp_path, event, fetched_by=WORKFLOW, find="files")
    assert (step.outputs["verdict"], step.outputs["job-exit-code"]) == ("identical", "0")
    assert json.loads(step.outputs["run-ids"]) == [lab.seeded]
    assert step.check.sought[-1] == "what was fetched"


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"head_sha": "e" * 40}, "ends at commit"),
        ({"head_sha": "main"}, "is no commit in full"),
        ({"pull_request": "x"}, "is no whole number"),
    ],
)
def test_only_the_commit_that_was_looked_at_is_fetched_for(
    lab: Lab,
    github: FakeGitHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    about: dict[str, str],
    words: str,
) -> None:
    job(github, monkeypatch)
    pull = github.repository.add_fork_pull()
    asked = {"pull_request": str(pull.number), "head_sha": pull.head_sha} | about
    told = fetch(lab, tmp_path, DISPATCH, "workflow_dispatch", tracking_uri=lab.uri, **asked)
    assert (told["bundle"], told["job-exit-code"], told["code"]) == ("", "2", "0")
    assert words in told["said"]


def test_nothing_is_fetched_where_anybody_could_download_it(
    lab: Lab, github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(github, monkeypatch)
    ours = {"repository": {"visibility": "public"}}
    public = fetch(lab, tmp_path, ours, "workflow_dispatch", run_id="1a", tracking_uri=lab.uri)
    github.faults.append(Fault(path="/repos/octo/demo$", times=99, status=404))
    unknown = fetch(lab, tmp_path, {}, "workflow_dispatch", run_id="1a", tracking_uri=lab.uri)
    for told in (public, unknown):
        assert (told["bundle"], told["job-exit-code"]) == ("", "2")
        assert "bundle: public" in told["said"]


def test_a_forks_own_job_fetches_nothing(lab: Lab, tmp_path: Path) -> None:
    base = lab.repo.git("rev-parse", "HEAD")
    event = payloads.of_fork(base={"sha": base}, body=f"reprocheck: {lab.seeded}")
    told = fetch(lab, tmp_path, event, "pull_request", tracking_uri=lab.uri)
    assert (told["bundle"], told["job-exit-code"]) == ("", "2")
    assert "a fork's pull request gets no credential" in told["said"]


@pytest.mark.parametrize("about", ["none", "expired", "other-commit", "other-branch", "of-a-fork"])
def test_only_a_bundle_of_the_default_branchs_workflow_is_taken(
    lab: Lab, github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str
) -> None:
    job(github, monkeypatch)
    base = lab.repo.git("rev-parse", "HEAD")
    pull = github.repository.add_fork_pull(head_sha=base, base_sha=base, body="reprocheck: 1a")
    owner = "mallory" if about == "of-a-fork" else "octo"
    branch = "evil" if about == "other-branch" else "main"
    run = github.repository.add_run(
        file=WORKFLOW, event="workflow_dispatch", head_branch=branch, head_owner=owner
    )
    if about != "none":
        name = f"reprocheck-bundle-{'0' * 40 if about == 'other-commit' else base}"
        github.repository.add_artifact(
            run.id, name, {"bundle.json": b"{}"}, expired=about == "expired"
        )
    step = verify(lab, tmp_path, fork_event(pull, base), fetched_by=WORKFLOW)
    assert step.outputs["waiting"] == "waiting for a maintainer's fetch"


def test_a_token_that_may_not_read_artifacts_leaves_it_waiting_and_says_why(
    lab: Lab, github: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job(github, monkeypatch)
    github.repository.add_run(file=WORKFLOW, event="workflow_dispatch", head_branch="main")
    github.repository.private = True
    github.token("weak", contents="read")
    monkeypatch.setenv("INPUT_GITHUB_TOKEN", "weak")
    base = lab.repo.git("rev-parse", "HEAD")
    pull = github.repository.add_fork_pull(head_sha=base, base_sha=base, body="reprocheck: 1a")
    step = verify(lab, tmp_path, fork_event(pull, base), fetched_by=WORKFLOW)
    assert "actions: read" in step.outputs["waiting"]
    assert step.outputs["job-exit-code"] == "0"
