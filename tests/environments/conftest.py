"""Environments are built for real, by uv, and kept for the session."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from reprocheck.environments import conda_program, conda_rattler, docker_engine, pick
from reprocheck.environments.base import BuildRequest, TrialRun
from reprocheck.model import Command, EnvironmentSpec
from tests.conftest import absent
from tests.environments.channels import NEW, Channel
from tests.environments.images import engine
from tests.environments.samples import STARTED


@pytest.fixture(scope="session")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def no_engine(monkeypatch, tmp_path):
    """No container engine, whether the machine has one or not."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")


@pytest.fixture
def build(cache, tmp_path):
    """Builds a spec and enters it, with the session's cache unless another is given."""
    with contextlib.ExitStack() as stack:

        def enter(asked: EnvironmentSpec, **fields):
            tree = tmp_path / "tree"
            tree.mkdir(exist_ok=True)
            given = {"tree": tree, "started_at": STARTED, "cache": cache, "env": dict(os.environ)}
            request = BuildRequest(spec=asked, **(given | fields))
            return stack.enter_context(pick(asked).build(request))

        yield enter


@pytest.fixture
def trial(tmp_path):
    """A trial in a tree of its own."""

    def make(what: Command, **fields) -> TrialRun:
        for name in ("tree", "home"):
            (tmp_path / name).mkdir(exist_ok=True)
        given = {
            "tree": tmp_path / "tree",
            "home": tmp_path / "home",
            "env": {},
            "timeout_s": 60,
            "log": tmp_path / "trial.log",
        }
        return TrialRun(command=what, **(given | fields))

    return make


@pytest.fixture(scope="session")
def channel(tmp_path_factory) -> Channel:
    """A channel of conda: this Python, and a package that had a new version after the run."""
    made = Channel(tmp_path_factory.mktemp("channel"))
    made.add_python()
    made.add_module("hello", "1.0")
    made.add_module("hello", "2.0", built=NEW)
    return made


@pytest.fixture
def without_conda(monkeypatch) -> None:
    """A machine where nothing installs conda's packages."""
    monkeypatch.setattr(conda_rattler, "is_installed", lambda: False)
    monkeypatch.setattr(conda_program, "NAMES", ())


@pytest.fixture(params=("buildkit", "legacy"))
def builder(request, tmp_path) -> dict[str, str]:
    """An environment in which builds take one of the two ways."""
    engine()
    if request.param == "legacy":
        return {**os.environ, "PATH": str(tmp_path)}
    with docker_engine.connect(os.environ) as found:
        if not docker_engine.buildkit(found, os.environ, tmp_path):
            absent("no docker program here can use BuildKit")
    return dict(os.environ)


@pytest.fixture
def home(tmp_path) -> Path:
    """The caller's home, with secrets and data."""
    folder = tmp_path / "caller"
    for name in (".ssh/id", ".config/gcloud/key.json", ".netrc", "token.txt", "data/train.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"the content of {name}")
    return folder
