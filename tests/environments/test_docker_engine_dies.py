"""docker_container, docker_build: an engine that dies in the middle, and one whose disk is full."""

from __future__ import annotations

import contextlib

import pytest

from reprocheck.environments import docker_engine
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.errors import RerunError
from tests.environments.engines import second_docker
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec

SLOW = ("python", "-c", "import time\nfor i in range(40): print(i); time.sleep(0.1)")


@pytest.fixture(scope="module")
def surviving(tmp_path_factory):
    """An engine whose containers outlive it."""
    with second_docker(tmp_path_factory.mktemp("dockerd"), None, "--live-restore") as docker:
        yield docker


@pytest.fixture
def docker(surviving, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", surviving.address)
    return surviving


def once(act):
    """A tick that acts at the first one."""
    left = [act]
    return lambda: left.pop()() if left else None


def restart(docker) -> None:
    docker.kill()
    docker.start()


def test_a_trial_goes_on_where_its_container_survived_the_engine(docker, build, trial):
    sandbox = build(docker_spec(base=base_image()))
    done = sandbox.run(trial(command(SLOW), on_tick=once(lambda: restart(docker))))
    assert done.exit_code == 0
    assert done.stdout.decode().split() == [str(i) for i in range(40)]


def test_a_trial_that_the_engine_took_along_is_told(docker, build, trial, monkeypatch):
    sandbox = build(docker_spec(base=base_image()))

    def take_along() -> None:
        docker.kill()
        docker.start()
        with docker.client() as client:
            for container in client.containers.list():
                container.kill()

    with pytest.raises(RerunError, match="engine died in the middle") as caught:
        sandbox.run(trial(command(SLOW), on_tick=once(take_along)))
    assert "live-restore" in caught.value.hint


def test_a_build_goes_on_with_the_engine_that_came_back(docker, build):
    import threading

    asked = docker_spec("RUN sleep 3", base=base_image())
    threading.Timer(1.5, lambda: restart(docker)).start()
    assert build(asked).image


def test_an_engine_that_stays_away_is_told(docker, build, trial, monkeypatch):
    monkeypatch.setattr(docker_engine, "RESUME_S", 1.0)
    sandbox = build(docker_spec(base=base_image()))
    try:
        with pytest.raises(RerunError, match="stopped answering in the middle") as caught:
            sandbox.run(trial(command(SLOW), on_tick=once(docker.kill)))
        assert "engine's log" in caught.value.hint
        with pytest.raises(ImageError) as refused:
            build(docker_spec(base=base_image()))
        assert refused.value.cause is Cause.ENGINE
    finally:
        with contextlib.suppress(BaseException):
            docker.start()
