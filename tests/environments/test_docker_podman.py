"""podman by DOCKER_HOST: the same builds and the same limits."""

from __future__ import annotations

import os

import pytest

from reprocheck.environments import docker_engine, docker_owned
from reprocheck.model import Limits
from tests.environments.engines import podman
from tests.environments.images import base_image
from tests.environments.samples import command, docker_spec


@pytest.fixture
def by_podman(tmp_path_factory, monkeypatch):
    with podman(tmp_path_factory.mktemp("podman")) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        yield address


def test_podman_builds_and_runs_a_trial_with_the_same_limits(by_podman, build, trial, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/train.py").write_text("print('trained')\n")
    recipe = docker_spec("WORKDIR /app", "COPY . .", "RUN echo built >/built", base=base_image())
    limits = Limits(memory=256 * 2**20, pids=50)
    sandbox = build(recipe, limits=limits)
    assert "podman" in sandbox.built.isolation
    lines = "cat /built /app/train.py; id -u; cat /proc/self/status; touch out; touch /x"
    asked = trial(command(lines))
    done = sandbox.run(asked)
    said = done.stdout.decode()
    assert said.startswith("built\nprint('trained')\n"), said
    assert "CapEff:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    assert "/x" in said.splitlines()[-1]
    assert (asked.tree / "out").stat().st_uid == os.getuid()
    online = "import socket; socket.create_connection(('1.1.1.1', 53), 3)"
    assert b"unreachable" in sandbox.run(trial(command(("python", "-c", online)))).stdout
    (asked.tree / "out").unlink()  # the tests' trees are one
    assert build(recipe, limits=limits).built.cached
    with docker_engine.connect(os.environ) as engine:
        assert docker_owned.remove_dead(engine).containers == 0
        removed = docker_owned.remove_images(
            engine, older_than_s=0, at_most=0, used=tmp_path / "used"
        )
    assert removed.images >= 1
