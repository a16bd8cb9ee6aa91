"""Runs a trial's steps with the programs of a Python environment."""

from __future__ import annotations

import dataclasses
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.environments import reach as reaching
from reprocheck.environments import tracing
from reprocheck.environments.base import Observed, TrialRun
from reprocheck.environments.cache import fingerprint
from reprocheck.environments.editable import Overlay
from reprocheck.environments.isolation import Isolation
from reprocheck.environments.reach import Reach
from reprocheck.errors import RerunError
from reprocheck.model import Argv, BuiltEnvironment, Finding, Step

PYTHON = re.compile(r"python(\d(\.\d+)?)?(\.exe)?")
# A user's name is no secret, and PyTorch fails without one where the uid has no passwd entry.
_PASSED = re.compile(
    r"(LANG|TZ|USER|LOGNAME|LD_LIBRARY_PATH|CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES)$|LC_"
)
# Neither a record nor pass_env can set these: another PATH would lead to another Python.
_OURS = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "VIRTUAL_ENV", "CONDA_PREFIX"),
        *("REPROCHECK_PREFIX", "REPROCHECK_PATHS"),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VenvSandbox:
    """A virtual environment, ready to run trials."""

    built: BuiltEnvironment
    findings: tuple[Finding, ...]
    folder: Path  # of the virtual environment
    env: Mapping[str, str]  # the caller's, of which an allow-list is used
    fingerprint: str  # of the folder, as it was built
    isolation: Isolation
    overlays: tuple[Overlay, ...] = ()
    activation: Mapping[str, str] | None = None  # what activating it sets; None: VIRTUAL_ENV
    needed: tuple[Path, ...] = ()  # other places that it reads

    @property
    def shows(self) -> bool:
        """Whether trials find what `TrialRun.shown` names: with bubblewrap."""
        return self.isolation.way is not None

    def changed(self) -> bool:
        """Whether a trial wrote into the environment; what ran later was not what was built."""
        written = fingerprint(self.folder) != self.fingerprint
        return written or any(each.changed() for each in self.overlays)

    def run(self, trial: TrialRun) -> process.Completed:
        """Runs the steps in order and stops at the first that fails; the timeout is for all.

        Raises `RerunError` when a step cannot be started.
        """
        deadline = time.monotonic() + trial.timeout_s
        env = self._environment(trial)
        paths = [path for each in self.overlays for path in each.lay(trial.tree)]
        if paths:
            env["REPROCHECK_PATHS"] = ":".join(paths)
        steps = trial.command.steps
        if not steps:
            raise RerunError("running the trial: the command has no steps", "write the command")
        done: list[process.Completed] = []
        reach = self._reach(trial)
        for step in steps:
            left_s = max(0.1, deadline - time.monotonic())
            call = process.Call(
                argv=self._argv(step), cwd=folder_of(trial, step), env=env, timeout_s=left_s
            )
            call = self._traced(call, trial)
            done.append(self._supervise(call, trial, reach))
            if done[-1].timed_out or done[-1].exit_code != 0:
                break
        return process.Completed(
            argv=done[-1].argv,
            exit_code=done[-1].exit_code,
            duration_s=sum(item.duration_s for item in done),
            stdout=b"".join(item.stdout for item in done)[-process.TAIL :],
            stderr=b"",
            timed_out=done[-1].timed_out,
        )

    def observed(self, trial: TrialRun) -> Observed:
        """What the trial read besides its folders, its inputs and the environment."""
        own = reaching.own(trial, (*self._places(), *reaching.programs(self.env)))
        known, hidden = tracing.below(*own), self.isolation.hidden(self._reach(trial))
        return tracing.observed(
            trial, tracing.find(self.env), lambda path: known(path) or hidden(path)
        )

    def _traced(self, call: process.Call, trial: TrialRun) -> process.Call:
        program = call.argv[0]  # one that is not there is told as such, not by what observes it
        found = shutil.which(
            str(call.cwd / program) if "/" in program else program, path=call.env["PATH"]
        )
        if found is None or trial.trace is None:
            return call
        argv = tracing.around(call.argv, trial, tracing.find(self.env))
        return dataclasses.replace(call, argv=argv)

    def _reach(self, trial: TrialRun) -> Reach:
        network = self.isolation.limits.network
        return reaching.of_trial(trial, self.env, self._places(), network=network)

    def _places(self) -> tuple[Path, ...]:
        """Where the environment is."""
        places = (place for each in self.overlays for place in (each.site, each.made))
        interpreter = reaching.interpreter(self.folder / "bin/python")
        return (self.folder, *interpreter, *places, *self.needed)

    def _supervise(self, call: process.Call, trial: TrialRun, reach: Reach) -> process.Completed:
        try:
            done = self.isolation.run(
                call,
                reach,
                lambda it: process.supervise(it, log=trial.log, on_tick=trial.on_tick),
            )
        except (FileNotFoundError, PermissionError) as error:
            raise RerunError(
                f"running {call.argv[0]}: {error.strerror}: {error.filename}",
                "the environment lacks this program: name a complete environment file, or write "
                "the command into reprocheck.yaml",
            ) from error
        except OSError as error:
            raise RerunError(
                f"running {call.argv[0]}: {error.strerror or error}",
                "free some space where the log is written, if the disk is full",
            ) from error
        return self._explained(done, trial, reach)

    def _explained(
        self, done: process.Completed, trial: TrialRun, reach: Reach
    ) -> process.Completed:
        """The same, with what the sandbox had to do with a failure, as the log's last line."""
        output = done.stdout.decode(errors="replace")
        why = self.isolation.explanation(output, reach) if done.exit_code != 0 else ""
        if not why:
            return done
        line = f"\n[reprocheck: {why}]\n".encode()
        with process.Log(trial.log) as log:
            log.write(line)
        return dataclasses.replace(done, stdout=done.stdout + line)

    def _argv(self, step: Step) -> tuple[str, ...]:
        if not isinstance(step.run, Argv):
            return "/bin/sh", "-c", step.run.line
        if not step.run.args:
            raise RerunError("running the trial: a step is empty", "write the command")
        program, *rest = step.run.args
        python = str(self.folder / "bin/python")
        name = Path(program).name
        if PYTHON.fullmatch(name):
            return python, *rest
        if name.endswith(".py"):
            return python, program, *rest
        # A name, or the absolute path that a program had where it was recorded.
        relative = "/" in program and not program.startswith("/")
        own = [str(folder / name) for folder in self._programs() if (folder / name).exists()]
        return (own[0] if own and not relative else program), *rest

    def _programs(self) -> tuple[Path, ...]:
        return (*(each.site / "bin" for each in self.overlays), self.folder / "bin")

    def _environment(self, trial: TrialRun) -> dict[str, str]:
        temporary = trial.home / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        recorded, given = (
            {key: value for key, value in named.items() if key not in _OURS}
            for named in (trial.command.env, trial.env)
        )
        env = {key: value for key, value in self.env.items() if _PASSED.match(key)}
        programs = ":".join(map(str, self._programs()))
        env |= {
            "PATH": f"{programs}:{self.env.get('PATH', '/usr/local/bin:/usr/bin:/bin')}",
            **({"VIRTUAL_ENV": str(self.folder)} if self.activation is None else self.activation),
            "REPROCHECK_PREFIX": str(self.folder),  # MLflow's hook compares it with its own
            "HOME": str(trial.home),
            "TMPDIR": str(temporary),
            "PYTHONUNBUFFERED": "1",  # so that the log is live, and complete after a kill
            "PYTHONNOUSERSITE": "1",
        }
        env |= {**recorded, **given}
        paths = [given.get("PYTHONPATH", ""), recorded.get("PYTHONPATH", "")]
        env["PYTHONPATH"] = ":".join(dict.fromkeys(path for path in paths if path))
        unset = {key for key in (*given, "PYTHONPATH") if not env[key]}
        return {key: value for key, value in env.items() if key not in unset}


def folder_of(trial: TrialRun, step: Step) -> Path:
    """Where a step runs.

    Raises `RerunError` for a folder outside of the tree, or that is not there.
    """
    root = trial.tree.resolve()
    folder = (root / step.cwd).resolve()
    if not folder.is_relative_to(root):
        raise RerunError(
            f"running the trial: the directory '{step.cwd}' is outside of the code's tree",
            "record or write a directory relative to the repository's root",
        )
    if not folder.is_dir():
        raise RerunError(
            f"running the trial: there is no directory '{step.cwd}' at the commit",
            "write the command and its directory into reprocheck.yaml",
        )
    return folder
