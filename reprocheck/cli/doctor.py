"""`reprocheck doctor`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.cli.outputs import Outputs
from reprocheck.config import Config
from reprocheck.errors import ReprocheckError

if TYPE_CHECKING:
    from reprocheck.doctor import Answer, Request


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    tracking_uri: str | None
    repo: str | None
    config: Path | None
    json: str | None
    quiet: bool


EXAMPLES = """\b
Examples:
  reprocheck doctor
  reprocheck doctor --tracking-uri http://mlflow.example:5000 --json -

Exit codes: 0 nothing that is needed here is missing or broken, 2 wrong usage, 3 something is: a
thing that every verification needs (git, uv, a folder to write to), or that the config, the
repository's files, its DVC remotes or the tracker ask for.
"""


@click.command(
    short_help="Say what this machine offers to verifications, and what mends the rest.",
    epilog=EXAMPLES,
)
@options.tracking_uri
@options.repo
@options.config
@click.option("--json", metavar="FILE", help="Write the answer as JSON; - is standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the answer.")
def doctor(**given: Any) -> int:  # noqa: ANN401 - click's own types
    """Say what this machine offers to verifications: config, repository, tracker, DVC remotes, git,
    uv and its package index, Pythons, container engine, conda, bubblewrap, hardware and disk.

    Each line is OK, or names the command that mends it. WARNING: it works, or works in part.
    MISSING: it is not there, and nothing here needs it. ERROR: it is needed here. Nothing is
    written but temporary files; servers are asked one question each.
    """
    from reprocheck.doctor import examine

    parsed = _Options(**given)
    outputs.check(Outputs(json=parsed.json, markdown=None, verbose=False, quiet=parsed.quiet))
    request = make_request(parsed, os.environ)
    with _waiting(quiet=parsed.quiet) as tell:
        answer = examine(request, tell)
    _write(answer, parsed.json)
    return 3 if answer.broken else 0


def make_request(given: _Options, env: Mapping[str, str]) -> Request:
    """What to look at, from options, config and environment; never raises for what is wrong."""
    from reprocheck.doctor import Request

    cwd, config, config_error, uri = Path.cwd(), Config(), None, None
    root = cwd
    with contextlib.suppress(ReprocheckError):  # without git; its own line says so
        root = project.root_of(given.repo, cwd, env)
    try:
        config = project.load_config(given.config, root)
    except ReprocheckError as error:
        config_error = error
    with contextlib.suppress(ReprocheckError):  # none is named, as its line says
        uri = project.tracking_uri(given.tracking_uri, (), config, (cwd, root), env)
    return Request(
        root=root,
        repo=given.repo,
        env=dict(env),
        config=config,
        config_error=config_error,
        tracking_uri=uri,
    )


@contextlib.contextmanager
def _waiting(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """What is waited for, as a line that goes away; on a terminal only."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    with console.status("") as status:

        def tell(names: str) -> None:
            line = Text(f"looking at {names}")
            line.truncate(max(1, console.width - 3), overflow="ellipsis")
            status.update(line)

        yield tell


def _write(answer: Answer, name: str | None) -> None:
    from reprocheck.reporters import doctor_json, doctor_terminal

    outputs.write_document(
        "answer",
        name,
        doctor_json.render(answer),
        lambda width, color: doctor_terminal.render(answer, width=width, color=color),
    )
