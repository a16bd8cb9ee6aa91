"""An image, ready to run trials: what is mounted where, and who may write it."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import (
    docker_container,
    docker_places,
    docker_secrets,
    reach,
    tracing,
)
from reprocheck.environments.base import Observed, TrialRun
from reprocheck.environments.docker_container import Job, Mount
from reprocheck.environments.docker_contents import Contents
from reprocheck.environments.docker_engine import Engine
from reprocheck.environments.docker_failures import ImageError
from reprocheck.environments.docker_places import Cover
from reprocheck.environments.sandbox import PYTHON, folder_of
from reprocheck.environments.venv import REDIRECT
from reprocheck.errors import RerunError
from reprocheck.model import Argv, BuiltEnvironment, Finding, Limits, Step

NOBODY = 10001  # who the trial is where reprocheck itself is root: no user of the machine
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = frozenset({"PATH", "HOME", "TMPDIR"})  # a record's PATH is another machine's


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerSandbox:
    """An image, ready to run trials in containers of it."""

    built: BuiltEnvironment
    findings: tuple[Finding, ...]
    image: str
    engine: Engine
    holds: Contents
    covers: tuple[Cover, ...]
    made: Path  # what the image's build made beside the code, by the copy's number
    limits: Limits
    caller: Mapping[str, str]

    @property
    def shows(self) -> bool:
        """Whether trials find what `TrialRun.shown` names: always."""
        return True

    def changed(self) -> bool:
        """Never: an image cannot be written, and a container's own files are read-only."""
        return False

    def run(self, trial: TrialRun) -> process.Completed:
        """Runs the steps in one container and stops at the first that fails.

        Raises `RerunError` when a step cannot be started.
        """
        job = self._job(trial)
        docker_places.put_made(self.covers, self.made, trial.tree)
        _hand_over(trial, job.user)
        try:
            with process.Log(trial.log) as log:
                ended = docker_container.run(job, self.engine, log.write, trial.on_tick)
                why = docker_container.explanation(
                    ended, self.limits, log.tail.decode(errors="replace")
                )
                if why:
                    log.write(f"\n[reprocheck: {why}]\n".encode())
        except ImageError as error:
            raise RerunError(error.message, error.hint) from error
        finally:
            _take_back(trial)
        _refuse_missing(trial, self.built.asked)
        return process.Completed(
            argv=("/bin/sh", "-c", job.script),
            exit_code=ended.exit_code,
            duration_s=ended.duration_s,
            stdout=log.tail,
            stderr=b"",
            timed_out=ended.timed_out,
        )

    def observed(self, trial: TrialRun) -> Observed:
        """What of the image the trial read besides programs and libraries: the trial sees nothing
        else of the machine but its own folders and inputs.
        """
        prefixes = Path(self.holds.site).parents[2:3] if self.holds.site else ()
        places = (*prefixes, *(Path(target) for _, target in self._covering()))
        known = tracing.below(*reach.own(trial, places), "/tmp")  # noqa: S108 - its own
        return tracing.observed(trial, tracing.find(self.caller), known, image=True)

    def _job(self, trial: TrialRun) -> Job:
        if not trial.command.steps:
            raise RerunError("running the trial: the command has no steps", "write the command")
        env = self._environment(trial)
        unset = sorted(name for name, value in env.items() if not value and _NAME.fullmatch(name))
        steps = [(str(folder_of(trial, step)), self._what(step)) for step in trial.command.steps]
        return Job(
            image=self.image,
            script=self._script(trial, steps, unset),
            env={name: value for name, value in env.items() if value},
            user=user_of(self.engine),
            folder=str(trial.tree.resolve()),
            mounts=tuple(self._mounts(trial)),
            limits=self.limits,
            timeout_s=trial.timeout_s,
            deadline=self.holds.deadline,
            entrypoint=self.holds.entrypoint,
        )

    def _script(
        self, trial: TrialRun, steps: list[tuple[str, tuple[str, ...] | str]], unset: list[str]
    ) -> str:
        """What /bin/sh runs; observed by the machine's strace, which needs no more rights than a
        container has.
        """
        script = docker_container.steps_script(steps, unset)
        if trial.trace is None:
            return script
        tracer = tracing.carried(tracing.find(self.caller), trial)
        return f"exec {shlex.join(tracing.around(('/bin/sh', '-c', script), trial, tracer))}\n"

    def _what(self, step: Step) -> tuple[str, ...] | str:
        if not isinstance(step.run, Argv):
            return step.run.line
        if not step.run.args:
            raise RerunError("running the trial: a step is empty", "write the command")
        program, *rest = step.run.args
        name = Path(program).name
        if PYTHON.fullmatch(name):
            return self.holds.program or name, *rest
        if name.endswith(".py"):
            return self.holds.program or "python", program, *rest
        # The absolute path that a program had where it was recorded is another machine's.
        return (name if program.startswith("/") else program), *rest

    def _environment(self, trial: TrialRun) -> dict[str, str]:
        recorded, given = (
            {key: value for key, value in named.items() if key not in _OURS}
            for named in (trial.command.env, trial.env)
        )
        who = self.caller.get("USER") or self.caller.get("LOGNAME") or "reprocheck"
        env = {
            "HOME": str(trial.home.resolve()),
            "TMPDIR": str(trial.home.resolve() / "tmp"),
            "USER": who,  # PyTorch fails without a name where the uid has no passwd entry
            "LOGNAME": who,
            "PYTHONUNBUFFERED": "1",  # so that the log is live, and complete after a kill
        }
        env |= {"PYTHONUSERBASE": self.holds.user_base} if self.holds.user_base else {}
        if self._bundle():
            env |= dict.fromkeys(docker_secrets.BUNDLE_NAMES, docker_secrets.BUNDLE)
        env |= {**recorded, **given}
        paths = [each.get("PYTHONPATH", "") for each in (given, recorded)] + [self.holds.pythonpath]
        joined = ":".join(dict.fromkeys(path for path in paths if path))
        return env | ({"PYTHONPATH": joined} if joined else {})

    def _bundle(self) -> Path | None:
        """The machine's certificates, for trials that may use the network: a company's proxy has
        a root of its own.
        """
        found = docker_secrets.certificates(self.caller) if self.limits.network else None
        return found.resolve() if found else None

    def _covering(self) -> Iterator[tuple[str, str]]:
        """What of the tree is mounted over the image's copy of the code, and where."""
        for cover in self.covers:
            for name in cover.mounts:
                yield name, cover.path if name == "." else f"{cover.path}/{name}"

    def _mounts(self, trial: TrialRun) -> Iterator[Mount]:
        tree = trial.tree.resolve()
        yield Mount(source=str(tree), writable=True)
        for name, target in self._covering():
            yield Mount(source=str(tree / name), target=target, writable=True)
        if bundle := self._bundle():
            yield Mount(source=str(bundle), target=docker_secrets.BUNDLE)
        yield Mount(source=str(trial.home.resolve()), writable=True)
        for objects in reach.alternates(trial.tree):
            yield Mount(source=str(objects))
        for each in trial.shown:
            reach.refuse_cover(each, tuple(reach.folders(trial)))
            yield Mount(source=str(each.source.resolve()), target=each.target)
        if trial.trace is not None:
            yield Mount(source=str(trial.trace.resolve()), writable=True)
        if trial.tracking is not None and trial.tracking.is_dir():
            yield Mount(source=str(trial.tracking.resolve()), writable=True)
            injected = trial.tracking.resolve() / "injected"
            if injected.is_dir():
                yield Mount(source=str(injected))
                if self.holds.site:  # also where a command overwrites PYTHONPATH
                    hook = injected / "reprocheck_redirect.pth"
                    hook.write_text(REDIRECT)
                    yield Mount(source=str(hook), target=f"{self.holds.site}/{hook.name}")


# --- who the trial is ---------------------------------------------------------------------


def user_of(engine: Engine) -> str:
    """Never the machine's root: the caller; for root somebody who is nobody there. A rootless
    engine's root is the caller.
    """
    if engine.rootless:
        return "0:0"
    if os.getuid() == 0:
        return f"{NOBODY}:{NOBODY}"
    return f"{os.getuid()}:{os.getgid()}"


def _hand_over(trial: TrialRun, user: str) -> None:
    """Gives the trial's folders to the container's user."""
    (trial.home / "tmp").mkdir(parents=True, exist_ok=True)
    (trial.home / docker_container.MISSING).unlink(missing_ok=True)
    if os.getuid() == 0:
        owner = int(user.partition(":")[0])
        for folder in filter(Path.is_dir, reach.folders(trial)):
            _own(folder, owner)


def _take_back(trial: TrialRun) -> None:
    """Makes sure that all of it can be read and removed, whatever modes the trial left."""
    for folder in filter(Path.is_dir, reach.folders(trial)):
        if os.getuid() == 0:
            _own(folder, 0)
        _open(folder)
        for root, folders, _ in os.walk(folder):  # before it looks into them
            for name in folders:
                _open(Path(root, name))


def _open(folder: Path) -> None:
    with contextlib.suppress(OSError):
        mode = folder.lstat().st_mode
        if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
            folder.chmod(mode | stat.S_IRWXU)


def _own(folder: Path, owner: int) -> None:
    os.chown(folder, owner, owner)
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(root, name), owner, owner, follow_symlinks=False)


def _refuse_missing(trial: TrialRun, asked: str) -> None:
    missing = trial.home / docker_container.MISSING
    if missing.is_file():
        program = missing.read_text(errors="replace")[:200]
        raise RerunError(
            f"running {program}: the image has no such program",
            f"the environment ({asked}) lacks this program: name a complete environment file, or "
            "write the command into reprocheck.yaml",
        )
