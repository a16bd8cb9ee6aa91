"""Every way to build environments keeps the promises of base.py."""

from __future__ import annotations

import dataclasses
import json
import os

import pytest

from reprocheck.environments import ENVIRONMENTS, pick
from reprocheck.environments.base import BuildRequest
from reprocheck.environments.conda import CondaEnvironment
from reprocheck.environments.docker import DockerEnvironment
from reprocheck.environments.landed_hardware import Probing, landed_of
from reprocheck.environments.script import ScriptEnvironment
from reprocheck.environments.venv import VenvEnvironment
from reprocheck.errors import RebuildError, RerunError
from reprocheck.machine import read_machine
from reprocheck.model import EnvironmentKind, Limits
from tests.environments.channels import PYTHON
from tests.environments.images import base_image
from tests.environments.samples import STARTED, command, docker_spec, spec


def setup(package):
    """A spec of a setup that installs a package."""
    steps = [{"argv": ["pip", "install", "-q", package], "cwd": "."}]
    return spec(json.dumps(steps), file="requirements.txt", kind=EnvironmentKind.SCRIPT)


# For each implementation a small spec that it builds, and one that fails while it is built.
CONDA = "channels: [here, nodefaults]\ndependencies: [python, hello, {pip: [six%s]}]\n"
SAMPLES = {
    CondaEnvironment: tuple(
        spec(CONDA % pin, file="environment.yml", kind=EnvironmentKind.CONDA, python=PYTHON)
        for pin in ("", "==99")
    ),
    VenvEnvironment: (spec("six\n"), spec("six==99\n")),
    ScriptEnvironment: (setup("six==1.15.0"), setup("six==99")),
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
def sandbox(environment, cache, tmp_path, channel):
    with environment.build(asked(environment, 0, cache, tmp_path, channel)) as sandbox:
        yield sandbox


def asked(environment, which, cache, tmp_path, channel) -> BuildRequest:
    (tmp_path / "tree").mkdir(exist_ok=True)
    return BuildRequest(
        spec=sample(environment, which),
        tree=tmp_path / "tree",
        started_at=STARTED,
        cache=cache,
        env=dict(os.environ),
        channels={"here": channel.url},
    )


def test_it_accepts_what_it_builds(environment):
    assert all(environment.accepts(sample(environment, which)) for which in (0, 1))


def test_it_tells_what_its_trials_compute_on(sandbox, tmp_path):
    machine = read_machine(os.environ, tmp_path)
    probing = Probing(
        command=command(("python", "train.py")),
        env={"WORLD_SIZE": "2"},
        caller=dict(os.environ),
        frameworks=(),
        limits=Limits(),
        machine=machine,
        folder=tmp_path / "probe",
        kept=tmp_path / "kept",
    )
    found = landed_of(sandbox, probing)
    assert (found.cpu_model, found.isa) == (machine.hardware.cpu_model, machine.hardware.isa)
    assert (found.blas, found.threads, found.world_size) == ((), {}, 2)
    assert not sandbox.changed()


def test_it_says_what_was_built(environment, sandbox):
    built = sandbox.built
    assert len(built.digest) == 64
    assert built.python.count(".") == 2
    assert "six==1.15.0" in built.lock
    assert ("six", "1.15.0") in [(item.name, item.version) for item in built.packages]
    assert built.asked.startswith(sample(environment, 0).file)
    assert built.isolation


def test_a_second_build_is_the_same_and_cached(environment, cache, tmp_path, sandbox, channel):
    with environment.build(asked(environment, 0, cache, tmp_path, channel)) as again:
        assert again.built.cached
        assert again.built.digest == sandbox.built.digest


def test_a_failure_has_a_message_and_a_hint(environment, cache, tmp_path, channel):
    with (
        pytest.raises(RebuildError) as caught,
        environment.build(asked(environment, 1, cache, tmp_path, channel)),
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


def test_no_secret_of_the_caller_is_seen(environment, cache, tmp_path, trial, monkeypatch, channel):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with environment.build(asked(environment, 0, cache, tmp_path, channel)) as sandbox:
        assert b"hunter2" not in sandbox.run(trial(command("env"))).stdout


@pytest.mark.parametrize(
    ("file", "content", "kind", "needs"),
    [
        ("Dockerfile", "FROM x", EnvironmentKind.DOCKER, "needs Docker"),
        ("pixi.lock", "", EnvironmentKind.VENV, "another tool"),
    ],
)
def test_what_none_can_build_is_refused_with_a_way_out(file, content, kind, needs, no_engine):
    with pytest.raises(RebuildError, match=needs) as caught:
        pick(spec(content, file=file, kind=kind))
    assert "cannot build yet" in caught.value.message or "no container engine" in str(caught.value)
    assert "environment: {kind: venv, file: requirements.txt}" in caught.value.hint


@pytest.mark.parametrize(
    ("file", "content"),
    [("environment.yml", "dependencies: [numpy]"), ("conda-list.txt", "@EXPLICIT\n")],
)
def test_without_conda_its_files_are_refused_with_two_ways_out(file, content, without_conda):
    with pytest.raises(RebuildError, match="neither micromamba, mamba or conda") as caught:
        pick(spec(content, file=file, kind=EnvironmentKind.CONDA))
    assert "pip install 'reprocheck[conda]'" in caught.value.hint
    assert "environment: {kind: venv, file: requirements.txt}" in caught.value.hint
