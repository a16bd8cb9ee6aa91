"""docker_image: real builds, what they are kept by, and why they fail."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reprocheck import temporary as temporary_folders
from reprocheck.environments import docker_engine
from reprocheck.environments.docker_failures import Cause, ImageError
from reprocheck.model import EnvironmentKind
from tests.environments.images import base_image, engine
from tests.environments.samples import command, docker_spec, spec


@pytest.fixture
def tree(tmp_path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    return folder


def unique(*lines: str, **fields):
    """A Dockerfile that was never built before."""
    return docker_spec(f"ENV NOW={time.time_ns()}", *lines, base=base_image(), **fields)


def failure(build, asked, **fields) -> ImageError:
    with pytest.raises(ImageError) as caught:
        build(asked, **fields)
    return caught.value


def test_either_builder_builds_and_the_second_time_is_cached(build, tree, builder):
    (tree / "f.txt").write_text(str(time.time_ns()))
    asked = docker_spec("COPY f.txt /", base=base_image())
    first, again = build(asked, env=builder), build(asked, env=builder)
    assert (first.built.cached, again.built.cached) == (False, True)
    assert first.image == again.image


def test_a_warm_build_takes_less_than_a_second(build):
    asked = docker_spec(base=base_image())
    build(asked)
    started = time.monotonic()
    build(asked)
    assert time.monotonic() - started < 1


def test_the_key_is_the_contents_and_not_the_time_or_gits_own_folder(build, tree):
    (tree / "f.txt").write_text("same")
    asked = docker_spec("COPY . /src", base=base_image())
    first = build(asked).built.digest
    os.utime(tree / "f.txt", (0, 0))
    (tree / ".git").mkdir()
    (tree / ".git/index").write_text("x")
    assert build(asked).built.digest == first
    (tree / "f.txt").write_text("other")
    assert build(asked).built.digest != first


def test_an_argument_changes_the_key_and_arrives(build, trial):
    asked = docker_spec("ARG A=none", "ENV B=$A", base=base_image())
    one, two = build(asked, args={"A": "1"}), build(asked, args={"A": "2"})
    assert one.built.digest != two.built.digest
    assert two.run(trial(command("echo $B"))).stdout == b"2\n"


def test_what_is_ignored_is_not_copied(build, tree, trial, builder):
    for name in ("kept", "secret.env", "sub/x.log"):
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(str(time.time_ns()))
    (tree / ".dockerignore").write_text("# comment\n*.env\n**/*.log\n")
    sandbox = build(docker_spec("COPY . /src", base=base_image()), env=builder)
    listing = sandbox.run(trial(command("find /src -type f"))).stdout.decode()
    assert sorted(listing.split()) == ["/src/.dockerignore", "/src/kept"]


def test_a_dockerfile_in_a_folder_gets_the_context_that_fits(build, tree):
    (tree / "docker").mkdir()
    (tree / "docker/only-here").write_text("x")
    asked = docker_spec("COPY only-here /", base=base_image(), directory="docker")
    assert build(asked).built.asked.startswith("docker/Dockerfile")
    (tree / "only-here").write_text("both")
    assert [item.code for item in build(asked).findings] == ["ambiguous-context"]


def test_an_image_named_by_id_is_taken_as_it_is(build):
    image = engine().images.get(base_image())
    asked = spec(image.id, file="image", kind=EnvironmentKind.DOCKER)
    sandbox = build(asked)
    assert (sandbox.image, sandbox.built.cached, sandbox.findings) == (image.id, True, ())


def test_an_image_named_by_its_tag_is_told(build):
    asked = spec(base_image(), file="image", kind=EnvironmentKind.DOCKER)
    assert [item.code for item in build(asked).findings] == ["image-by-tag"]


# --- failures, for real -------------------------------------------------------------------

WRONG = {
    Cause.STEP: "RUN echo so far && exit 7",
    Cause.DOCKERFILE: "COPY absent /",
    Cause.NO_NETWORK: "RUN UV_HTTP_RETRIES=0 uv pip install --system six",
    Cause.INTERPRETER: "RUN python3.5 -m pip --version",
    Cause.HISTORY: "RUN git rev-parse HEAD",
    Cause.NO_SPACE: "RUN dd if=/dev/zero of=/dev/full bs=1k count=1",
}


@pytest.mark.parametrize("cause", WRONG, ids=lambda cause: cause.name)
def test_a_failed_build_says_why_and_shows_the_end_of_its_log(build, builder, cause):
    error = failure(build, unique(WRONG[cause]), env=builder, network=False)
    assert error.cause is cause
    assert error.hint
    assert len(error.message.splitlines()) > 1


def test_an_unknown_instruction_is_the_dockerfiles_fault(build):
    assert failure(build, unique("RUNN x")).cause is Cause.DOCKERFILE


def test_a_base_that_is_not_to_be_had_is_named(build):
    engine()
    error = failure(build, docker_spec(base="registry.invalid/base:1"))
    assert "registry.invalid/base:1" in error.message
    assert error.cause is Cause.NO_NETWORK


def test_an_engine_that_does_not_answer_is_told(build, monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    error = failure(build, docker_spec(base="x"))
    assert error.cause is Cause.ENGINE
    assert "kind: venv" in error.hint


def test_an_engine_on_another_machine_is_refused(build, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert failure(build, docker_spec(base="x")).cause is Cause.ENGINE


def test_a_mount_without_buildkit_is_told(build, tmp_path):
    line = "RUN --mount=type=cache,target=/c true"
    error = failure(build, unique(line), env={**os.environ, "PATH": str(tmp_path)})
    assert error.cause is Cause.BUILDKIT


def test_a_failed_build_leaves_no_container(build, tmp_path):
    marker = str(time.time_ns())
    failure(build, unique(f"RUN exit 3 {marker}"), env={**os.environ, "PATH": str(tmp_path)})
    assert building(marker) == []


def test_a_front_end_that_cannot_be_pulled_is_done_without(build):
    asked = unique()
    content = b"# syntax=registry.invalid/docker/dockerfile:1\n" + asked.content
    assert build(dataclasses.replace(asked, content=content)).image


def test_logins_in_addresses_are_not_shown(build):
    line = "RUN echo https://me:hunter2@example.org && exit 1"
    assert "hunter2" not in failure(build, unique(line)).message


def test_docker_is_found_where_it_can_build(tmp_path):
    engine()
    with docker_engine.connect(os.environ) as found:
        assert docker_engine.buildkit(found, {"PATH": str(tmp_path)}, tmp_path) == ()
        command_line = docker_engine.buildkit(found, os.environ, tmp_path)
    assert not command_line or shutil.which(command_line[0])


# --- time limits and interruptions ----------------------------------------------------------


def building(marker: str) -> list[object]:
    """Containers in which the engine's own builder runs a step."""
    found = engine().containers.list(all=True, ignore_removed=True)
    return [item for item in found if marker in str(item.attrs["Config"]["Cmd"])]


def soon_gone(marker: str, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not running(marker)


def running(marker: str) -> bool:
    """Whether a process with a marker in its arguments runs on this machine, in whatever container;
    or a container is left by a build.
    """
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = line.read_bytes().split(b"\0")
            if words[0].endswith(b"sleep") and marker.encode() in words:
                return True
    return bool(building(marker))


def test_a_build_that_takes_too_long_is_ended_and_told(build, builder):
    marker = str(time.time_ns())[-9:]
    error = failure(build, unique(f"RUN sleep {marker}"), env=builder, timeout_s=2)
    assert error.cause is Cause.TIMEOUT
    assert "environment.timeout" in error.hint
    assert soon_gone(marker)


START = """
import os, sys
from pathlib import Path
from reprocheck.environments import pick
from reprocheck.environments.base import BuildRequest
from tests.environments.samples import docker_spec
spec = docker_spec(f"RUN sleep {sys.argv[1]}", base=sys.argv[2])
request = BuildRequest(spec=spec, tree=Path(sys.argv[3]), started_at=None,
                       cache=Path(sys.argv[3]), env=dict(os.environ))
with pick(spec).build(request):
    pass
"""


def test_a_reprocheck_that_is_killed_in_a_build_leaves_nothing(tree, builder, tmp_path):
    marker, temporary = str(time.time_ns())[-9:], tmp_path / "tmp"
    temporary.mkdir()
    env = {**builder, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", START, marker, base_image(), str(tree)]
    killed = subprocess.Popen(argv, env=env)
    while not running(marker):
        assert killed.poll() is None
        time.sleep(0.1)
    killed.kill()
    killed.wait()
    assert soon_gone(marker)
    assert len(list(temporary.iterdir())) == 1
    temporary_folders.remove_dead(temporary)
    assert list(temporary.iterdir()) == []
