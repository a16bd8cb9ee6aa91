"""docker_container, docker_build: an engine that dies in the middle, and one whose disk is full."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import subprocess
import threading
import warnings

import pytest

from reprocheck.environments import docker_engine
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.errors import RerunError
from tests.environments.engines import second_docker
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec

SLOW = ("python", "-c", "import time\nfor i in range(40): print(i); time.sleep(0.1)")


@pytest.fixture(autouse=True)
def collected():
    """The SDK's sockets: it leaves those open that it could not connect."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


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


# --- a disk that is full ------------------------------------------------------------------

WRITE = "dd if=/dev/zero of=/{name} bs=1M count={megabytes}"


@pytest.fixture
def small(tmp_path_factory, monkeypatch):
    """An engine with little disk."""
    folder = tmp_path_factory.mktemp("small")
    data = folder / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700m", "tmpfs", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        with second_docker(folder, data) as docker:
            monkeypatch.setenv("DOCKER_HOST", docker.address)
            yield docker
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=False, capture_output=True)


def test_a_full_disk_is_freed_of_our_own_once_and_else_told(small, build, cache, tmp_path):
    env = {**os.environ, "PATH": str(tmp_path)}  # BuildKit's cache would hold the layers
    ours = build(
        docker_spec(f"RUN {WRITE.format(name='old', megabytes=150)}", base=base_image()), env=env
    )
    mark = cache / "docker" / f"{ours.image.removeprefix('sha256:')}.used"
    os.utime(mark, (0, 0))
    free = shutil.disk_usage(small.data).free
    (small.data / "of-others").write_bytes(bytes(free - 60 * 2**20))
    needs = f"RUN {WRITE.format(name='new', megabytes=100)}"
    assert build(docker_spec(needs, base=base_image()), env=env).image
    assert not mark.exists()
    with pytest.raises(ImageError) as caught:
        build(docker_spec("RUN true", needs, base=base_image()), env=env)
    assert caught.value.cause is Cause.NO_SPACE
    assert "reprocheck clean" in caught.value.hint
