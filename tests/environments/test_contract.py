"""Every way to build environments keeps the promises of base.py."""

from __future__ import annotations

import dataclasses
import os

import pytest

from reprocheck.environments import ENVIRONMENTS, pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.docker import DockerEnvironment
from reprocheck.environments.venv import VenvEnvironment
from reprocheck.errors import RebuildError, RerunError
from reprocheck.model import EnvironmentKind
from tests.environments.images import base_image
from tests.environments.samples import STARTED, command, docker_spec, spec

# For each implementation a small spec that it builds, and one that fails while it is built.
SAMPLES = {
    VenvEnvironment: (spec("six\n"), spec("six==99\n")),
    DockerEnvironment: (docker_spec("RUN pip install six==1.15.0"), docker_spec("RUN pip --six")),
}


@pytest.fixture(params=ENVIRONMENTS, ids=lambda environment: type(environment).__name__)
def environment(request):
    if isinstance(request.param, DockerEnvironment):
        base_image()
    return request.param


def sample(environment, which):
    found = SAMPLES[type(environment)][which]
    if found.file != "Dockerfile":
        return found
    text = found.content.replace(b"BASE", base_image().encode())
    return dataclasses.replace(found, content=text)


@pytest.fixture
def sandbox(environment, cache, tmp_path):
    with environment.build(asked(environment, 0, cache, tmp_path)) as sandbox:
        yield sandbox


def asked(environment, which, cache, tmp_path) -> BuildRequest:
    (tmp_path / "tree").mkdir(exist_ok=True)
    return BuildRequest(
        spec=sample(environment, which),
        tree=tmp_path / "tree",
        started_at=STARTED,
        cache=cache,
        env=dict(os.environ),
    )


def test_it_accepts_what_it_builds(environment):
    assert all(environment.accepts(sample(environment, which)) for which in (0, 1))


def test_it_says_what_was_built(environment, sandbox):
    built = sandbox.built
    assert len(built.digest) == 64
    assert built.python.count(".") == 2
    assert "six==1.15.0" in built.lock
    assert ("six", "1.15.0") in [(item.name, item.version) for item in built.packages]
    assert built.asked.startswith(sample(environment, 0).file)
    assert built.isolation


def test_a_second_build_is_the_same_and_cached(environment, cache, tmp_path, sandbox):
    with environment.build(asked(environment, 0, cache, tmp_path)) as again:
        assert again.built.cached
        assert again.built.digest == sandbox.built.digest


def test_a_failure_has_a_message_and_a_hint(environment, cache, tmp_path):
    with (
        pytest.raises(RebuildError) as caught,
        environment.build(asked(environment, 1, cache, tmp_path)),
    ):
        pass
    assert "six" in caught.value.message
    assert caught.value.hint


def test_a_trial_runs_in_its_tree(sandbox, trial):
    run = trial(command(("python", "-c", "import os, six; open('out', 'w'); print(os.getcwd())")))
    done = sandbox.run(run)
    assert done.exit_code == 0
    assert run.log.read_bytes() == done.stdout
    assert (run.tree / "out").exists()


def test_a_failing_step_ends_the_trial(sandbox, trial):
    assert sandbox.run(trial(command("exit 4", "exit 5"))).exit_code == 4


def test_a_trial_ends_at_its_timeout(sandbox, trial):
    assert sandbox.run(trial(command("sleep 100"), timeout_s=1)).timed_out


def test_a_step_that_cannot_start_is_an_error(sandbox, trial):
    with pytest.raises(RerunError):
        sandbox.run(trial(command(("no-such-program",))))


def test_no_secret_of_the_caller_is_seen(environment, cache, tmp_path, trial, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with environment.build(asked(environment, 0, cache, tmp_path)) as sandbox:
        assert b"hunter2" not in sandbox.run(trial(command("env"))).stdout


@pytest.mark.parametrize(
    ("file", "content", "kind", "needs"),
    [
        ("Dockerfile", "FROM x", EnvironmentKind.DOCKER, "needs Docker"),
        ("environment.yml", "dependencies: [numpy]", EnvironmentKind.CONDA, "needs conda"),
        ("conda-list.txt", "@EXPLICIT\n", EnvironmentKind.CONDA, "needs conda"),
        ("poetry.lock", "", EnvironmentKind.VENV, "another tool"),
    ],
)
def test_what_none_can_build_is_refused_with_a_way_out(file, content, kind, needs, no_engine):
    with pytest.raises(RebuildError, match=needs) as caught:
        pick(spec(content, file=file, kind=kind))
    assert "cannot build yet" in caught.value.message or "no container engine" in str(caught.value)
    assert "environment: {kind: venv, file: requirements.txt}" in caught.value.hint
