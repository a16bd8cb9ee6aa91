"""The runner's own tests: jobs, what they hand on, and what they may."""

import json

import pytest

from tests.conftest import Repo
from tests.runner.conftest import Sample
from tests.runner.steps import UnknownInputError
from tests.runner.values import UnknownNameError
from tests.runner.workflows import WorkflowError
from tests.runner.world import Event

PINNED = {
    "CHECKOUT": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1",
    "UPLOAD": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f",
    "DOWNLOAD": "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
}


def pinned(text: str) -> str:
    for name, uses in PINNED.items():
        text = text.replace(f"uses: {name}", f"uses: {uses}")
    return text


CHAIN = pinned("""
on: [push, pull_request]
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs:
      matrix: "${{ steps.plan.outputs.matrix }}"
      secret: "${{ steps.plan.outputs.secret }}"
    environment: tracker
    permissions: {contents: read, actions: write}
    steps:
      - id: plan
        env: {TOKEN: "${{ secrets.TRACKER }}"}
        run: |
          echo 'matrix={"include":[{"slug":"a"},{"slug":"b"}]}' >>"$GITHUB_OUTPUT"
          echo "secret=$TOKEN" >>"$GITHUB_OUTPUT"
          echo "TOKEN is $TOKEN"
  verify:
    needs: plan
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"
    steps:
      - {uses: CHECKOUT, with: {persist-credentials: false}}
      - {run: 'echo "$SLUG $(cat file.txt)" >told.txt', env: {SLUG: "${{ matrix.slug }}"}}
      - {run: '! grep -r AUTHORIZATION .git && test -z "${TOKEN+x}"'}
      - {uses: UPLOAD, with: {name: "state-${{ matrix.slug }}", path: told.txt}}
  broken: {needs: plan, runs-on: ubuntu-latest, steps: [{run: exit 1}]}
  skipped: {needs: [broken], runs-on: ubuntu-latest, steps: [{run: exit 0}]}
  aggregate:
    needs: [verify, skipped]
    if: always() && needs.verify.result == 'success'
    runs-on: ubuntu-latest
    steps:
      - {uses: DOWNLOAD, with: {pattern: state-*, path: states}}
      - {id: all, run: 'echo "all=$(cat states/*/told.txt | tr "\\n" ,)" >>"$GITHUB_OUTPUT"'}
""")


def test_jobs_hand_outputs_matrix_and_artifacts_on(sample: Sample) -> None:
    asked = []
    ran = sample.run(
        CHAIN,
        secrets={"tracker": {"TRACKER": "hunter2"}},
        token=lambda scopes: asked.append(scopes) or "ghs_x",
    )
    results = {name: {leg.result for leg in legs} for name, legs in ran.jobs.items()}
    assert results == {
        "plan": {"success"},
        "verify": {"success"},
        "broken": {"failure"},
        "skipped": {"skipped"},
        "aggregate": {"success"},
    }
    assert ran.job("aggregate").step("all").outputs["all"] == "a content,b content,"
    assert asked[:2] == [{"contents": "read", "actions": "write"}, {}]
    assert "TOKEN is ***" in ran.job("plan").console.text
    assert "secret" not in ran.job("plan").outputs  # GitHub hands no secret on


def of_a_fork(sha: str) -> Event:
    pull = {
        "head": {"ref": "topic", "sha": sha, "repo": {"full_name": "stranger/project"}},
        "base": {"ref": "main", "repo": {"full_name": "team/project"}},
    }
    return Event(
        name="pull_request", sha=sha, ref="refs/pull/7/merge", payload={"pull_request": pull}
    )


def test_the_code_of_a_fork_gets_no_secret_and_no_writing_token(sample: Sample) -> None:
    asked = []
    ran = sample.run(
        CHAIN,
        of_a_fork(sample.repo.commit({"file.txt": "content"})),
        secrets={"tracker": {"TRACKER": "hunter2"}, "": {"OTHER": "x"}},
        token=lambda scopes: asked.append(scopes) or "ghs_x",
    )
    assert asked[0] == {"contents": "read", "actions": "read"}
    assert ran.job("plan").step("plan").env["TOKEN"] == ""


@pytest.mark.parametrize("matrix", ['{"include":[]}', json.dumps({"n": list(range(257))})])
def test_a_matrix_that_github_refuses_is_refused(sample: Sample, matrix: str) -> None:
    with pytest.raises(WorkflowError, match="1 to 256"):
        sample.run(CHAIN.replace('{"include":[{"slug":"a"},{"slug":"b"}]}', matrix))


def test_an_output_that_no_job_declares_is_a_mistake(sample: Sample) -> None:
    with pytest.raises(UnknownNameError, match="matrx"):
        sample.run(CHAIN.replace("needs.plan.outputs.matrix", "needs.plan.outputs.matrx"))


def test_a_name_of_an_artifact_is_taken_once(sample: Sample) -> None:
    ran = sample.run(CHAIN.replace("state-${{ matrix.slug }}", "state"))
    assert [leg.result for leg in ran.jobs["verify"]] == ["success", "failure"]


FETCHES = pinned("""
on: [push, workflow_run]
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - {uses: CHECKOUT, with: {fetch-depth: DEPTH}}
      - {id: log, run: 'echo "count=$(git rev-list --all --count)" >>"$GITHUB_OUTPUT"'}
      - {run: grep -q AUTHORIZATION .git/config}
""")


@pytest.mark.parametrize(("depth", "count"), [("1", "1"), ("0", "3")])
def test_checkout_fetches_as_deep_as_asked_and_leaves_the_token_by_default(
    sample: Sample, depth: str, count: str
) -> None:
    for message in ("one", "two"):
        sample.repo.commit(message=message)
    ran = sample.run(FETCHES.replace("DEPTH", depth)).job("only")
    assert ran.result == "success", ran.console.text
    assert ran.step("log").outputs["count"] == count


def test_checkout_refuses_a_fork_where_secrets_are(sample: Sample, tmp_path) -> None:
    fork = Repo(tmp_path / "fork")
    event = Event(name="workflow_run", sha=fork.commit(), ref="refs/heads/main", payload={})
    text = FETCHES.replace("fetch-depth: DEPTH", "repository: stranger/project")
    ran = sample.run(text, event, checkouts={"stranger/project": fork.path}).job("only")
    assert "refusing to check out stranger/project" in ran.annotations("error")[0]


CALLED = """
on:
  workflow_call:
    inputs:
      flag: {type: boolean, default: false}
      text: {type: string}
    secrets: {KEY: {required: false}}
permissions: {}
jobs:
  inner:
    runs-on: ubuntu-latest
    environment: tracker
    permissions: {contents: read}
    outputs: {all: "${{ steps.tell.outputs.all }}"}
    steps:
      - {id: own, uses: $/, with: {run-id: "${{ inputs.text || 'none' }}"}}
      - id: tell
        if: inputs.flag
        env: {KEY: "${{ secrets.KEY }}", TRACKER: "${{ secrets.TRACKER }}"}
        run: echo "all=$GITHUB_EVENT_NAME ${#KEY} ${#TRACKER}" >>"$GITHUB_OUTPUT"
"""
CALLER = """
on: push
permissions: {}
jobs:
  outer:
    uses: ours/action/.github/workflows/called.yml@v1
    permissions: {contents: read}
    secrets: {KEY: "${{ secrets.OWN }}"}
    with: {flag: true}
"""
ECHO = """
name: echo
description: Ends well
inputs: {run-id: {description: any, required: true}}
runs: {using: composite, steps: [{shell: bash, run: "true"}]}
"""
SECRETS = {"": {"OWN": "key"}, "tracker": {"TRACKER": "hunter2"}}


@pytest.fixture
def calling(sample: Sample) -> Sample:
    sample.action(ECHO)
    sample.called(CALLED)
    return sample


def test_a_called_workflow_has_its_inputs_the_secrets_handed_over_and_its_own_actions(
    calling: Sample,
) -> None:
    ran = calling.run(CALLER, secrets=SECRETS).job("inner")
    assert ran.result == "success", ran.console.text
    assert ran.outputs["all"] == "push 3 7"


@pytest.mark.parametrize(
    ("part", "instead", "reason"),
    [
        ("contents: read", "contents: none", "does not allow contents: read"),
        ("flag: true", "flag: 'true'", "flag is a boolean"),
        ("flag: true", "flga: true", "no input flga"),
        ("KEY: ", "KYE: ", "unknown secrets KYE"),
    ],
)
def test_a_call_that_github_refuses_is_refused(
    calling: Sample, part: str, instead: str, reason: str
) -> None:
    with pytest.raises((WorkflowError, UnknownInputError), match=reason):
        calling.run(CALLER.replace(part, instead), secrets=SECRETS)
