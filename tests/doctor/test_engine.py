"""The container engine as it is, and one that is not there."""

import contextlib
import os

import pytest

from reprocheck.doctor import Status
from reprocheck.doctor.base import Kind, Needs
from reprocheck.doctor.engine import check_engine
from reprocheck.environments import docker_engine, docker_owned
from tests.conftest import absent


@pytest.fixture
def engine():
    if not docker_engine.answers(os.environ):
        absent("no container engine answers")
    with docker_engine.connect(os.environ) as found:
        yield found


def test_a_running_engine_tells_its_version_builder_leftovers_and_disk(engine, about):
    found = {check.kind: check for check in check_engine(about())}
    assert found[Kind.ENGINE].status is Status.OK
    assert found[Kind.ENGINE].told.startswith(engine.name)
    assert found[Kind.BUILDKIT].status in (Status.OK, Status.MISSING)
    assert Kind.LEFTOVERS in found
    assert "free of" in found[Kind.DISK].told


def test_the_container_of_a_dead_verification_is_left_and_clean_is_named(engine, about):
    from docker.errors import NotFound

    labels = {docker_owned.OWNER: "nobody", docker_owned.DEADLINE: "1"}
    name = f"reprocheck-tests/empty-{os.getpid()}"
    engine.client.api.import_image_from_data(b"\0" * 1024, repository=name, changes=["CMD true"])
    container = engine.client.containers.create(name, labels=labels)
    try:
        found = {check.kind: check for check in check_engine(about())}[Kind.LEFTOVERS]
        container.reload()  # still there
    finally:
        with contextlib.suppress(NotFound):  # another reprocheck on this machine has cleaned up
            container.remove(force=True)
        engine.client.images.remove(name, force=True)
    assert (found.status, found.mend) == (Status.WARNING, "reprocheck clean")
    assert "of dead verifications" in found.told


def test_an_absent_engine_is_an_error_only_where_it_is_needed(about, tmp_path):
    env = {"DOCKER_HOST": f"unix://{tmp_path}/absent.sock"}
    (check,) = check_engine(about(env))
    assert check.status is Status.MISSING
    assert check.told == f"nothing answers at DOCKER_HOST=unix://{tmp_path}/absent.sock"
    assert "unset DOCKER_HOST" in check.mend
    (check,) = check_engine(about(env, needs=Needs(engine="Dockerfile")))
    assert check.status is Status.ERROR
    assert check.told.endswith("and Dockerfile needs one")


@pytest.mark.parametrize(
    ("installed", "told", "mend"),
    [
        ("podman", "podman is installed, and does not listen", "systemctl --user start"),
        ("dockerd", "dockerd is installed, and does not listen", "systemctl start docker"),
        ("apk", "none is installed here", "apk add podman"),
    ],
)
def test_what_is_installed_decides_how_an_engine_is_to_be_had(
    about, program, monkeypatch, tmp_path, installed, told, mend
):
    nowhere = f"unix://{tmp_path}/absent.sock"
    monkeypatch.setattr(docker_engine, "address", lambda env: nowhere)
    (check,) = check_engine(about({"PATH": program(installed, "true"), "DOCKER_HOST": ""}))
    assert check.status is Status.MISSING
    assert check.told == told
    assert mend in check.mend


def test_an_engine_on_another_machine_is_told_without_its_password(about, dead):
    (check,) = check_engine(about({"DOCKER_HOST": f"tcp://{dead}"}))
    assert check.status is Status.MISSING
    assert f"tcp://{dead}" in check.told
