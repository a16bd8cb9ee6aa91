"""An image, ready to run trials: what is mounted where, and who may write it."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import cache, docker_container
from reprocheck.environments.base import TrialRun
from reprocheck.environments.docker_container import Job, Mount
from reprocheck.environments.docker_engine import Engine
from reprocheck.environments.docker_failures import ImageError
from reprocheck.environments.reach import alternates
from reprocheck.environments.sandbox import PYTHON, folder_of
from reprocheck.environments.venv import REDIRECT
from reprocheck.errors import RebuildError, RerunError
from reprocheck.model import Argv, BuiltEnvironment, Finding, Limits, Package, Step

NOBODY = 10001  # who the trial is where reprocheck itself is root: no user of the machine
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = frozenset({"PATH", "HOME", "TMPDIR"})  # a record's PATH is another machine's
# Understood by Python 2.7 and up; one line of JSON in the end, whatever a sitecustomize prints.
_PROBE = """
import json, platform, site, sys
try:
    from importlib.metadata import distributions
    found = [(d.metadata["Name"], d.version) for d in distributions()]
except ImportError:
    import pkg_resources
    found = [(d.project_name, d.version) for d in pkg_resources.working_set]
places = getattr(site, "getsitepackages", lambda: [])()
print("\\n" + json.dumps({"python": platform.python_version(), "site": places[:1],
      "base": getattr(site, "USER_BASE", None) or "", "packages": sorted(set(map(tuple, found)))}))
"""
_ASK = """
command -v timeout >/dev/null 2>&1 && echo has-timeout
for name in python python3; do
  command -v $name >/dev/null 2>&1 && echo "named $name" && exec $name -c '{probe}'
done
exit 0
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What an image holds, as far as it matters here."""

    deadline: bool = False  # whether it has `timeout`
    program: str = ""  # its Python's name; empty: it has none
    python: str = ""  # the version
    site: str = ""  # where its Python keeps packages
    user_base: str = ""  # where its user's own packages are
    packages: tuple[Package, ...] = ()

    @property
    def lock(self) -> str:
        """The packages as pins."""
        return "".join(f"{item.name}=={item.version}\n" for item in self.packages)


def contents(image: str, engine: Engine, folder: Path) -> Contents:
    """What an image holds, asked once: an image never changes.

    Raises `RebuildError` when it cannot run at all.
    """
    kept = folder / f"{image.rpartition(':')[2]}.json"
    with contextlib.suppress(OSError, ValueError):
        return _parsed(json.loads(kept.read_text())["said"])
    said = bytearray()
    job = Job(
        image=image,
        script=_ASK.replace("{probe}", _PROBE.replace("'", "'\\''")),
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        user="",  # the image's own: packages may be in its home
        folder="/",
        mounts=(),
        limits=Limits(),
        timeout_s=120,
        deadline=False,
    )
    ended = docker_container.run(job, engine, said.extend, None)
    output = said.decode(errors="replace")
    if ended.exit_code != 0:
        raise RebuildError(
            f"asking the image for its packages: it exited with {ended.exit_code}\n"
            f"{output[-2000:]}",
            "the image needs /bin/sh, and a Python that starts",
        )
    cache.write_whole(kept, json.dumps({"said": output}))
    return _parsed(output)


def _parsed(output: str) -> Contents:
    lines = output.splitlines()
    named = [line.removeprefix("named ") for line in lines if line.startswith("named ")]
    if not named:
        return Contents(deadline="has-timeout" in lines)
    said = json.loads(lines[-1])
    return Contents(
        deadline="has-timeout" in lines,
        program=named[0],
        python=said["python"],
        site="".join(said["site"]),
        user_base=said["base"],
        packages=tuple(
            Package(name=str(name), version=str(version)) for name, version in said["packages"]
        ),
    )


def check_gpus(image: str, engine: Engine, limits: Limits) -> None:
    """Starts a container that does nothing with the GPUs of the trials.

    Raises `ImageError` when the engine cannot hand them out: told before the trials, not by them.
    """
    if not limits.gpus:
        return
    job = Job(
        image=image,
        script="exit 0",
        env={},
        user="",
        folder="/",
        mounts=(),
        limits=limits,
        timeout_s=60,
        deadline=False,
    )
    docker_container.run(job, engine, lambda _: None, None)


@dataclass(frozen=True, kw_only=True, slots=True)
class DockerSandbox:
    """An image, ready to run trials in containers of it."""

    built: BuiltEnvironment
    findings: tuple[Finding, ...]
    image: str
    engine: Engine
    holds: Contents
    limits: Limits
    caller: Mapping[str, str]

    def changed(self) -> bool:
        """Never: an image cannot be written, and a container's own files are read-only."""
        return False

    def run(self, trial: TrialRun) -> process.Completed:
        """Runs the steps in one container and stops at the first that fails.

        Raises `RerunError` when a step cannot be started.
        """
        job = self._job(trial)
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

    def _job(self, trial: TrialRun) -> Job:
        if not trial.command.steps:
            raise RerunError("running the trial: the command has no steps", "write the command")
        env = self._environment(trial)
        unset = sorted(name for name, value in env.items() if not value and _NAME.fullmatch(name))
        steps = [(str(folder_of(trial, step)), self._what(step)) for step in trial.command.steps]
        return Job(
            image=self.image,
            script=docker_container.steps_script(steps, unset),
            env={name: value for name, value in env.items() if value},
            user=_user(self.engine),
            folder=str(trial.tree.resolve()),
            mounts=tuple(self._mounts(trial)),
            limits=self.limits,
            timeout_s=trial.timeout_s,
            deadline=self.holds.deadline,
        )

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
        env |= {**recorded, **given}
        paths = [given.get("PYTHONPATH", ""), recorded.get("PYTHONPATH", "")]
        joined = ":".join(dict.fromkeys(path for path in paths if path))
        return env | ({"PYTHONPATH": joined} if joined else {})

    def _mounts(self, trial: TrialRun) -> Iterator[Mount]:
        yield Mount(source=str(trial.tree.resolve()), writable=True)
        yield Mount(source=str(trial.home.resolve()), writable=True)
        for objects in alternates(trial.tree):
            yield Mount(source=str(objects))
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


def _user(engine: Engine) -> str:
    """Never the machine's root: the caller; for root somebody who is nobody there. A rootless
    engine's root is the caller.
    """
    if engine.rootless:
        return "0:0"
    if os.getuid() == 0:
        return f"{NOBODY}:{NOBODY}"
    return f"{os.getuid()}:{os.getgid()}"


def _folders(trial: TrialRun) -> Iterator[Path]:
    yield from (trial.tree, trial.home)
    if trial.tracking is not None and trial.tracking.is_dir():
        yield trial.tracking


def _hand_over(trial: TrialRun, user: str) -> None:
    """Gives the trial's folders to the container's user."""
    (trial.home / "tmp").mkdir(parents=True, exist_ok=True)
    (trial.home / docker_container.MISSING).unlink(missing_ok=True)
    if os.getuid() == 0:
        owner = int(user.partition(":")[0])
        for folder in _folders(trial):
            _own(folder, owner)


def _take_back(trial: TrialRun) -> None:
    if os.getuid() == 0:
        for folder in _folders(trial):
            _own(folder, 0)


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
