import json
from pathlib import Path

import pytest

from reprocheck.action import surroundings
from reprocheck.action.surroundings import EventKind
from tests.action import payloads


def test_a_pull_request_of_the_repository_itself(tmp_path: Path) -> None:
    here = surroundings.read(payloads.variables(tmp_path, "pull_request", payloads.pull_request()))
    assert here.kind is EventKind.PULL_REQUEST
    assert here.public is True
    assert here.workflow == ".github/workflows/reprocheck-pr.yml"
    assert here.run_url == "https://github.com/Codertocat/Hello-World/actions/runs/15"
    assert here.head_sha == payloads.HEAD  # not the merge commit's
    pull_request = here.pull_request
    assert pull_request is not None
    assert (pull_request.number, pull_request.fork) == (2, False)
    assert (pull_request.head_branch, pull_request.head_owner) == ("changes", "Codertocat")
    assert pull_request.base_sha == "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
    assert pull_request.body.startswith("This is a pretty simple change")


def test_a_fork_is_known_by_its_repository_also_when_that_was_deleted(tmp_path: Path) -> None:
    events = (payloads.of_fork(), payloads.pull_request(head={"repo": None}))
    for event in events:
        here = surroundings.read(payloads.variables(tmp_path, "pull_request", event))
        assert here.pull_request is not None
        assert here.pull_request.fork


def test_the_end_of_another_workflow(tmp_path: Path) -> None:
    event = payloads.workflow_run()
    here = surroundings.read(payloads.variables(tmp_path, "workflow_run", event))
    run = here.workflow_run
    assert run is not None
    assert (run.id, run.attempt, run.event) == (1589141559, 1, "pull_request")
    assert run.path == ".github/workflows/reprocheck-pr.yml"
    assert (run.head_owner, run.head_branch) == ("octo-org", "main")
    assert here.head_sha == run.head_sha
    del event["workflow_run"]["path"]  # as older servers send it
    here = surroundings.read(payloads.variables(tmp_path, "workflow_run", event))
    assert here.workflow_run is not None
    assert here.workflow_run.path == ""


@pytest.mark.parametrize(
    "payload",
    [
        *("", "[]", "{", '{"pull_request": 1}', '{"pull_request": {"number": "2", "head": []}}'),
        '{"pull_request": {"number": 2, "head": {"sha": "--upload-pack=x"}}}',
        '{"pull_request": {"number": -2, "head": {"sha": "' + "a" * 40 + '"}}, "repository": 5}',
    ],
)
def test_a_payload_of_another_shape_is_none(tmp_path: Path, payload: str) -> None:
    env = payloads.variables(tmp_path, "pull_request", {})
    Path(env["GITHUB_EVENT_PATH"]).write_text(payload)
    here = surroundings.read(env)
    assert here.pull_request is None
    assert here.public is None


def test_without_github_everything_is_unknown() -> None:
    here = surroundings.read({"GITHUB_EVENT_PATH": "/nowhere", "GITHUB_REPOSITORY": "a/b/../c"})
    assert here.kind is EventKind.OTHER
    assert (here.repository, here.run_url, here.head_sha, here.public) == ("", "", "", None)


def test_hostile_names_are_kept_as_text_and_repositories_are_checked(tmp_path: Path) -> None:
    event = payloads.of_fork(head={"ref": "$(touch pwn)"})
    event["pull_request"]["head"]["repo"]["full_name"] = "x/y?per_page=1"
    here = surroundings.read(payloads.variables(tmp_path, "pull_request", event))
    assert here.pull_request is not None
    assert here.pull_request.head_branch == "$(touch pwn)"
    assert (here.pull_request.head_repository, here.pull_request.fork) == ("", True)


def test_visibility_wins_over_private(tmp_path: Path) -> None:
    event = payloads.pull_request()
    event["repository"] |= {"private": True, "visibility": "internal"}
    env = payloads.variables(tmp_path, "pull_request", event)
    assert surroundings.read(env).public is False
    del event["repository"]["visibility"], event["repository"]["private"]
    Path(env["GITHUB_EVENT_PATH"]).write_text(json.dumps(event))
    assert surroundings.read(env).public is None
