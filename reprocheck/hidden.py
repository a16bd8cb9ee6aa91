"""What a bundle's record holds no more because it looks like a secret."""

from __future__ import annotations

from reprocheck.bundle_records import HIDDEN as CODE
from reprocheck.errors import SourceError
from reprocheck.hostile import HIDDEN, cut, printable
from reprocheck.model import Argv, Command, RunRecord
from reprocheck.schema import pointer


def is_hidden(record: RunRecord, parameter: str) -> bool:
    """Whether the value of a parameter is not known because the bundle hides it."""
    place = pointer(["parameters", parameter])
    return any(each.code == CODE and each.pointer == place for each in record.findings)


def refuse(command: Command, bundled: bool) -> None:
    """Raises `SourceError` for a command of a bundle's run in which something is hidden."""
    if not bundled:
        return
    for step in command.steps:
        words = step.run.args if isinstance(step.run, Argv) else (step.run.line,)
        for before, word in zip(("", *words), words, strict=False):
            if HIDDEN in word:
                told = cut(printable(f"{before} {word}".strip()), 200)
                raise _refused(f"an argument of the command is hidden in the bundle: {told}")
    for name, text in command.env.items():
        if HIDDEN in text:
            raise _refused(f"a variable of the command is hidden in the bundle: {printable(name)}")


def _refused(said: str) -> SourceError:
    return SourceError(
        f"{said}; the run cannot be started as it was",
        "give the command under command in reprocheck.yaml, with what is secret in a variable "
        "that pass_env names",
    )
