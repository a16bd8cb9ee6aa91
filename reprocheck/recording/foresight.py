"""Asks capture, in the training's own interpreter, what a run of a command would record."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprocheck import process
from reprocheck.errors import ReprocheckError
from reprocheck.git import last_lines
from reprocheck.recording.base import ASKING_S, Asked, Foreseen
from reprocheck.recording.programs import ELSEWHERE, ignores_variables

PROBE = "reprocheck_capture.beforehand"
OFF = "REPROCHECK_CAPTURE"
PATH = "PYTHONPATH"
_ASKING_S = 120.0  # `uv run` may install first


def with_capture(env: Mapping[str, str], capture: Path) -> dict[str, str]:
    """The variables with capture switched on."""
    kept = {name: value for name, value in env.items() if name != OFF}
    return {**kept, PATH: os.pathsep.join(filter(None, (str(capture), env.get(PATH, ""))))}


def why_off(asked: Asked) -> str:
    """Why capture cannot be switched on from outside; "" where it can."""
    program = asked.argv[0]
    name = Path(program).name
    if name in ELSEWHERE:
        return f"{name} starts the training elsewhere"
    if not ignores_variables(asked.argv) or _has_capture(program, asked):
        return ""
    return f"the options -I and -E of {name} ignore PYTHONPATH"


def _has_capture(python: str, asked: Asked) -> bool:
    argv = (python, "-I", "-c", "import reprocheck_capture")
    call = process.Call(argv=argv, cwd=asked.cwd, env=asked.env, timeout_s=ASKING_S)
    try:
        return process.run(call).exit_code == 0
    except OSError:
        return False


def foresee(
    asked: Asked, script: Path | None, python: tuple[str, ...] | None, places: tuple[Path, Path]
) -> tuple[Foreseen, str]:
    """What would be recorded, and why the training's Python could not tell it, "" where it could.

    `places` are capture's folder, and an empty one for the files of the record.
    """
    why = "there is no Python on the PATH"
    if python:
        why = _ask(asked, script, python, places)
    if not why:
        return _read(places[1], own=True), ""
    failure = _ask(asked, script, (sys.executable,), places)
    if failure:
        raise ReprocheckError(
            f"finding out what would be recorded failed: {failure}",
            "run the command without `reprocheck record`, and report this",
        )
    return _read(places[1], own=False), why


def _ask(
    asked: Asked, script: Path | None, python: tuple[str, ...], places: tuple[Path, Path]
) -> str:
    """Why it could not be told; "" where it was."""
    capture, folder = places
    named = str(script) if script else ""
    call = process.Call(
        argv=(*python, "-m", PROBE, str(folder), named, "--", *asked.argv),
        cwd=asked.cwd,
        env=with_capture(asked.env, capture),
        timeout_s=_ASKING_S,
    )
    try:
        done = process.run(call)
    except OSError as error:
        return f"{python[0]}: {error.strerror}"
    if done.timed_out:
        return f"{python[0]} did not answer in {_ASKING_S:.0f} s"
    return "" if done.exit_code == 0 else f"{python[0]}: {last_lines(done.stderr, 1)}"


def _read(folder: Path, *, own: bool) -> Foreseen:
    told: Any = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    return Foreseen(
        root=Path(told["root"]) if told["root"] else None,
        commit=told["commit"],
        dirty=told["dirty"],
        whole=told["whole"],
        kept=frozenset(told["kept"]),
        listed=tuple(told["listed"]),
        seeds=told["seeds"],
        freeze=tuple(told["freeze"]) if own else (),
        from_conda=frozenset(told["from_conda"]),
        search=tuple(map(Path, told["path"])) if own else (),
        missing=told["missing"],
        own=own,
        tags=told["tags"],
        folder=folder / "reprocheck",
    )
