import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from reprocheck import __version__
from reprocheck.cli.verify import verify

ROOT = Path(__file__).parents[1]
ACTIONS = ("", "report/", "fetch/", "plan/", "aggregate/")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FILES = [*(ROOT / f"{name}action.yml" for name in ACTIONS), *WORKFLOWS]
PINS = json.loads((ROOT / "tests/forges/github/pinned-actions.json").read_text())["actions"]
OWN = {"run-id", "find", "require-run", "fail-on", "fetched-by", "working-directory"}
OWN |= {"github-token", "upload-artifact", "artifact-name", "artifact-retention-days"}
OWN |= {"extras", "python-version"}
"""Inputs of the action that are no options of `reprocheck verify`."""
NO_INPUTS = {"json", "markdown", "keep", "verbose", "quiet", "dry-run", "help"}
NO_INPUTS |= {"html", "junit", "sarif", "csv", "accepted", "proposed"}
"""Options of `reprocheck verify` that the action chooses itself, or that would verify nothing."""
BIN = Path(sys.executable).parent
by_name = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
by_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path: Path) -> dict[str, Any]:
    document = yaml.safe_load(path.read_text())
    if True in document:  # YAML 1.1 takes the key `on` for that
        document["on"] = document.pop(True)
    return document


def action(name: str) -> dict[str, Any]:
    return load(ROOT / f"{name}action.yml")


def workflow(name: str) -> dict[str, Any]:
    return load(ROOT / f".github/workflows/{name}.yml")


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return load(path).get("jobs", {})


def steps(path: Path) -> Iterator[dict[str, Any]]:
    document = load(path)
    yield from document.get("runs", {}).get("steps", [])
    for job in document.get("jobs", {}).values():
        yield from job["steps"]


def used(path: Path, name: str) -> list[dict[str, Any]]:
    return [step for step in steps(path) if step.get("uses", "").partition("@")[0] == name]


def run(*argv: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(arg) for arg in argv], capture_output=True, text=True, check=False, **options
    )


# --- what others say of the files ----------------------------------------------------------


def test_zizmor_finds_nothing() -> None:
    options = ("--offline", "--no-progress", "--strict-collection", "--persona", "auditor")
    done = run(BIN / "zizmor", *options, *FILES)
    assert done.returncode == 0, done.stdout
    assert done.stderr.count("completed") == len(FILES)


def test_what_zizmor_is_to_ignore_has_its_reason_beside_it() -> None:
    ignored = [
        line for path in FILES for line in path.read_text().splitlines() if "zizmor:" in line
    ]
    assert len(ignored) == 1
    assert all(re.search(r"# zizmor: ignore\[[a-z-]+\] \w+ .{20,}", line) for line in ignored)


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-actions", FILES[: len(ACTIONS)]),
        ("vendor.github-workflows", WORKFLOWS),
    ],
)
def test_the_files_follow_their_schemas(schema: str, paths: list[Path]) -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", schema, *paths)
    assert done.returncode == 0, done.stdout


# --- what others run here ------------------------------------------------------------------


@by_name
def test_every_action_of_others_is_pinned_to_the_commit_on_the_list(path: Path) -> None:
    for line in re.findall(r"uses: (.*)", path.read_text()):
        if not line.startswith("$/"):
            name, sha, tag = re.fullmatch(r"([\w./-]+)@([0-9a-f]{40}) # (v[\d.]+)", line).groups()
            assert PINS[name] == {"tag": tag, "sha": sha}


@by_name
def test_every_action_of_ours_exists_and_knows_its_inputs(path: Path) -> None:
    for step in steps(path):
        name = step.get("uses", "")
        if name.startswith("$/"):
            folder = name[2:] + "/" if name[2:] else ""
            assert folder in ACTIONS
            assert set(step.get("with", {})) <= set(action(folder)["inputs"])


@by_name
def test_uv_is_the_one_of_the_lock_and_has_no_cache(path: Path) -> None:
    (version,) = re.findall(r"^uv==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    for step in used(path, "astral-sh/setup-uv"):
        assert step["with"]["version"] == version
        assert step["with"]["enable-cache"] is False


@by_name
def test_no_text_of_others_becomes_a_script(path: Path) -> None:
    scripts = [step["run"] for step in steps(path) if "run" in step]
    assert not [script for script in scripts if "${{" in script]
    assert "GITHUB_ENV" not in path.read_text()
    assert "GITHUB_PATH" not in path.read_text()


def test_all_actions_install_the_tool_alike() -> None:
    def first(name: str, place: str) -> list[dict[str, Any]]:
        setup = action(name)["runs"]["steps"][:3]
        setup[2]["env"].pop("INPUT_EXTRAS", None)
        assert setup[2].pop("run") == f'bash "$GITHUB_ACTION_PATH/{place}install-action.sh"'
        return setup

    top = first("", "")
    assert all(first(name, "../") == top for name in ACTIONS[1:])


# --- what may be done, and by whom ---------------------------------------------------------


@by_workflow
def test_permissions_are_given_by_job_each_with_its_reason(path: Path) -> None:
    document, text = load(path), path.read_text()
    assert document["permissions"] == {}
    assert "concurrency" in document
    for job in document["jobs"].values():
        assert isinstance(job["permissions"], dict)
        assert job["timeout-minutes"]
        for scope, level in job["permissions"].items():
            assert re.search(rf"^      {scope}: {level} # \w.+$", text, re.M)


def test_only_these_jobs_may_write() -> None:
    writing = {
        (path.stem, name): {scope for scope, level in job["permissions"].items() if level != "read"}
        for path in WORKFLOWS
        for name, job in jobs(path).items()
    }
    assert {job: scopes for job, scopes in writing.items() if scopes} == {
        ("reprocheck-comment", "comment"): {"pull-requests"},
        ("reprocheck-scheduled", "aggregate"): {"issues"},
        ("release", "attest"): {"id-token", "attestations"},
        ("release", "publish"): {"id-token"},
    }


@by_workflow
def test_a_job_that_trains_has_no_secret_no_environment_and_writes_nothing(path: Path) -> None:
    for name, job in jobs(path).items():
        if any(step.get("uses") == "$/" for step in job["steps"]):
            assert "secrets." not in json.dumps(job), name
            assert "environment" not in job
            assert set(job["permissions"].values()) == {"read"}


@by_workflow
def test_a_secret_is_only_given_to_a_job_with_an_environment(path: Path) -> None:
    for name, job in jobs(path).items():
        if "secrets." in json.dumps(job):
            assert "environment" in job, name


def test_what_has_secrets_or_writes_checks_out_nothing_of_a_pull_request() -> None:
    refs = {
        (path.stem, name): step["with"].get("ref", "")
        for path in WORKFLOWS
        for name, job in jobs(path).items()
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/checkout@") and "environment" in job
    }
    assert refs == {
        ("reprocheck-pr", "fetch"): "${{ github.event.pull_request.base.sha }}",
        ("reprocheck-fetch", "fetch"): "",
        ("reprocheck-scheduled", "plan"): "",
        ("reprocheck-scheduled", "fetch"): "",
    }
    assert not used(ROOT / ".github/workflows/reprocheck-comment.yml", "actions/checkout")


@by_workflow
def test_a_checkout_leaves_no_credential_behind(path: Path) -> None:
    for step in used(path, "actions/checkout"):
        assert step["with"]["persist-credentials"] is False


@by_name
def test_nothing_starts_on_pull_request_target(path: Path) -> None:
    assert "pull_request_target" not in path.read_text()


def test_forks_get_no_fetch_and_cannot_write_back() -> None:
    ours = "head_repository.full_name == github.repository"
    assert ours in workflow("reprocheck-comment")["jobs"]["write-back"]["if"]
    fetch = workflow("reprocheck-pr")["jobs"]["fetch"]["if"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in fetch
    default = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
    assert default in workflow("reprocheck-fetch")["jobs"]["fetch"]["if"]


def test_bundles_live_for_one_day() -> None:
    (upload,) = used(ROOT / "fetch/action.yml", "actions/upload-artifact")
    assert upload["with"]["retention-days"] == 1


def test_legs_of_a_schedule_do_not_end_each_other() -> None:
    scheduled = workflow("reprocheck-scheduled")
    assert scheduled["concurrency"]["cancel-in-progress"] is False
    assert scheduled["jobs"]["verify"]["strategy"]["fail-fast"] is False
    assert scheduled["jobs"]["aggregate"]["if"].startswith("${{ always() ")
    (when,) = scheduled["on"]["schedule"]
    assert int(when["cron"].split()[0]) % 5


# --- inputs and outputs --------------------------------------------------------------------


def options(command: click.Command) -> set[str]:
    names = (name for option in command.params for name in option.opts)
    return {name[2:] for name in names if name.startswith("--")}


def test_inputs_are_named_as_the_options_of_verify() -> None:
    inputs = set(action("")["inputs"])
    assert inputs - OWN <= options(verify)
    assert options(verify) - NO_INPUTS <= inputs
    assert not OWN & options(verify)


@pytest.mark.parametrize(
    ("name", "command", "own", "chosen"),
    [
        ("fetch/", "fetch", {"run-id", "find", "pull-request", "head-sha"}, {"bundle"}),
        ("plan/", "top", {"workflow"}, {"reports"}),
        ("aggregate/", "aggregate", {"files", "issue", "issue-labels", "workflow"}, {"reports"}),
    ],
)
def test_inputs_of_the_others_are_named_as_options_too(
    name: str, command: str, own: set[str], chosen: set[str]
) -> None:
    known = options(getattr(importlib.import_module(f"reprocheck.cli.{command}"), command))
    inputs = set(action(name)["inputs"])
    assert inputs - OWN - own <= known
    assert known - NO_INPUTS - chosen - {"badge", "fail-on"} <= inputs


@pytest.mark.parametrize("name", ACTIONS)
def test_every_input_reaches_its_step_and_every_output_comes_from_one(name: str) -> None:
    document = action(name)
    text = (ROOT / f"{name}action.yml").read_text()
    for one in document["inputs"]:
        assert f"${{{{ inputs.{one} }}}}" in text or f"inputs.{one} ==" in text
    for variable, given in re.findall(r"INPUT_(\w+): (.*)", text):
        assert given == f"${{{{ inputs.{variable.lower().replace('_', '-')} }}}}"
    ids = {step.get("id") for step in document["runs"]["steps"]}
    for output in document["outputs"].values():
        step = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.[\w-]+ \}\}", output["value"])
        assert step and step[1] in ids


@pytest.mark.parametrize("ended", ["cancelled", "skipped", "action_required"])
def test_a_run_that_verified_nothing_yet_is_not_reported(ended: str) -> None:
    for job in workflow("reprocheck-comment")["jobs"].values():
        assert f"workflow_run.conclusion != '{ended}'" in job["if"]


@by_workflow
def test_every_input_of_a_called_workflow_is_used(path: Path) -> None:
    called = load(path)["on"].get("workflow_call") or {}
    text = path.read_text()
    for name in called.get("inputs", {}):
        assert re.search(rf"\binputs\.{name}\b", text), name
    for name in called.get("secrets", {}):
        assert f"${{{{ secrets.{name} }}}}" in text


def test_a_pull_request_can_set_what_the_action_can() -> None:
    jobs_own = {"bundle", "fetched-by", "reports", "github-token", "upload-artifact"}
    jobs_own |= {"python-version", "artifact-retention-days"}
    called = set(workflow("reprocheck-pr")["on"]["workflow_call"]["inputs"])
    assert set(action("")["inputs"]) - jobs_own <= called


@pytest.mark.parametrize("name", ACTIONS)
def test_the_page_tells_of_every_input_and_output(name: str) -> None:
    page = (ROOT / "docs/github.md").read_text()
    section = page.partition(f"### `{name}action.yml`")[2].partition("\n### ")[0]
    for kind in ("inputs", "outputs"):
        for one, told in action(name)[kind].items():
            text = told["description"].replace("|", "\\|")
            assert f"| `{one}` | {text} |" in section


@pytest.mark.parametrize("page", ["README.md", "docs/github.md"])
def test_examples_name_this_release(page: str) -> None:
    named = re.findall(r"uses: reprocheck/reprocheck\S*@(\S+)", (ROOT / page).read_text())
    assert set(named) == {f"v{__version__}"}


def test_examples_are_workflows_with_rights_by_job() -> None:
    page = (ROOT / "docs/github.md").read_text()
    examples = [
        yaml.safe_load(text) for text in re.findall(r"```yaml\n(# .github.*?)```", page, re.S)
    ]
    assert len(examples) == 4
    for example in examples:
        assert example["permissions"] == {}
        for job in example["jobs"].values():
            called = workflow(Path(job["uses"].partition("@")[0]).stem)
            assert set(job.get("with", {})) <= set(called["on"]["workflow_call"]["inputs"])
            for needed in called["jobs"].values():
                assert needed["permissions"].items() <= job["permissions"].items()


def test_pages_are_uploaded_as_they_are_and_overwrite_none() -> None:
    for name in ("", "report/", "aggregate/"):
        pages = [
            each["with"]
            for each in used(ROOT / f"{name}action.yml", "actions/upload-artifact")
            if "archive" in each["with"]
        ]
        assert len(pages) == 1, name
        assert pages[0]["archive"] is False
        assert not {"name", "overwrite"} & set(pages[0])  # both are of another artifact then


def test_a_page_that_cannot_be_made_or_uploaded_fails_nothing() -> None:
    for name in ("", "report/", "aggregate/"):
        for step in action(name)["runs"]["steps"]:
            if step["name"].endswith(" the page"):
                assert step["continue-on-error"] is True, step["name"]
                assert "INPUT_GITHUB_TOKEN" not in step.get("env", {}) or name == "aggregate/"


# --- scripts ------------------------------------------------------------------------------


def test_the_page_is_linked_in_the_summary(tmp_path: Path) -> None:
    (link,) = (step for step in steps(ROOT / "action.yml") if step["name"] == "Link the page")
    summary = tmp_path / "summary"
    summary.write_text("# Ours\n")
    url = "https://github.com/a/b/actions/runs/1/artifacts/2"
    env = {"PATH": os.environ["PATH"], "URL": url, "GITHUB_STEP_SUMMARY": str(summary)}
    assert run("bash", "-eo", "pipefail", "-c", link["run"], env=env).returncode == 0
    first, second = summary.read_text().splitlines()
    assert first == "# Ours"
    assert second.startswith(f"**[Open the full report]({url})**: ")


def test_a_maintainer_fetches_the_commit_that_was_looked_at(tmp_path: Path) -> None:
    (script,) = (
        step for step in steps(ROOT / ".github/workflows/reprocheck-fetch.yml") if "run" in step
    )
    here, forge = tmp_path / "here", tmp_path / "forge"
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run("git", "init", "--quiet", forge)
    run("git", *identity, "commit", "--quiet", "--allow-empty", "--message=a", cwd=forge)
    run("git", "update-ref", "refs/pull/7/head", "HEAD", cwd=forge)
    sha = run("git", "rev-parse", "HEAD", cwd=forge).stdout.strip()
    run("git", "init", "--quiet", here)
    run("git", "remote", "add", "origin", forge, cwd=here)
    env = {"PATH": os.environ["PATH"], "GITHUB_SERVER_URL": "https://example.org", "TOKEN": "t"}

    def fetch(number: str, head: str) -> subprocess.CompletedProcess[str]:
        given = env | {"NUMBER": number, "HEAD_SHA": head}
        return run("bash", "-eo", "pipefail", "-c", script["run"], cwd=here, env=given)

    assert fetch("7", sha).returncode == 0
    assert run("git", "cat-file", "-e", sha, cwd=here).returncode == 0
    assert "the pull request has moved" in fetch("7", "0" * 40).stdout.lower()
    assert fetch("7", "0" * 40).returncode == 2
    assert fetch("7 --upload-pack=x", sha).returncode == 2
