"""docker_owned: what dead reprochecks left is removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from reprocheck.environments import docker_engine, docker_owned
from reprocheck.environments.docker_owned import DEADLINE, OWNER
from tests.environments.images import base_image
from tests.environments.samples import docker_spec

DAY = 86400.0


@pytest.fixture
def engine():
    base_image()
    with docker_engine.connect(os.environ) as found:
        yield found


@pytest.fixture
def leave(engine):
    """Leaves a container with labels, as a killed process would."""
    made = []

    def make(labels, running=False):
        container = engine.client.containers.create(
            base_image(), ["sleep", "77777"], labels=labels, network_mode="none"
        )
        made.append(container)
        if running:
            container.start()
        return container

    yield make
    for container in made:
        if exists(container):
            container.remove(force=True)


def exists(container) -> bool:
    from docker.errors import NotFound

    try:
        container.reload()
    except NotFound:
        return False
    return True


def labels_of_the_dead() -> dict[str, str]:
    """The labels that a process makes which has ended by now."""
    code = "import time\nfrom reprocheck.environments.docker_owned import labels\n"
    code += "print(repr(labels(time.time() + 3600)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return eval(done.stdout)


@pytest.mark.parametrize("running", [True, False])
def test_a_dead_owners_container_is_removed(engine, leave, running):
    left = leave(labels_of_the_dead(), running=running)
    assert docker_owned.remove_dead(engine).containers >= 1
    assert not exists(left)


def test_a_living_owners_container_stays(engine, leave):
    mine = leave(docker_owned.labels(time.time() + 3600))
    docker_owned.remove_dead(engine)
    assert exists(mine)


def test_another_process_with_the_dead_ones_number_is_not_its_owner(engine, leave):
    parts = docker_owned.labels(0)[OWNER].split("|")
    left = leave({OWNER: "|".join([*parts[:4], "1"]), DEADLINE: str(time.time() + 3600)})
    docker_owned.remove_dead(engine)
    assert not exists(left)


def test_what_a_boot_of_before_left_is_removed(engine, leave):
    machine, _, *rest = docker_owned.labels(0)[OWNER].split("|")
    left = leave({OWNER: "|".join([machine, "other", *rest]), DEADLINE: str(time.time() + 3600)})
    docker_owned.remove_dead(engine)
    assert not exists(left)


@pytest.mark.parametrize(("ends_in_s", "stays"), [(3600, True), (-10, False)])
def test_an_owner_that_cannot_be_seen_has_until_its_deadline(engine, leave, ends_in_s, stays):
    left = leave({OWNER: "elsewhere|x|y|1|2", DEADLINE: str(time.time() + ends_in_s)})
    docker_owned.remove_dead(engine)
    assert exists(left) is stays


def test_containers_of_others_are_never_touched(engine, leave):
    other = leave({"mine": "1"})
    docker_owned.remove_dead(engine)
    assert exists(other)


def test_every_build_starts_with_the_removal(build, engine, leave):
    left = leave(labels_of_the_dead())
    build(docker_spec(base=base_image()))
    assert not exists(left)


def test_images_go_by_the_time_of_their_last_use_and_by_size(build, engine, cache):
    sandbox = build(docker_spec(f"ENV NOW={time.time_ns()}", base=base_image()))
    used = cache / "docker"
    limits = {"older_than_s": DAY, "at_most": 10**15, "used": used}
    docker_owned.remove_images(engine, **limits)
    assert has(engine, sandbox.image)
    mark = used / f"{sandbox.image.removeprefix('sha256:')}.used"
    os.utime(mark, (0, 0))
    assert docker_owned.remove_images(engine, **limits).images >= 1
    assert not has(engine, sandbox.image)
    assert has(engine, base_image())


def has(engine, name) -> bool:
    from docker.errors import ImageNotFound

    try:
        engine.client.images.get(name)
    except ImageNotFound:
        return False
    return True
