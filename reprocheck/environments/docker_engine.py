"""The container engine: Docker, or podman by DOCKER_HOST."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.environments.docker_failures import Cause, ImageError, classify

RESUME_S = 60.0  # how long to wait for an engine that stopped answering
_PASSED = re.compile(r"(DOCKER_|PATH$|HOME$|XDG_|SSH_|(https?|no|all)_proxy$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """A running engine and what it is."""

    client: Any  # docker.DockerClient
    address: str
    name: str  # "docker 20.10.24"
    podman: bool
    rootless: bool
    cpus: float
    platform: str  # "linux/amd64"

    @property
    def root(self) -> bool:
        """Whether a container's root would be the machine's."""
        return not self.rootless


def address(env: Mapping[str, str]) -> str:
    """Where the engine listens: DOCKER_HOST, else the first usual socket that exists."""
    if env.get("DOCKER_HOST"):
        return env["DOCKER_HOST"]
    runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    sockets = (
        "/var/run/docker.sock",
        f"{runtime}/docker.sock",
        f"{env.get('HOME', '/nonexistent')}/.docker/run/docker.sock",
        f"{runtime}/podman/podman.sock",
        "/run/podman/podman.sock",
    )
    found = (name for name in sockets if _listens(name))
    return f"unix://{next(found, sockets[0])}"


def answers(env: Mapping[str, str]) -> bool:
    """Whether an engine seems to be there, without asking it anything."""
    where = address(env)
    return not where.startswith("unix://") or _listens(where.removeprefix("unix://"))


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2.0)
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def connect(env: Mapping[str, str]) -> Iterator[Engine]:
    """A connection to the engine.

    Raises `ImageError` when none answers, or when it is on another machine: the trial's folders
    could not be mounted there.
    """
    import docker
    from docker.utils import kwargs_from_env

    where = address(env)
    doing = f"connecting to the container engine at {where}"
    if not answers(env):  # asked without the SDK, which would leave its socket open
        raise ImageError(doing, Cause.ENGINE, "nothing listens there")
    with told(doing, Cause.ENGINE):
        client = docker.DockerClient(**kwargs_from_env(environment={**env, "DOCKER_HOST": where}))
    try:
        with told(doing, Cause.ENGINE):
            engine = _engine(client, where)
        if not where.startswith("unix://"):
            raise ImageError(doing, Cause.ENGINE, "it is on another machine")
        yield engine
    finally:
        client.close()


def _engine(client: Any, where: str) -> Engine:  # noqa: ANN401 - the SDK's
    version, info = client.version(), client.info()
    parts = [part.get("Name", "") for part in version.get("Components") or ()]
    podman = any("podman" in part.lower() for part in parts)
    options = " ".join(info.get("SecurityOptions") or ())
    return Engine(
        client=client,
        address=where,
        name=f"{'podman' if podman else 'docker'} {version['Version'].partition('+')[0]}",
        podman=podman,
        rootless="rootless" in options,
        cpus=float(info.get("NCPU") or os.cpu_count() or 1),
        platform=f"{version.get('Os', 'linux')}/{version.get('Arch', 'amd64')}",
    )


def storage(env: Mapping[str, str]) -> Path | None:
    """Where the engine keeps images; None where it does not say, or does not answer."""
    with contextlib.suppress(ImageError), connect(env) as engine, told("asking for its folder"):
        folder = engine.client.info().get("DockerRootDir")
        return Path(folder) if folder else None
    return None


@contextlib.contextmanager
def told(doing: str, otherwise: Cause = Cause.OTHER) -> Iterator[None]:
    """Makes the SDK's exceptions an `ImageError` with the cause that their words tell."""
    from docker.errors import APIError, BuildError, DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except BuildError as error:
        lines = [str(item.get("stream") or item.get("error") or "") for item in error.build_log]
        output = "".join(lines) + str(error)
        raise ImageError(doing, classify(output), output) from error
    except APIError as error:
        output = str(error.explanation or error)
        found = classify(output)
        raise ImageError(doing, otherwise if found is Cause.OTHER else found, output) from error
    except DockerException as error:
        raise ImageError(doing, otherwise, str(error)) from error
    except (RequestException, HTTPError) as error:  # the one while it answers, the other later
        cause = otherwise if otherwise is Cause.ENGINE else Cause.ENGINE_LOST
        raise ImageError(doing, cause, str(error)) from error


@contextlib.contextmanager
def watched(engine: Engine) -> Iterator[Callable[[], bool]]:
    """Tells whether the engine has died since: a connection that nobody uses ends with it.

    podman's service has no containers to lose, and closes such connections.
    """
    with socket.socket(socket.AF_UNIX) as idle:
        idle.settimeout(2.0)
        watching = not engine.podman
        if watching:
            try:
                idle.connect(engine.address.removeprefix("unix://"))
            except OSError:
                watching = False
        idle.setblocking(False)

        def died() -> bool:
            try:
                return watching and idle.recv(1, socket.MSG_PEEK) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True

        yield died


def comes_back(engine: Engine) -> bool:
    """Whether an engine that stopped answering answers again."""
    give_up = time.monotonic() + RESUME_S
    while time.monotonic() < give_up:
        if answers({"DOCKER_HOST": engine.address}):
            return True
        time.sleep(0.5)
    return False


# --- BuildKit -----------------------------------------------------------------------------


def buildkit(engine: Engine, env: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """The start of a command that builds with BuildKit; empty: only the engine's own builder.

    docker's plugin buildx, or a docker before 23, which has BuildKit built in.
    """
    if engine.podman:  # its builder knows RUN --mount by itself
        return ()
    programs = _programs(env.get("PATH", os.defpath))
    for program in programs:
        if _answer(program, ("buildx", "version"), env, folder) is not None:
            return program, "buildx", "build", "--load"
    for program in programs:
        said = _answer(program, ("--version",), env, folder) or ""
        found = re.search(r"version (\d+)\.(\d+)", said)
        if found and (18, 9) <= (int(found[1]), int(found[2])) < (23, 0):
            return program, "build"
    return ()


def _programs(path: str) -> list[str]:
    found = [shutil.which("docker", path=folder) for folder in path.split(os.pathsep) if folder]
    return list(dict.fromkeys(str(program) for program in found if program))


def _answer(
    program: str, args: tuple[str, ...], env: Mapping[str, str], folder: Path
) -> str | None:
    call = process.Call(
        argv=(program, *args), cwd=folder, env=client_environment(env), timeout_s=30
    )
    try:
        done = process.run(call)
    except OSError:
        return None
    return done.stdout.decode(errors="replace") if done.exit_code == 0 else None


def client_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The part of the caller's environment that docker's own program may see."""
    return {name: value for name, value in env.items() if _PASSED.match(name)}
