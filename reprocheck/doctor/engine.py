"""The container engine, its builder, its disk, and what we left there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from reprocheck.doctor.base import (
    Check,
    Kind,
    Request,
    Status,
    absent,
    by_root,
    install,
    which,
)
from reprocheck.doctor.disk import disk
from reprocheck.environments import docker_engine, docker_owned
from reprocheck.environments.docker_engine import Engine
from reprocheck.environments.docker_failures import ImageError
from reprocheck.numbers import counted, format_bytes

_UNIX = "unix://"
_MUCH = 20e9  # bytes of images; `reprocheck clean` leaves as many


def check_engine(request: Request) -> tuple[Check, ...]:
    """The engine that a rebuild would use: version, rights, builder, disk, and our leftovers."""
    if not docker_engine.answers(request.env):
        return (_silent(request, ""),)
    try:
        with docker_engine.connect(request.env) as engine:
            return tuple(_engine(engine, request))
    except ImageError as error:
        return (_silent(request, error.output or error.message),)


def _engine(engine: Engine, request: Request) -> Iterator[Check]:
    rights = "rootless" if engine.rootless else "as root"
    told = f"{engine.name}, {rights}, {engine.platform}, at {engine.address}"
    yield _check(Kind.ENGINE, "container engine", Status.OK, told)
    yield _builder(engine, request)
    yield _leftovers(engine)
    root = engine.client.info().get("DockerRootDir")
    if root and Path(root).is_dir():
        yield disk("disk of the engine", Path(root))


def _builder(engine: Engine, request: Request) -> Check:
    name = "image builder"
    if engine.podman:
        return _check(Kind.BUILDKIT, name, Status.OK, "podman's own, which knows RUN --mount")
    program = docker_engine.buildkit(engine, request.env, request.scratch)
    if program:
        which_one = "docker's plugin buildx" if "buildx" in program else program[0]
        return _check(Kind.BUILDKIT, name, Status.OK, f"BuildKit, by {which_one}")
    told = "only the legacy builder: a Dockerfile with RUN --mount cannot be built"
    mend = install("docker-buildx", request.env)
    return _check(Kind.BUILDKIT, name, Status.MISSING, told, mend)


def _leftovers(engine: Engine) -> Check:
    left = docker_owned.left(engine)
    images = f"{counted(left.images, 'image')}, {format_bytes(left.size)}" if left.images else ""
    dead = f"{counted(left.dead, 'container')} of dead verifications" if left.dead else ""
    alive = f"{counted(left.alive, 'container')} in use" if left.alive else ""
    told = ", ".join(part for part in (dead, alive, images) if part) or "nothing"
    if left.dead or left.size > _MUCH:
        return _check(
            Kind.LEFTOVERS, "left by reprocheck", Status.WARNING, told, "reprocheck clean"
        )
    return _check(Kind.LEFTOVERS, "left by reprocheck", Status.OK, told)


def _silent(request: Request, said: str) -> Check:
    where = docker_engine.address(request.env)
    needed = request.needs.engine
    told = _why(where, said, request.env)
    told += f", and {needed} needs one" if needed else ""
    return _check(Kind.ENGINE, "container engine", absent(needed), told, _mend(where, request.env))


def _why(where: str, said: str, env: Mapping[str, str]) -> str:
    if _forbidden(where):
        return f"{where} may not be opened by this user"
    if not where.startswith(_UNIX):
        return f"{where}: {said}".partition("\n")[0]
    if env.get("DOCKER_HOST"):
        return f"nothing answers at DOCKER_HOST={where}"
    if _exists(where):
        return f"nothing answers at {where}"
    idle = next((name for name in ("dockerd", "podman") if which(name, env)), None)
    return f"{idle} is installed, and does not listen" if idle else "none is installed here"


def _forbidden(where: str) -> bool:
    opens = os.access(where.removeprefix(_UNIX), os.R_OK | os.W_OK)
    return where.startswith(_UNIX) and _exists(where) and not opens


def _exists(where: str) -> bool:
    return os.access(where.removeprefix(_UNIX), os.F_OK)


def _mend(where: str, env: Mapping[str, str]) -> str:
    if _forbidden(where):
        return "sudo usermod -aG docker $USER  and log in again"
    if env.get("DOCKER_HOST"):
        return "unset DOCKER_HOST,  or start the engine that it names"
    if which("dockerd", env):
        return by_root("systemctl start docker")
    if which("podman", env):
        return "systemctl --user start podman.socket"
    return install("podman", env)


def _check(kind: Kind, name: str, status: Status, told: str, mend: str = "") -> Check:
    return Check(kind=kind, name=name, status=status, told=told, mend=mend)
