"""A team's repository with the demo's project, on the fake GitHub, and its workflows' runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Repo
from tests.forges.github_server import FakeGitHub
from tests.forges.github_state import Pull
from tests.lab import Lab
from tests.runner.events import Events
from tests.runner.forge import ForgeArtifacts, token_of
from tests.runner.machines import Machine
from tests.runner.stand_ins import zip_of
from tests.runner.workflows import WorkflowRun, run_workflow
from tests.runner.world import World

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
PASSWORD = "hunter2-of-the-tracker"
CREDENTIALED = ("fetch", "plan")  # jobs that see the tracker and the remote
SPY = """
import glob
with open({file!r}, "ab") as told:
    for name in glob.glob("/proc/[0-9]*/environ"):
        try:
            told.write(open(name, "rb").read())
        except OSError:
            pass
"""
CALLER = """\
name: reprocheck
on: pull_request
permissions: {}
jobs:
  reprocheck:
    uses: reprocheck/reprocheck/.github/workflows/reprocheck-pr.yml@v1
    permissions: {contents: read, pull-requests: read, actions: read}
    with: INPUTS
"""
SCHEDULED = """\
name: reprocheck schedule
on: {schedule: [{cron: "37 3 * * 1"}]}
permissions: {}
jobs:
  reprocheck:
    uses: reprocheck/reprocheck/.github/workflows/reprocheck-scheduled.yml@v1
    permissions: {contents: read, actions: read, issues: write}
    with: INPUTS
"""


class Project(Lab):
    """The demo's project with two recorded runs: an honest one, and one with a better metric.

    Tracker and remote are in the project's folder, the vault. The training looks for secrets in
    all processes that it can see, and writes what it finds to a file in the folder `seen`.
    """

    def __init__(self, vault: Path, seen: Path) -> None:
        super().__init__(vault, "../../examples/digits", dvc=False)
        seen.mkdir()
        config = self.repo.path / "reprocheck.yaml"
        config.write_text(config.read_text().replace("sqlite:///mlflow.db", self.uri))
        (vault / "spy.py").write_text(SPY.format(file=str(seen / "environ")))
        script = str(ROOT / "tests" / "runner" / "record_project.py")
        honest, inflated = self.logged(script, str(vault / "remote"), str(vault / "spy.py"))
        (seen / "environ").unlink()  # what the recording saw here
        self.add_to_metric(inflated, "accuracy", 0.035)
        (vault / "ids").write_text(f"{honest} {inflated}")


@dataclass
class Team:
    """The repository's pull requests, and what its workflows make of them."""

    repo: Repo  # what the forge has
    github: FakeGitHub
    inside: Machine  # the machine of jobs with credentials
    outside: Machine  # of all others: it has neither tracker nor remote
    folder: Path
    tool: Path
    runs: Mapping[str, str]  # ids of the honest and of the inflated one

    def __post_init__(self) -> None:
        held = self.github.repository
        held.private = True
        self.events = Events(held)
        self.world = World(
            repository=held.full_name,
            folder=self.folder / "jobs",
            checkouts={held.full_name: self.repo.path},
            actions={"reprocheck/reprocheck": ROOT},
            machine=self._machine,
            token=lambda scopes: token_of(self.github, scopes),
            secrets={"reprocheck": {"MLFLOW_TRACKING_PASSWORD": PASSWORD}},
            artifacts=ForgeArtifacts(self.github),
            server_url=self.github.site,
            api_url=self.github.api_url,
            graphql_url=self.github.graphql_url,
            in_temp={"reprocheck-tool": self.tool},
        )
        caller = self.folder / "repo" / ".github" / "workflows" / "reprocheck-pr.yml"
        caller.parent.mkdir(parents=True)
        self.caller = caller
        self.call("fetch: true, find: body")

    @contextlib.contextmanager
    def _machine(self, folder: Path) -> Iterator[Machine]:
        within = any(f"-{name}-" in folder.name for name in CREDENTIALED)
        yield self.inside if within or not self.is_private else self.outside

    def call(self, inputs: str) -> None:
        """Writes the team's workflow, which calls ours with these inputs."""
        self.is_private = "fetch: true" in inputs
        given = inputs if inputs.startswith("{") else f"{{{inputs}}}"
        self.caller.write_text(CALLER.replace("INPUTS", given))

    @property
    def honest(self) -> str:
        return self.runs["honest"]

    def artifacts(self, ran: WorkflowRun) -> set[str]:
        """The names of what a run uploaded."""
        return set(self.world.artifacts.of(ran.id))

    def artifact(self, ran: WorkflowRun, name: str) -> bytes:
        """A zip file that a run uploaded."""
        return self.world.artifacts.of(ran.id)[name]

    def reading_token(self, scopes: Mapping[str, str]) -> str:
        """The token of an organisation that allows its workflows to read."""
        return token_of(self.github, dict.fromkeys(scopes, "read"))

    def broken_config(self) -> None:
        """Commits a misspelled key to the base branch."""
        config = (self.repo.path / "reprocheck.yaml").read_text().replace("gate:", "gaet:")
        self.repo.git("checkout", "--quiet", "main")
        self.repo.commit({"reprocheck.yaml": config}, "Misspell a key")
        self.repo.git("checkout", "--quiet", "topic")

    def pull(self, body: str, *, fork: bool = False) -> Pull:
        """Opens a pull request of the branch `topic`."""
        git = self.repo.git
        about = {"base_sha": git("rev-parse", "main"), "head_sha": git("rev-parse", "topic")}
        add = self.github.repository.add_fork_pull if fork else self.github.repository.add_pull
        pull = add(body=body, head_branch="topic", **about)
        git("update-ref", f"refs/pull/{pull.number}/head", pull.head_sha)
        return pull

    def push(self, pull: Pull) -> None:
        """Another commit to a pull request."""
        git = self.repo.git
        git("commit", "--quiet", "--allow-empty", "--message", "Another")
        pull.head_sha = git("rev-parse", "topic")
        git("update-ref", f"refs/pull/{pull.number}/head", pull.head_sha)

    def verify(self, pull: Pull, attempt: int = 1, run_id: int | None = None) -> WorkflowRun:
        """What starts by itself at a push to a pull request."""
        event = self.events.pull_request(pull)
        ran = run_workflow(self.caller, event, self.world, run_id=run_id, attempt=attempt)
        self._ended(ran, pull, attempt=attempt, conclusion=ran.conclusion)
        return ran

    def left(self, pull: Pull, files: Mapping[str, bytes]) -> WorkflowRun:
        """A run of the workflow for a pull request that left these files as its report."""
        path = self.caller.with_name("empty.yml")
        path.write_text("on: pull_request\njobs: {}\n")
        ran = run_workflow(path, self.events.pull_request(pull), self.world)
        self._ended(ran, pull, conclusion="failure")
        if files:
            self.world.artifacts.add(ran.id, "reprocheck-report", zip_of(files))
        return ran

    def _ended(self, ran: WorkflowRun, pull: Pull, **about: Any) -> None:
        head = {name: getattr(pull, name) for name in HEAD}
        self.github.repository.add_run(id=ran.id, **head, **about)

    def comment(self, ran: WorkflowRun) -> WorkflowRun:
        """What starts by itself when a verification has ended."""
        run = self.github.repository.runs[ran.id]
        main = self.repo.git("rev-parse", "main")
        event = self.events.workflow_run(run, main, "reprocheck")
        return run_workflow(WORKFLOWS / "reprocheck-comment.yml", event, self.world)

    def scheduled(self, inputs: str) -> WorkflowRun:
        """What starts by itself every week."""
        self.is_private = False
        path = self.caller.with_name("reprocheck-scheduled.yml")
        path.write_text(SCHEDULED.replace("INPUTS", inputs))
        event = self.events.schedule(self.repo.git("rev-parse", "main"))
        return run_workflow(path, event, self.world)

    def fetch(self, pull: Pull) -> WorkflowRun:
        """A maintainer's fetch for the pull request of a fork."""
        main = self.repo.git("rev-parse", "main")
        asked = {"pull-request": str(pull.number), "head-sha": pull.head_sha}
        event = self.events.dispatch(main, **asked)
        ran = run_workflow(WORKFLOWS / "reprocheck-fetch.yml", event, self.world)
        about = {
            "file": "reprocheck-fetch.yml",
            "event": "workflow_dispatch",
            "head_branch": "main",
        }
        self.github.repository.add_run(id=ran.id, head_sha=main, **about)
        return ran


HEAD = ("head_sha", "head_branch", "head_owner", "head_name")
