"""GitHub's workflow commands: lines on standard output that the runner acts on."""

from __future__ import annotations

import contextlib
import enum
import secrets
from collections.abc import Callable, Iterator

from reprocheck.hostile import cut, printable, redact
from reprocheck.workflow_log import END_GROUP, GROUP, escaped

Say = Callable[[str], None]  # writes a line

LONGEST = 4_000
"""Characters of an annotation."""


class Level(enum.StrEnum):
    """How an annotation is shown."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


def annotation(level: Level, message: str, title: str) -> str:
    """The command that makes an annotation; texts may be anybody's."""
    told = escaped(cut(printable(redact(message)), LONGEST))
    return f"::{level.value} title={_escaped_property(cut(printable(title), 200))}::{told}"


@contextlib.contextmanager
def group(say: Say, title: str) -> Iterator[None]:
    """Folds what is printed in the block."""
    say(f"{GROUP}{escaped(printable(title))}")
    try:
        yield
    finally:
        say(END_GROUP)


@contextlib.contextmanager
def unheeded(say: Say) -> Iterator[None]:
    """In the block the runner acts on no command: what is printed there may be a training's."""
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    try:
        yield
    finally:
        say(f"\n::{token}::")  # the last line may have had no end


def _escaped_property(text: str) -> str:
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
