"""`reprocheck audit`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.cli.outputs import STDOUT

if TYPE_CHECKING:
    from reprocheck.audit.base import AuditRequest
    from reprocheck.model import Audit


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    experiment: tuple[str, ...]
    filter: str
    limit: int | None
    offline: bool
    tracking_uri: str | None
    repo: str | None
    config: Path | None
    json: str | None
    html: str | None
    csv: str | None
    verbose: bool
    quiet: bool

    @property
    def names(self) -> dict[str, str | None]:
        """Where each format goes."""
        return {"--json": self.json, "--html": self.html, "--csv": self.csv}


EXAMPLES = """\b
Examples:
  reprocheck audit --experiment churn
  reprocheck audit --filter "metrics.accuracy > 0.9 and params.lr = '0.1'"
  reprocheck audit --experiment churn --html audit.html --csv audit.csv
  reprocheck audit --offline --json - | jq .totals

Exit codes: 0 the runs were looked at, whatever their grades, 2 wrong usage, config or filter, no
such experiment or store, 3 the runs cannot be read.
"""


@click.command(
    short_help="Say how verifiable the runs of an experiment are, and why.", epilog=EXAMPLES
)
@click.option(
    "--experiment",
    metavar="NAME",
    multiple=True,
    help="Look at this experiment, by name or id. Repeatable. [default: tracker.experiment in "
    "reprocheck.yaml, else all]",
)
@click.option(
    "--filter", metavar="FILTER", default="", help="Only runs that MLflow's search filter selects."
)
@click.option(
    "--limit", metavar="N", type=click.IntRange(min=1), help="Look at the first N runs at most."
)
@click.option(
    "--offline",
    is_flag=True,
    help="Ask nobody but the tracker over the network: no git remote, no DVC remote, no artifact "
    "store. What is not known then is told.",
)
@options.tracking_uri
@options.repo
@options.config
@click.option("--json", metavar="FILE", help="Write the audit as JSON; - is standard output.")
@click.option("--html", metavar="FILE", help="Write the audit as a page of HTML.")
@click.option("--csv", metavar="FILE", help="Write a row for each run; - is standard output.")
@click.option("-v", "--verbose", is_flag=True, help="Show every run and finding.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the audit.")
def audit(**given: Any) -> int:  # noqa: ANN401 - click's own types
    """Grade recorded runs: verifiable now, verifiable with caveats, not verifiable, and why.

    Every run's record is judged as `reprocheck validate` judges it. Whether commits and data can
    be had is asked of repositories, DVC caches and remotes, each once; nothing is downloaded.
    What concerns the runs together is told too: evaluation data that differ, names that only some
    runs have, stores that only one machine can read. Nothing is written to any of these places.
    """
    from reprocheck.audit.auditing import audit as run_audit

    parsed = _Options(**given)
    outputs.check_names(parsed.names)
    request = make_request(parsed)
    with outputs.progress(quiet=parsed.quiet) as told:
        done = run_audit(request, told)
    _write(done, parsed)
    return 0


def make_request(given: _Options) -> AuditRequest:
    """What to look at. Raises `UsageError`, `ConfigError` or `MissingStoreError`."""
    from reprocheck.audit.base import AuditRequest

    cwd = Path.cwd()
    root = project.root_of(given.repo, cwd, os.environ)
    config = project.load_config(given.config, root)
    folders = (cwd, root)
    return AuditRequest(
        tracking_uri=project.tracking_uri(given.tracking_uri, (), config, folders, os.environ),
        cwd=cwd,
        env=dict(os.environ),
        config=config,
        repo=given.repo,
        experiments=given.experiment,
        filter=given.filter,
        limit=given.limit,
        offline=given.offline,
    )


def _write(done: Audit, given: _Options) -> None:
    if STDOUT not in given.names.values():
        from reprocheck.reporters import audit_terminal

        width, color = outputs.screen()
        outputs.echo(audit_terminal.render(done, width=width, color=color, verbose=given.verbose))
    streams = ((name, _stream(done, option)) for option, name in given.names.items())
    outputs.write_streams("audit", streams)


def _stream(done: Audit, name: str) -> Iterator[str]:
    """The pieces of a format; nothing is rendered before the first is asked for."""
    match name:
        case "--json":
            from reprocheck.reporters import audit_json

            yield from audit_json.chunks(done)
        case "--html":
            from reprocheck.reporters import audit_html

            yield audit_html.render(done)
        case _:
            from reprocheck.reporters import audit_csv

            yield audit_csv.render(done)
