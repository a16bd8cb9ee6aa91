"""Runs a command with capture switched on, and knows which runs it logged."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reprocheck import process
from reprocheck.errors import UsageError
from reprocheck.git import Git, last_lines
from reprocheck.recording.base import Asked, Situation
from reprocheck.recording.foresight import OFF, with_capture
from reprocheck.recording.pushed import remotes

RUNS_FILE = "REPROCHECK_RUNS_FILE"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
_WRITING_S = 600.0
_PUSHING_S = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A run that a command logged."""

    run_id: str
    uri: str  # of its store; may hold a password


def train(asked: Asked, capture: Path, notes: Path) -> tuple[process.Completed, tuple[Noted, ...]]:
    """Runs the command on the caller's own terminal, and tells the runs that it started or resumed.

    Raises `UsageError` where it cannot start.
    """
    notes.touch()
    env = {**with_capture(asked.env, capture), RUNS_FILE: str(notes)}
    call = process.Call(argv=asked.argv, cwd=asked.cwd, env=env)
    try:
        done = process.attend(call)
    except (FileNotFoundError, PermissionError) as error:
        raise UsageError(
            f"starting {asked.argv[0]}: {error.strerror}",
            "write the command as it is typed, after --: reprocheck record -- python train.py",
        ) from error
    text = _read(notes)
    _tell_above(text, asked.env.get(RUNS_FILE))
    return done, _noted(text)


def _read(notes: Path) -> str:
    try:
        return notes.read_text(encoding="utf-8", errors="replace")
    except OSError:  # the training may remove what it likes
        return ""


def _tell_above(text: str, file: str | None) -> None:
    """Tells a `reprocheck record` around this one."""
    if file and text and Path(file).is_file():
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(text)


def _noted(text: str) -> tuple[Noted, ...]:
    """Each once, in the order of their starts; a training may write anything into the file."""
    found: dict[str, Noted] = {}
    for line in text.splitlines():
        run_id, _, uri = line.partition("\t")
        if _ID.fullmatch(run_id):
            found.setdefault(run_id, Noted(run_id=run_id, uri=uri))
    return tuple(found.values())


def exit_code(done: process.Completed) -> int:
    """The command's own, as a shell tells it."""
    return done.exit_code if done.exit_code >= 0 else 128 - done.exit_code


def create(
    situation: Situation,
    done: process.Completed,
    python: tuple[str, ...] | None,
    places: tuple[Path, Path],
) -> tuple[Noted | None, str]:
    """A run for a command that logged none, by its own MLflow, else by ours; and what went wrong.

    `places` are capture's folder, and one for what is asked.
    """
    capture, folder = places
    files = situation.foreseen.folder
    if files is None:
        return None, "nothing was captured"
    asked = folder / "asked.json"
    asked.write_text(json.dumps(_run(situation, done)), encoding="utf-8")
    env = {**with_capture(situation.asked.env, capture), OFF: "off"}  # it writes another's record
    pythons = (
        [python, (sys.executable,)] if python and _has_mlflow(situation) else [(sys.executable,)]
    )
    why = ""
    for each in filter(None, pythons):
        made = _made(
            (*each, "-m", "reprocheck_capture.created", str(asked), str(files)), situation, env
        )
        if isinstance(made, Noted):
            return made, ""
        why = why or made
    return None, why


def _has_mlflow(situation: Situation) -> bool:
    names = (line.partition("==")[0] for line in situation.foreseen.freeze)
    return any(name in ("mlflow", "mlflow-skinny") for name in names)


def _run(situation: Situation, done: process.Completed) -> Mapping[str, object]:
    status = "FINISHED" if done.exit_code == 0 else "KILLED" if done.exit_code < 0 else "FAILED"
    tags = {
        **situation.foreseen.tags,
        "mlflow.source.name": Path(situation.asked.argv[0]).name,
        "reprocheck.exit_code": str(exit_code(done)),
    }
    return {"tags": tags, "duration_s": done.duration_s, "status": status}


def _made(argv: Sequence[str], situation: Situation, env: Mapping[str, str]) -> Noted | str:
    call = process.Call(argv=tuple(argv), cwd=situation.asked.cwd, env=env, timeout_s=_WRITING_S)
    try:
        made = process.run(call)
    except OSError as error:
        return f"{argv[0]}: {error.strerror}"
    found = _noted(made.stdout.decode(errors="replace"))
    if made.exit_code == 0 and found:
        return found[-1]
    return last_lines(made.stderr, 1)


def keep_ref(situation: Situation, run_id: str) -> tuple[str, str]:
    """Pushes the commit as the run's ref: the command that does it, and why it failed or ""."""
    commit = situation.foreseen.commit
    names = remotes(situation) or ["origin"]
    refspec = f"{commit}:refs/reprocheck/{run_id}"
    git = Git(situation.git.folder, situation.asked.env, timeout_s=_PUSHING_S)
    command = f"git push {names[0]} {refspec}"
    if not commit:
        return command, "there is no commit"
    done = git("push", "--quiet", "--", names[0], refspec, trusting=True, check=False)
    if done.exit_code == 0:
        return command, ""
    return command, last_lines(done.stderr, 2)
