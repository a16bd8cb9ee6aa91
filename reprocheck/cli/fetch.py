"""`reprocheck fetch`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project

if TYPE_CHECKING:
    from reprocheck.fetching import Fetched, FetchRequest

MOST = "10GB"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    bundle: Path
    tracking_uri: str | None
    repo: str | None
    config: Path | None
    remote: str | None
    ref: str | None
    max_size: str
    verbose: bool
    quiet: bool


EXAMPLES = """\b
Examples:
  reprocheck fetch 3f2a91 --bundle bundle
  reprocheck fetch 3f2a91 --bundle bundle --ref refs/pull/7/head
  reprocheck verify --bundle bundle

Exit codes: 0 the bundle is written, 2 wrong usage or config, no such run, 3 it could not be
written: the tracker or an input cannot be had, or the run's record cannot be verified.
"""


@click.command(
    short_help="Fetch a run, its artifacts and data for a verification without credentials.",
    epilog=EXAMPLES,
)
@click.argument("runs", metavar="RUN_ID...", nargs=-1, required=True)
@click.option(
    "--bundle",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; an older bundle there is replaced, anything else is not.",
)
@options.tracking_uri
@options.repo
@options.config
@click.option(
    "--remote",
    metavar="NAME",
    help="The DVC remote to fetch data from. [default: all of them, the default one first]",
)
@click.option(
    "--ref",
    metavar="REF",
    help="Where the remotes of the repository have the run's commit, as refs/pull/7/head of a "
    "fork's pull request. It is fetched into a clone of our own.",
)
@click.option(
    "--max-size",
    metavar="SIZE",
    default=MOST,
    help=f"The most that a bundle may have, as 500MB or 20GB. [default: {MOST}]",
)
@options.verbose
@options.quiet
def fetch(runs: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Fetch what a verification of RUN_ID needs, with credentials, into a folder that needs none.

    The run's record, its artifacts and its data, every file proved by its hash, are written;
    nothing of the project is executed. Tracker and remotes are those of the repository that is
    checked out here: an address that only the run or its commit names is refused.
    """
    from reprocheck import fetching

    parsed = _Options(**given)
    request = make_request(runs, parsed, os.environ)
    with outputs.progress(quiet=parsed.quiet) as told:
        fetched = fetching.fetch(request, told)
    outputs.echo(_shown(fetched, verbose=parsed.verbose))
    return 0


def make_request(runs: tuple[str, ...], given: _Options, env: Mapping[str, str]) -> FetchRequest:
    """What to fetch, from options, config and environment.

    Raises `UsageError`, `ConfigError` or `MissingStoreError`.
    """
    from reprocheck.config import parse_size
    from reprocheck.fetching import FetchRequest

    cwd = Path.cwd()
    root = project.root_of(given.repo, cwd, env)
    config = project.load_config(given.config, root)
    return FetchRequest(
        runs=runs,
        bundle=given.bundle,
        # Not that of a run's page among the names: a pull request may have named it.
        tracking_uri=project.tracking_uri(given.tracking_uri, (), config, (cwd, root), env),
        config=config,
        repo=given.repo,
        remote=given.remote,
        ref=given.ref or "",
        most=parse_size(given.max_size, "--max-size"),
        cwd=cwd,
        env=dict(env),
    )


def _shown(fetched: Fetched, *, verbose: bool) -> str:
    from reprocheck.hostile import printable, redact
    from reprocheck.model import Severity
    from reprocheck.numbers import counted, format_bytes

    lines = [
        f"{counted(len(fetched.run_ids), 'run')} with {counted(fetched.inputs, 'input')}, "
        f"{format_bytes(fetched.size)} in {fetched.folder}"
    ]
    lines += [
        f"  {finding.severity.value}: {finding.message} ({finding.code})"
        for finding in fetched.findings
        if verbose or finding.severity is not Severity.NOTE or finding.code == "hidden-in-bundle"
    ]
    command = f"reprocheck verify --bundle {fetched.folder}"
    several = len(fetched.run_ids) > 1
    lines.append(f"Verify without credentials: {command}{' RUN_ID' if several else ''}")
    return "".join(f"{printable(redact(line))}\n" for line in lines)
