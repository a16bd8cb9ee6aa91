"""Runs one trial in a container that can reach nothing but the trial's own folders."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reprocheck import process
from reprocheck.environments import docker_engine, pids, refusals
from reprocheck.environments.docker_engine import Engine, told
from reprocheck.environments.docker_owned import labels
from reprocheck.errors import RerunError
from reprocheck.model import Limits

GRACE_S = 30.0  # after the timeout: the deadline inside, for when nobody is left outside
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SIGKILL = 128 + signal.SIGKILL
_LOST = "the container engine stopped answering in the middle of a trial"
_KILLED = "the container engine died in the middle of a trial, and ended it when it came back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What runs in a container."""

    image: str
    script: str  # for /bin/sh
    env: Mapping[str, str]
    user: str
    folder: str
    mounts: tuple[Mount, ...]
    limits: Limits
    timeout_s: float
    deadline: bool = True  # whether the image has `timeout`
    entrypoint: tuple[str, ...] = ()  # of the image: it runs what follows it


@dataclass(frozen=True, kw_only=True, slots=True)
class Mount:
    """A file or folder of the machine, at the same path inside unless `target` says another."""

    source: str
    target: str = ""
    writable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a container ended."""

    exit_code: int
    duration_s: float
    timed_out: bool
    out_of_memory: bool


def settings(job: Job, engine: Engine) -> dict[str, Any]:
    """The SDK's arguments for a container; every one but the script takes something away."""
    from docker.types import DeviceRequest, LogConfig, Mount, Ulimit

    limits = job.limits
    inside = [*job.entrypoint, "/bin/sh", "-c", job.script]
    if job.deadline:
        inside = ["timeout", "-k", "5", str(int(job.timeout_s + GRACE_S)), *inside]
    gpus = [DeviceRequest(count=limits.gpus, capabilities=[["gpu"]])] if limits.gpus else None
    return {
        "image": job.image,
        "entrypoint": inside[:1],
        "command": inside[1:],
        "healthcheck": {"test": ["NONE"]},  # the image's would run in the middle of a trial
        "init": True,  # reaps orphans, and hands SIGTERM on
        "working_dir": job.folder,
        "environment": dict(job.env),
        "user": job.user,
        "labels": labels(time.time() + job.timeout_s + 2 * GRACE_S),
        "network_mode": None if limits.network else "none",
        "read_only": True,
        # Docker's own default is noexec, which breaks what compiles into /tmp.
        "tmpfs": {"/tmp": "rw,exec,mode=1777"},  # noqa: S108 - the container's
        "mounts": [
            Mount(
                target=mount.target or mount.source,
                source=mount.source,
                type="bind",
                read_only=not mount.writable,
            )
            for mount in job.mounts
        ],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        # podman would drop its configured defaults for this one, and ask for more than it may have.
        "ulimits": None if engine.podman else [Ulimit(name="core", soft=0, hard=0)],
        "mem_limit": limits.memory,
        "memswap_limit": limits.memory,  # the same: no swap besides
        "nano_cpus": int(1e9 * min(limits.cpus, engine.cpus)) if limits.cpus else None,
        "pids_limit": limits.pids,
        "shm_size": limits.shm or _half_of_memory(),  # Docker's 64 MB break PyTorch's loaders
        "device_requests": gpus,
        # What it prints is kept by us, within limits of ours.
        "log_config": LogConfig(
            type=LogConfig.types.JSON, config={"max-size": "60m", "max-file": "2"}
        ),
    }


def run(
    job: Job, engine: Engine, write: Callable[[bytes], None], on_tick: Callable[[], None] | None
) -> Ended:
    """Runs a container to its end and removes it, however this ends.

    Raises `ImageError` when the engine refuses it, `RerunError` when the engine dies for good.
    """
    with _container(job, engine) as container:
        started = time.monotonic()
        with told("starting the trial's container"):
            container.start()
        with docker_engine.watched(engine) as died:
            timed_out = _follow(container, engine, write, job.timeout_s, on_tick)
            lost = died()
        duration_s = time.monotonic() - started
        with told("asking how the trial's container ended"):
            exit_code = int(container.wait(timeout=60)["StatusCode"])
            container.reload()
        state = container.attrs["State"]
        if lost and exit_code == _SIGKILL and not timed_out:
            raise RerunError(
                _KILLED,
                "run it again; an engine with live-restore in its configuration keeps its "
                "containers, and reprocheck goes on with them",
            )
    late = exit_code in (124, 137) and duration_s >= job.timeout_s
    return Ended(
        exit_code=exit_code,
        duration_s=duration_s,
        timed_out=timed_out or late,
        # The kernel may have killed a child only; the training coped, if it exited with 0.
        out_of_memory=bool(state.get("OOMKilled")) and exit_code != 0 and not timed_out,
    )


@contextlib.contextmanager
def _container(job: Job, engine: Engine) -> Iterator[Any]:
    with _uninterrupted() as before:
        with told("making the trial's container"):
            container = engine.client.containers.create(**settings(job, engine))
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield container
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
            with contextlib.suppress(*_failures()):  # the next start removes it
                container.remove(force=True, v=True)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[set[signal.Signals]]:
    # A signal between making a container and remembering it would leave it behind.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield {signal.Signals(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Reader(threading.Thread):
    """Copies a container's output as it comes; ends with the container, or with the engine."""

    def __init__(self, container: Any, write: Callable[[bytes], None], seen: int) -> None:  # noqa: ANN401
        super().__init__(daemon=True)
        self.seen = seen  # bytes that were written before
        self._container, self._write = container, write

    def run(self) -> None:
        """Copies until the end."""
        with contextlib.suppress(*_failures(), AttributeError):  # _follow asks for the state
            stream = self._container.logs(stream=True, follow=True)
            try:
                self._copy(stream)
            finally:
                stream.close()  # it does not close what broke off

    def _copy(self, stream: Any) -> None:  # noqa: ANN401
        skip = self.seen
        for chunk in stream:
            kept, skip = chunk[skip:], max(0, skip - len(chunk))
            if kept:
                self._write(kept)
                self.seen += len(kept)


def _follow(
    container: Any,  # noqa: ANN401 - the SDK's
    engine: Engine,
    write: Callable[[bytes], None],
    timeout_s: float,
    on_tick: Callable[[], None] | None,
) -> bool:
    """Copies output until the container has ended; returns whether it had to be killed."""
    deadline = time.monotonic() + timeout_s
    timed_out, seen = False, 0
    while True:
        reader = _Reader(container, write, seen)
        reader.start()
        while reader.is_alive():
            reader.join(max(0.01, min(process.TICK_S, deadline - time.monotonic())))
            if time.monotonic() >= deadline and not timed_out:
                timed_out = True
                deadline = float("inf")
                with contextlib.suppress(*_failures()):
                    container.kill()
            if reader.is_alive() and on_tick is not None:
                on_tick()
        seen = reader.seen
        if not _still_runs(container, engine):
            return timed_out


def _still_runs(container: Any, engine: Engine) -> bool:  # noqa: ANN401
    """Whether a container whose output ended goes on: the engine may have died meanwhile."""
    from docker.errors import NotFound

    give_up = time.monotonic() + docker_engine.RESUME_S
    while time.monotonic() < give_up:
        if docker_engine.answers({"DOCKER_HOST": engine.address}):
            try:
                container.reload()
            except NotFound as error:
                message = "the trial's container was removed while it ran"
                raise RerunError(message, "run it again") from error
            except _failures():  # it starts, or dies, at this moment
                pass
            else:
                return str(container.attrs["State"]["Status"]) in ("running", "created")
        time.sleep(process.TICK_S)
    raise RerunError(_LOST, "look into the engine's log, and start it")


def _failures() -> tuple[type[Exception], ...]:
    from docker.errors import DockerException
    from requests.exceptions import RequestException
    from urllib3.exceptions import HTTPError

    return DockerException, RequestException, HTTPError, OSError


def _half_of_memory() -> int:
    import os

    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


# --- what the trial's own words say -------------------------------------------------------


def explanation(ended: Ended, limits: Limits, output: str) -> str:
    """What the limits had to do with a failed trial; empty: nothing that can be seen."""
    if ended.out_of_memory:
        return "the trial needed more memory than limits.memory in reprocheck.yaml allows"
    if ended.exit_code != 0 and (path := refusals.written(output)):
        return (
            f"the trial wanted to write {path}; it can write in its tree, also where the image has "
            "the code, in HOME and in /tmp only"
        )
    if ended.exit_code != 0 and not limits.network:
        return refusals.network(output, refusals.TRIAL, "the container")
    return ""


def steps_script(steps: list[tuple[str, tuple[str, ...] | str]], unset: list[str]) -> str:
    """A script of /bin/sh that runs steps, each in its folder, and stops at the first that fails.

    A program that the image lacks is named in the file `MISSING` names.
    """
    lines = [pids.script()]
    lines += [f"unset {shlex.join(unset)}"] if unset else []
    for folder, what in steps:
        lines.append(f"cd -- {shlex.quote(folder)} || exit 126")
        if isinstance(what, str):
            lines.append(f"/bin/sh -c {shlex.quote(what)} || exit $?")
            continue
        program = shlex.quote(what[0])
        lines.append(
            f"command -v -- {program} >/dev/null 2>&1 || "
            f'{{ printf %s {program} >"$HOME/{MISSING}"; exit 127; }}'
        )
        lines.append(f"{shlex.join(what)} || exit $?")
    return "\n".join(lines) + "\n"


MISSING = ".reprocheck-missing"
