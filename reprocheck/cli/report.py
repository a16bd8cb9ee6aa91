"""`reprocheck report`."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck import hostile
from reprocheck.cli import options, outputs, project
from reprocheck.cli.outputs import STDOUT, Outputs
from reprocheck.errors import UsageError

if TYPE_CHECKING:
    from reprocheck.model import Check

PAGE = "report.html"
SHOWN = 5
"""Reports that are shown in full; of more, a line each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options(Outputs):
    """The command line, as click parsed it."""

    post: bool
    write_back: bool
    tracking_uri: str | None
    quiet: bool = True


EXAMPLES = """\b
Examples:
  reprocheck report report.json
  reprocheck report report.json --markdown - >> "$GITHUB_STEP_SUMMARY"
  reprocheck report reports/*.json --html
  reprocheck report report.json --junit junit.xml --sarif report.sarif
  reprocheck report report.json --write-back

Exit codes: 0 it was rendered, whatever its verdict, 2 a file is no report, or a broken one,
3 --write-back was refused.
"""


@click.command(
    short_help="Render reports that verify wrote, or the check of a job, once more.",
    epilog=EXAMPLES,
)
@click.argument(
    "files", metavar="REPORT.json...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@options.json
@options.markdown
@click.option(
    "--html",
    metavar="[FILE]",
    is_flag=False,
    flag_value=PAGE,
    help=f"Write a page of the report, or of all of them: {PAGE} where no FILE is named; - is "
    "standard output.",
)
@options.junit
@options.sarif
@options.csv
@options.verbose
@click.option(
    "--post",
    is_flag=True,
    help="In a job of a pull request on GitHub or a merge request on GitLab: also write the one "
    "comment there, and the job's summary. Reads GITHUB_* and GITHUB_TOKEN, or CI_* and "
    "REPROCHECK_GITLAB_TOKEN; INPUT_COMMENT_MODE (always, changes, failures, off) and "
    "INPUT_COMMENT_KEY; REPROCHECK_HTML_URL, where the report's page is. What cannot be posted is "
    "a warning.",
)
@click.option(
    "--write-back",
    is_flag=True,
    help="Write the verdict into the tracker: tags of the run and of its registered models' "
    "versions, and the reruns as runs of an experiment beside the original's. Never of what a "
    "fork's job computed.",
)
@options.tracking_uri
def report(files: tuple[Path, ...], **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Render REPORT.json: the same text as verify gave, from the file alone. Several are rendered
    as one check.

    REPORT.json is what `reprocheck verify --json` wrote, or the check of a job, which may hold
    several reports (schemas/check.schema.json). It may come from anybody: it is read by its
    schema, up to 6 MB.
    """
    from reprocheck.check_reading import read_check
    from reprocheck.checks import merged

    parsed = _Options(**given)
    _check_names(parsed, files)
    check = merged([read_check(file) for file in files])
    if parsed.post:
        _post(check, parsed)
    else:
        _write(check, parsed)
    if parsed.html == PAGE:
        click.echo(f"The page: {PAGE}", err=True)
    return _write_back(check, parsed) if parsed.write_back else 0


def _check_names(told: Outputs, files: tuple[Path, ...]) -> None:
    """Refuses what would be written over a report: `--html *.json` names one.

    Raises `UsageError`.
    """
    read = {file.resolve() for file in files}
    for option, name in told.names.items():
        if name is None or name == STDOUT:
            continue
        if Path(name).resolve() in read or (option == "--html" and name.lower().endswith(".json")):
            raise UsageError(
                f"{option} {name} would be written over a report",
                f"name the reports before {option}, and another file behind it",
            )
    outputs.check(told)


def _write_back(check: Check, given: _Options) -> int:
    """Exit 3 where a report could not be written back; the tracker is never the report's word."""
    from reprocheck.action import commands, surroundings, writing_back

    cwd = Path.cwd()
    root = project.root_of(None, cwd, os.environ)
    config = project.load_config(None, root)
    named = given.tracking_uri or os.environ.get("INPUT_TRACKING_URI")
    uri = project.tracking_uri(named, (), config, (cwd, root), os.environ)
    around = surroundings.read(os.environ)
    in_job = around.kind is not surroundings.EventKind.OTHER

    def warn(line: str) -> None:
        told = hostile.printable(hostile.redact(line))
        line = commands.annotation(commands.Level.WARNING, told, "reprocheck write-back")
        click.echo(line if in_job else f"Warning: {told}", err=not in_job)

    def say(line: str) -> None:
        click.echo(line, err=True)

    done = writing_back.write_back(check, uri, around, warn)
    with commands.unheeded(say) if in_job and done.written else contextlib.nullcontext():
        for line in done.written:
            say(hostile.printable(line))
    return 3 if done.refused else 0


def _post(check: Check, given: _Options) -> None:
    """Also writes, between stop-commands: GitHub's runner would act on what a run's text says."""
    from reprocheck.action import posting
    from reprocheck.action.commands import unheeded

    is_github = bool(os.environ.get("GITHUB_REPOSITORY"))
    with unheeded(click.echo) if is_github else contextlib.nullcontext():
        _write(check, given)
    posting.post(check, os.environ, click.echo)


def _write(check: Check, given: _Options) -> None:
    names = given.names
    try:  # files first, as verify has it
        outputs.write_formats(check, names)
    finally:
        if STDOUT not in names.values():
            outputs.echo(_shown(check, verbose=given.verbose))


def _shown(check: Check, *, verbose: bool) -> str:
    from reprocheck.reporters import check_terminal

    width, color = outputs.screen()
    short = len(check.reports) > SHOWN and not verbose
    return check_terminal.render(check, width=width, color=color, verbose=verbose, short=short)
