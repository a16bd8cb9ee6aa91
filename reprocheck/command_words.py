"""The words of a command, and which option each belongs to."""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reprocheck.model import Argv, Command, ShellLine, Step

# A word of a shell line that says what it means: nothing is put in its place by the shell.
_SHELL_WORD = re.compile(r"""(?:[^\s'"\\;|&<>()]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+""")
_EXPANDED = frozenset("$`*?[{~#!")
_GIVEN = re.compile(r"(?P<key>[+~]{0,2}-{0,2}[A-Za-z_][\w.@/-]*=)(?P<value>.*)", re.DOTALL)
_NEGATIVE = re.compile(r"-\.?\d[\d.,eE+-]*")

Replace = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A value in a command."""

    key: str  # the option or key that it is given to; "": none
    value: str


def words(command: Command) -> Iterator[Word]:
    """All values of a command; the program of each step is none."""
    for step in command.steps:
        yield from values(line_of(step))


def line_of(step: Step) -> list[str]:
    """The words of a step, as far as they are known; the program is the first."""
    return list(step.run.args) if isinstance(step.run, Argv) else _shell_words(step.run.line)


def flags(line: list[str]) -> Iterator[str]:
    """The options of a line to which no value is given."""
    for index, word in enumerate(line):
        following = line[index + 1] if index + 1 < len(line) else "-"
        if _is_option(word) and not _GIVEN.fullmatch(word) and _is_option(following):
            yield word


def _is_option(word: str) -> bool:
    return word.startswith("-") and not _NEGATIVE.fullmatch(word)


def _shell_words(line: str) -> list[str]:
    """The words of a line that say what they mean, but for the files that it writes."""
    found = [match for match in _SHELL_WORD.finditer(line) if not _is_written(line, match.start())]
    return [plain for match in found if (plain := _plain(match[0])) is not None]


def _is_written(line: str, start: int) -> bool:
    return line[:start].rstrip().endswith(">")


def values(line: list[str]) -> Iterator[Word]:
    """The values of a line; its first word is the program."""
    before = ""
    for index, word in enumerate(line):
        given = _GIVEN.fullmatch(word)
        if index == 0 and given is None:
            continue
        if given is not None:
            yield Word(key=given["key"].strip("+~-="), value=given["value"])
        elif not _is_option(word):
            yield Word(key=before.strip("-"), value=word)
        before = word if _is_option(word) and given is None else ""


def replaced(command: Command, replace: Replace) -> Command:
    """The command with other values: whole words, and what stands behind `key=`."""
    steps = tuple(
        dataclasses.replace(step, run=_replaced_run(step.run, replace)) for step in command.steps
    )
    return Command(steps=steps, env={name: replace(text) for name, text in command.env.items()})


def _replaced_run(run: Argv | ShellLine, replace: Replace) -> Argv | ShellLine:
    if isinstance(run, Argv):
        return Argv(args=tuple(_replaced_word(word, replace) for word in run.args))

    def put(match: re.Match[str]) -> str:
        plain = _plain(match[0])
        new = plain if plain is None else _replaced_word(plain, replace)
        return match[0] if new is None or new == plain else shlex.quote(new)

    return ShellLine(line=_SHELL_WORD.sub(put, run.line))


def _replaced_word(word: str, replace: Replace) -> str:
    given = _GIVEN.fullmatch(word)
    return replace(word) if given is None else given["key"] + replace(given["value"])


def _plain(word: str) -> str | None:
    """What a word of a shell line means; None where only the shell can tell."""
    if _EXPANDED.intersection(word):
        return None
    try:
        return "".join(shlex.split(word))
    except ValueError:
        return None
