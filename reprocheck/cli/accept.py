"""`reprocheck accept`."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.errors import UnknownRunError

if TYPE_CHECKING:
    from reprocheck.model import Report


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    reason: str
    by: str | None
    metric: tuple[str, ...]
    report: Path | None
    reports: Path | None
    accepted: str | None
    dry_run: bool


EXAMPLES = """\b
Examples:
  reprocheck accept 3f2a91 --reason "scikit-learn 1.5 changed the solver's default"
  reprocheck accept 3f2a91 --metric accuracy --reason "agreed in the review" --dry-run
  reprocheck accept 3f2a91 --report report.json --reason "verified by the job" --by "Jo <jo@x.org>"

Exit codes: 0 it is accepted, or it reproduced so that there is nothing to accept, 2 wrong usage or
an unknown run, 3 it cannot be a baseline: nothing was measured, or too little.
"""


@click.command(short_help="Make a changed result the new baseline of its run.", epilog=EXAMPLES)
@click.argument("run_id")
@click.option("--reason", metavar="TEXT", required=True, help="Why the new result is right.")
@click.option(
    "--by",
    metavar="NAME",
    help="Who accepts it. [default: git's user.name and user.email, else the system's user]",
)
@click.option(
    "--metric",
    metavar="METRIC",
    multiple=True,
    help="Accept this metric only. Repeatable. [default: all judged metrics that changed]",
)
@click.option(
    "--report",
    metavar="REPORT.json",
    type=click.Path(path_type=Path),
    help="Accept what this report found. [default: the newest report of the run that is kept]",
)
@options.reports
@click.option(
    "--accepted",
    metavar="FILE",
    help="The file that keeps it. [default: reprocheck.baseline.json in the repository's root]",
)
@click.option("--dry-run", is_flag=True, help="Show what would be accepted; write nothing.")
def accept(run_id: str, **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Accept what the last verification of RUN_ID found as the run's new baseline.

    RUN_ID is the run's id, or an unambiguous beginning of it. The judged metrics that did not
    reproduce get the values of the reruns as their baseline: from then on `verify` compares with
    these, and says so. Who accepted which values, when and why is added to
    reprocheck.baseline.json. Commit that file: on a pull request only what is on the base branch
    counts.
    """
    from reprocheck import accepted, accepting
    from reprocheck.reporters import accept_terminal

    parsed = _Options(**given)
    root = project.root_of(None, Path.cwd(), os.environ)
    path = Path(parsed.accepted) if parsed.accepted else root / accepted.FILE_NAME
    by = parsed.by if parsed.by is not None else _user(root, os.environ)
    decided = accepting.decision(by, datetime.now(UTC), parsed.reason, parsed.metric)
    counting = accepted.load(path)
    report = _report(run_id, parsed)
    found = accepting.accept(report, decided, counting)
    if found is None:
        outputs.echo(f"Nothing to accept: the run reproduced ({report.verdict}).\n")
        return 0
    if not parsed.dry_run:
        accepted.write(path, accepted.added(counting, found))
    name = os.path.relpath(path)
    outputs.echo(accept_terminal.render(found, report, name=name, dry_run=parsed.dry_run))
    return 0


def _report(asked: str, given: _Options) -> Report:
    """The report that is named, else the newest one of the run. Raises `ReprocheckError`."""
    from reprocheck.report_reading import read_report
    from reprocheck.report_store import ReportStore, default_folder

    if given.report is None:
        store = ReportStore(given.reports or default_folder())
        return store.newest(store.run_named(asked))
    report = read_report(given.report)
    run_id = report.record.ref.run_id if report.record else report.asked
    if not asked or not run_id.startswith(asked.removeprefix("runs:/")):
        raise UnknownRunError(
            f"{given.report} is of run {run_id}, not of {asked!r}", "name that run, or its report"
        )
    return report


def _user(root: Path, env: Mapping[str, str]) -> str:
    """Who works here, as git would sign a commit."""
    from reprocheck.git import Git

    git = Git(root, env)
    name, email = (git.text("config", "--get", key, trusting=True) for key in _SIGNATURE)
    if name:
        return f"{name} <{email}>" if email else name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in a container
        return f"user {os.getuid()}"


_SIGNATURE = ("user.name", "user.email")
