"""Commands as reprocheck.yaml writes them."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reprocheck.errors import ConfigError


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTemplate:
    """One command with placeholders such as {params.lr}."""

    args: tuple[str, ...]
    cwd: str = "."
    name: str = ""  # of one of several
    outs: frozenset[str] | None = None  # paths that it makes; None: not said


def commands(value: str | list[Any] | None, place: str) -> tuple[StepTemplate, ...]:
    """The commands of a line, a list of arguments or a list of steps; `place` names it in errors.

    Raises `ConfigError`.
    """
    if value is None:
        return ()
    if isinstance(value, list) and isinstance(value[0], dict):
        steps = tuple(_step(step, number, place) for number, step in enumerate(value, start=1))
        if len({step.name for step in steps}) < len(steps):
            raise ConfigError(f"{place}: two steps have the same name", "name each differently")
        return steps
    return (StepTemplate(args=_arguments(value, place)),)


def _step(step: Mapping[str, Any], number: int, place: str) -> StepTemplate:
    outs = None if "outs" not in step else frozenset(map(posixpath.normpath, step["outs"]))
    outside = [out for out in outs or () if out.split("/")[0] in ("", ".", "..", ".git")]
    if outside:
        raise ConfigError(
            f"{place}: outs: '{outside[0]}' lies outside of the repository",
            "name paths relative to the repository's root",
        )
    return StepTemplate(
        args=_arguments(step["run"], place),
        cwd=step.get("cwd", "."),
        name=step.get("name", f"step {number}"),
        outs=outs,
    )


def _arguments(value: str | list[str], place: str) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(value)
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise ConfigError(f"{place}: {value!r}: {error}", "close the quotes") from error
