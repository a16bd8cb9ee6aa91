"""A world with a repository of actions and workflows that a test writes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from uv import find_uv_bin

from tests.conftest import Repo, need, shared_folder
from tests.environments.images import base_image, engine
from tests.forges.github_server import FakeGitHub
from tests.runner.machines import Here, Machine, container
from tests.runner.team import ROOT, Project, Team
from tests.runner.workflows import WorkflowRun, run_workflow
from tests.runner.world import Event, World

# How the machine reaches the packages of the action and of the training.
NETWORK = re.compile(r"UV_(OFFLINE|DEFAULT_INDEX|INDEX\w*)|((https?|all|no)_proxy)", re.I)
CERTIFICATES = [
    Path(name)
    for name in ("/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
]


@contextlib.contextmanager
def here(_: Path) -> Iterator[Machine]:
    yield Here()


class Sample:
    """Files of a repository, and its workflow as the tests of the runner write it."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo(folder / "repo")
        self.world = World(
            repository="team/project",
            folder=folder / "jobs",
            checkouts={"team/project": self.repo.path},
            actions={"ours/action": folder / "action"},
            machine=here,
        )
        self._folder = folder

    def action(self, text: str, inner: str = "") -> None:
        place = self._folder / "action" / inner
        place.mkdir(parents=True, exist_ok=True)
        (place / "action.yml").write_text(textwrap.dedent(text))

    def called(self, text: str) -> None:
        """A workflow beside the action, for others to call."""
        place = self._folder / "action" / ".github" / "workflows"
        place.mkdir(parents=True)
        (place / "called.yml").write_text(text)

    def run(self, text: str, event: Event | None = None, **world: Any) -> WorkflowRun:
        """Runs a workflow of this text."""
        for name, value in world.items():
            setattr(self.world, name, value)
        path = self._folder / "sample.yml"
        path.write_text(textwrap.dedent(text))
        return run_workflow(path, event or self.push(), self.world)

    def push(self) -> Event:
        commit = self.repo.commit({"file.txt": "content"})
        return Event(name="push", sha=commit, ref="refs/heads/main", payload={"after": commit})


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project, recorded once for all workers of xdist: the folder that has all of it."""
    engine()
    with shared_folder(tmp_path_factory, "runner") as shared:
        if not (shared / "vault" / "ids").exists():
            Project(shared / "vault", shared / "seen")
        for name in ("tool", "cache"):
            (shared / name).mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the jobs' own folders are."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="session")
def machines(
    project: Path, jobs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Machine, Machine]]:
    """Two clean machines with the action installed: only the first sees tracker and remote."""
    docker = need("docker")
    cache = Path(subprocess.check_output([find_uv_bin(), "cache", "dir"], text=True).strip())
    writable = [jobs, cache, *(project / name for name in ("tool", "cache", "seen"))]
    # What this machine fetched already is there; and environments are built once for all jobs.
    variables = {"UV_CACHE_DIR": str(cache), "XDG_CACHE_HOME": str(project / "cache")}
    variables |= {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    certificates = [path for path in CERTIFICATES if path.is_dir()]
    if certificates:  # of a company's proxy, too
        variables["UV_SYSTEM_CERTS"] = "1"

    def started(*more: Path) -> Machine:
        readable = [ROOT, *certificates, *more]
        image, paths = base_image(), {"writable": writable, "readable": readable}
        return stack.enter_context(container(image, docker=docker, variables=variables, **paths))

    with contextlib.ExitStack() as stack:
        inside, outside = started(project / "vault"), started()
        with shared_folder(tmp_path_factory, "runner"):
            _install(outside, project / "tool")
        yield inside, outside


def _install(machine: Machine, temp: Path) -> None:
    """What the first step of each action does; it does nothing where that was done."""
    env = {"RUNNER_TEMP": str(temp), "HOME": str(temp), "GITHUB_OUTPUT": os.devnull}
    script = ("bash", str(ROOT / "install-action.sh"))
    done = machine.run(script, cwd=temp, env={**machine.env(), **env}, timeout_s=300)
    assert done.exit_code == 0, (done.stdout + done.stderr).decode()


@pytest.fixture
def team(project: Path, machines: tuple[Machine, Machine], jobs: Path, github: FakeGitHub) -> Team:
    """A team whose private tracker has two runs of the branch `topic`."""
    folder = jobs / str(len(list(jobs.iterdir())))
    ids = (project / "vault" / "ids").read_text().split()
    shutil.copytree(project / "vault" / "repo", folder / "forge", symlinks=True)
    return Team(
        repo=Repo.at(folder / "forge"),
        github=github,
        inside=machines[0],
        outside=machines[1],
        folder=folder,
        tool=project / "tool" / "reprocheck-tool",
        runs=dict(zip(("honest", "inflated"), ids, strict=True)),
    )


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)
