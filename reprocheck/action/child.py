"""One run's verification in a process of its own: a defect in one must not lose the others."""

from __future__ import annotations

import re
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.action.commands import Say
from reprocheck.action.inputs import Inputs
from reprocheck.config import Config
from reprocheck.errors import ReprocheckError
from reprocheck.hostile import cut, printable, redact
from reprocheck.model import Problem, Report, Require
from reprocheck.workflow_log import END_GROUP, TOKEN, is_group, no_command

OPTIONS = ("repo", "reruns", "seeds", "require", "env", "timeout", "budget", "remote", "from")
"""Options of verify with one value, as the inputs are named."""
LISTED = ("margin", "sigma", "gate", "baseline")
"""Options that can be given several times: one value a line."""

# What the job may do is not for the training: tokens, and files by which the runner is told.
_KEPT_BACK = re.compile(r"INPUT_|GITHUB_|ACTIONS_|RUNNER_|GH_|CI_JOB_TOKEN")
_TOLD = re.compile(r"^Error: (?P<message>.*)(?:\nHint: (?P<hint>.*))?", re.MULTILINE)
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM, 128 + signal.SIGHUP)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A run to verify, and how."""

    run_id: str
    options: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]  # of the job
    folder: Path  # for the report and the logs


def options(
    inputs: Inputs, config: Path | None, bundle: str, base: Config | None = None
) -> tuple[str, ...]:
    """The command line of verify that the inputs ask for. Raises `UsageError`.

    What `base`, the config of a pull request's base branch, says of judging is left to it: the
    workflow is the pull request's own.
    """
    given = {name: inputs.text(name) for name in OPTIONS}
    given |= {"tracking-uri": "" if bundle else inputs.text("tracking-uri")}
    given |= {"require": ""} if base and base.require is not Require.CONSISTENT else {}
    given |= {"config": str(config or ""), "bundle": bundle, "reports": inputs.text("reports")}
    # As one word each: a value that begins with - is no option.
    words = [f"--{name}={value}" for name, value in given.items() if value]
    listed = ((name, value) for name in LISTED for value in inputs.lines(name))
    words += [
        f"--{name}={value}" for name, value in listed if not (base and _settles(base, name, value))
    ]
    return (*words, *(("--trace",) if inputs.flag("trace") else ()))


def _settles(base: Config, name: str, value: str) -> bool:
    """Whether the config says already what an input would say otherwise."""
    rule = base.metrics.get(value.rpartition("=")[0].strip())
    match name:
        case "margin":
            return rule is not None and rule.margin is not None
        case "sigma":
            return rule is not None and rule.sigma is not None
        case "gate":
            return any(each.gate is not None for each in base.metrics.values())
    return False


def training_env(env: Mapping[str, str]) -> dict[str, str]:
    """The job's variables without what a training has no business with.

    Trainings see an allow-list of these; but a config's `pass_env` can name any.
    """
    return {name: value for name, value in env.items() if not _KEPT_BACK.match(name)}


def verify(asked: Asked, say: Say) -> Report | Problem:
    """The report of a run, or why there is none; what is printed on the way goes to `say`, as
    lines of which only those that begin and end groups are commands to the runner.

    Raises `ReprocheckError` where no process can be started.
    """
    from reprocheck.report_reading import read_report

    asked.folder.mkdir(parents=True, exist_ok=True)
    path, log = asked.folder / "report.json", asked.folder / "output.log"
    shown = _Follower(say)
    call = process.Call(
        argv=(*_ourselves(), "verify", *asked.options, f"--json={path}", "--", asked.run_id),
        cwd=asked.cwd,
        env=training_env(asked.env) | {TOKEN: shown.token},
    )
    with log.open("wb+") as follower:
        done = process.supervise(call, log=log, on_tick=lambda: shown.copy(follower.read()))
        shown.copy(follower.read())
        shown.end()
    if done.exit_code in INTERRUPTED:
        return _interrupted(asked, done.exit_code)
    if path.is_file():
        try:
            return read_report(path)
        except ReprocheckError as error:
            return Problem(asked=asked.run_id, message=error.message, hint=error.hint, exit_code=1)
    return _without_report(asked, done)


def _ourselves() -> Iterator[str]:
    """Our own interpreter, which loads nothing from the directory that it works in."""
    yield sys.executable
    yield "-I" if sys.flags.isolated else "-P"
    yield from ("-m", "reprocheck")


def _interrupted(asked: Asked, exit_code: int) -> Problem:
    return Problem(
        asked=asked.run_id,
        message="the verification was interrupted",
        hint="run the job again",
        exit_code=exit_code,
    )


def _without_report(asked: Asked, done: process.Completed) -> Problem:
    """What kept it from beginning is told by its last words; anything else is a defect."""
    text = done.stdout.decode(errors="replace")
    told = list(_TOLD.finditer(text))
    if done.exit_code in (2, 3) and told:
        message, hint = told[-1]["message"], told[-1]["hint"] or ""
        return Problem(
            asked=asked.run_id,
            message=cut(printable(redact(message)), 1_000),
            hint=cut(printable(redact(hint)), 1_000),
            exit_code=done.exit_code,
        )
    killed = done.exit_code < 0
    return Problem(
        asked=asked.run_id,
        message=f"the verification was killed by signal {-done.exit_code}"
        if killed
        else f"a defect in reprocheck ended the verification (exit {done.exit_code})",
        hint="the machine may be out of memory" if killed else "the job's log shows the traceback",
        exit_code=3 if killed else 1,
    )


class _Follower:
    """Copies output to the job's log, line by line; groups are begun by a word of its own."""

    def __init__(self, say: Say) -> None:
        self.token = secrets.token_hex(16)
        self._say = say
        self._rest = b""
        self._is_open = False

    def copy(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace"))

    def end(self) -> None:
        if self._rest:
            self.copy(b"\n")
        if self._is_open:
            self._say(END_GROUP)

    def _line(self, line: str) -> None:
        command = line.removeprefix(self.token)
        if command != line and is_group(command):
            self._is_open = command != END_GROUP
            self._say(command)
        else:  # a runner breaks lines where Python would
            self._say("\n".join(map(no_command, line.splitlines())))
