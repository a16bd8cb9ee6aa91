"""`reprocheck validate`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.cli.outputs import STDOUT, Outputs
from reprocheck.errors import RecordFileError, UsageError
from reprocheck.model import Grade, Severity

if TYPE_CHECKING:
    from reprocheck.model import Validation
    from reprocheck.validation import Request


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    tracking_uri: str | None
    repo: str | None
    config: Path | None
    strict: bool
    json: str | None
    format: str
    verbose: bool

    def check(self) -> None:
        """Refuses, before anything is read, what could not be written. Raises `UsageError`."""
        outputs.check(Outputs(json=self.json, markdown=None, verbose=False, quiet=True))
        if self.json == STDOUT and self.format == "github":
            raise UsageError(
                "--json - and --format github cannot both have standard output",
                "name a file for the JSON",
            )


EXAMPLES = """\b
Examples:
  reprocheck validate 3f2a91
  reprocheck validate record.json --json -
  reprocheck validate 3f2a91 --format github --strict

Exit codes: 0 no finding is an error, 2 wrong usage or config, no such run, or a file that holds no
record, 3 a finding is an error, or with --strict a warning.
"""


@click.command(short_help="Judge a run's record, and name the line that mends it.", epilog=EXAMPLES)
@click.argument("run", metavar="RUN_ID|FILE")
@options.tracking_uri
@options.repo
@options.config
@click.option("--strict", is_flag=True, help="Exit 3 for warnings, too.")
@click.option("--json", metavar="FILE", help="Write the answer as JSON; - is standard output.")
@click.option(
    "--format",
    type=click.Choice(["text", "github"]),
    default="text",
    help="text; github: annotations of GitHub Actions. [default: text]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show where each fact was found, too.")
def validate(run: str, **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Judge the record of a run before anything is checked out, built or rerun.

    RUN_ID is a run of the tracker as verify takes it, FILE a record (schemas/run.schema.json) or a
    report.json, whose record counts; - is standard input. The first line is the grade: verifiable,
    verifiable with caveats, not verifiable. Each finding names what is wrong, where in the record,
    and where one line mends it, that line.
    """
    from reprocheck.validation import validate as judged

    parsed = _Options(**given)
    parsed.check()
    with _file_of(run) as file:
        answer = judged(make_request(run, file, parsed, os.environ))
    _write(answer, parsed)
    return exit_code(answer, strict=parsed.strict)


def exit_code(answer: Validation, *, strict: bool) -> int:
    """3 for an error among the findings, with `strict` for a warning, too."""
    told = {finding.severity for finding in answer.findings}
    refused = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return 3 if told & refused or (strict and answer.grade is not Grade.VERIFIABLE) else 0


def make_request(asked: str, file: Path | None, given: _Options, env: Mapping[str, str]) -> Request:
    """What to validate, from options, config and environment.

    Raises `UsageError`, `ConfigError` or `MissingStoreError`.
    """
    from reprocheck.validation import Request

    cwd = Path.cwd()
    root = project.root_of(given.repo, cwd, env)
    config = project.load_config(given.config, root)
    uri = ""
    if file is None:
        uri = project.tracking_uri(given.tracking_uri, (asked,), config, (cwd, root), env)
    return Request(
        asked=asked,
        file=file,
        tracking_uri=uri,
        config=config,
        root=root,
        env=dict(env),
    )


@contextlib.contextmanager
def _file_of(asked: str) -> Iterator[Path | None]:
    """The file that is meant, of standard input a copy; None for a run of the tracker."""
    from reprocheck.record_files import LARGEST, names_file
    from reprocheck.validation import STDIN

    if asked != STDIN:
        yield Path(asked) if names_file(asked) or Path(asked).is_dir() else None
        return
    from reprocheck.temporary import temporary_folder

    if sys.stdin is None:
        raise UsageError("there is no standard input", "name a run or a file")
    with temporary_folder() as folder:
        copy = folder / "standard-input"
        copy.write_bytes(sys.stdin.buffer.read(LARGEST + 1))
        try:
            yield copy
        except RecordFileError as error:
            told = error.message.replace(str(copy), "standard input")
            raise RecordFileError(told, error.hint) from error


def _write(answer: Validation, given: _Options) -> None:
    from reprocheck.reporters import validation_github, validation_json, validation_terminal
    from reprocheck.validation import located

    def shown(width: int, color: bool) -> str:
        if given.format == "github":
            return validation_github.render(located(answer))
        return validation_terminal.render(answer, width=width, color=color, verbose=given.verbose)

    document = validation_json.render(answer) if given.json else ""
    outputs.write_document("answer", given.json, document, shown)
