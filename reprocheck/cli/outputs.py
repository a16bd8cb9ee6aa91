"""Where a report goes: files, standard output, the terminal and the exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reprocheck.errors import ReprocheckError, UsageError
from reprocheck.model import Check, Report, Stage

if TYPE_CHECKING:
    from reprocheck.progress import Progress

STDOUT = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outputs:
    """What the command line says about the report."""

    json: str | None
    markdown: str | None
    verbose: bool
    quiet: bool
    html: str | None = None
    junit: str | None = None
    sarif: str | None = None
    csv: str | None = None

    @property
    def names(self) -> dict[str, str | None]:
        """Where each format goes, by its option."""
        return {
            "--json": self.json,
            "--markdown": self.markdown,
            "--html": self.html,
            "--junit": self.junit,
            "--sarif": self.sarif,
            "--csv": self.csv,
        }


def check(outputs: Outputs) -> None:
    """Refuses, before anything is run, what could not be written at the end.

    Raises `UsageError`.
    """
    check_names(outputs.names)


def check_names(names: Mapping[str, str | None]) -> None:
    """Refuses what could not be written at the end, by the options that name it.

    Raises `UsageError`.
    """
    printed = [option for option, name in names.items() if name == STDOUT]
    if len(printed) > 1:
        raise UsageError(
            f"{' - and '.join(printed)} - cannot both have standard output", "name a file for one"
        )
    taken: dict[Path, str] = {}
    for option, name in names.items():
        if name is None or name == STDOUT:
            continue
        path = Path(name)
        other = taken.setdefault(path.resolve(), option)
        if other != option and (path.is_file() or not path.exists()):  # not /dev/null
            raise UsageError(
                f"{other} and {option} cannot both be written to {name}", "name two files"
            )
        folder = path.parent
        if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise UsageError(
                f"{name} cannot be written: {folder} is no writable directory, or it is one itself",
                "name a file in an existing directory",
            )


@contextlib.contextmanager
def progress(*, quiet: bool, stages: tuple[Stage, ...] = ()) -> Iterator[Progress]:
    """Progress on stderr, of these stages as far as they are known, or none."""
    from reprocheck.progress import Silent, Terminal

    if quiet or sys.stderr is None:
        yield Silent()
    else:
        with Terminal(sys.stderr, stages=stages) as terminal:
            yield terminal


def write(report: Report, outputs: Outputs) -> None:
    """Writes the report to where it was asked for, and to the terminal.

    Raises `ReprocheckError` when a file cannot be written.
    """
    from reprocheck.checks import alone
    from reprocheck.cli import formats
    from reprocheck.reporters import terminal

    try:  # files first: a terminal that is gone loses none
        asked = any(outputs.names.values())
        write_formats(alone(formats.written(report) if asked else report), outputs.names)
    finally:  # the verdict is told all the same
        if STDOUT not in outputs.names.values():
            width, color = screen()
            echo(terminal.render(report, width=width, color=color, verbose=outputs.verbose))


def write_formats(check: Check, names: Mapping[str, str | None]) -> None:
    """Writes the check in each format to where its option says; a format that is not asked for is
    not made.

    Raises `ReprocheckError` when a file cannot be written; the others were.
    """
    from reprocheck.cli.formats import FORMATS

    write_streams(
        "report", ((name, [FORMATS[option](check)]) for option, name in names.items() if name)
    )


def write_document(
    what: str, name: str | None, document: str, shown: Callable[[int, bool], str]
) -> None:
    """Writes a document that is no report to where --json says, and shows it in the terminal by
    width and colour, unless standard output has the document.

    Raises `ReprocheckError` when a file cannot be written; it was shown all the same.
    """
    if name == STDOUT:
        echo(document)
        return
    echo(shown(*screen()))
    write_streams(what, [(name, [document])])


def write_streams(what: str, streams: Iterable[tuple[str | None, Iterable[str]]]) -> None:
    """Writes documents piece by piece, each to the file that is named, or to standard output.

    Raises `ReprocheckError` when a file cannot be written; the others were.
    """
    unwritten = []
    for name, pieces in streams:
        if name == STDOUT:
            for piece in pieces:
                echo(piece)
        elif name is not None:
            try:
                with Path(name).open("w", encoding="utf-8", newline="") as file:
                    file.writelines(pieces)
            except OSError as error:
                unwritten.append(f"{name}: {error.strerror}")
    if unwritten:
        raise ReprocheckError(
            f"the {what} could not be written to {'; '.join(unwritten)}",
            "make room, or name another file",
        )


def warn(text: str) -> None:
    """Writes a warning to standard error, where there is one."""
    from reprocheck.hostile import printable, redact

    with contextlib.suppress(OSError):
        click.echo(f"Warning: {printable(redact(text))}", err=True)


def echo(text: str) -> None:
    """Writes to standard output; what its encoding lacks becomes something like it.

    Raises `ReprocheckError` when it cannot be written to.
    """
    from reprocheck.plain_characters import encodable

    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        # Also where it is no terminal the text has the colours that `screen` asked for.
        click.echo(encodable(text, encoding), nl=False, color=screen()[1])
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReprocheckError(f"writing to standard output failed: {error.strerror}") from error


def screen() -> tuple[int, bool]:
    """How many columns standard output has, and whether it gets colours."""
    from reprocheck.colors import wants_color

    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    color = wants_color(os.environ, is_terminal=is_terminal)
    if not is_terminal:
        return 80, color
    columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(60, min(columns, 120)), color
