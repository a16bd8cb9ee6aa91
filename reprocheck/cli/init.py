"""`reprocheck init`."""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import outputs, project
from reprocheck.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reprocheck.initial import Answers, Seen, Written

EXAMPLES = """\b
Examples:
  reprocheck init
  reprocheck init --metric accuracy --margin 0.005
  reprocheck init --yes --no-workflows

Exit codes: 0 written (also where all existed already), 2 wrong usage.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    tracking_uri: str | None
    experiment: str | None
    metric: str | None
    margin: str | None
    workflows: bool
    yes: bool


@click.command(
    short_help="Write a config, and workflows that verify pull requests and the best runs.",
    epilog=EXAMPLES,
)
@click.option("--tracking-uri", metavar="URI", help="MLflow tracking URI. [default: as found]")
@click.option("--experiment", metavar="NAME", help="The experiment whose runs count.")
@click.option("--metric", metavar="METRIC", help="The metric that counts most.")
@click.option(
    "--margin",
    metavar="VALUE",
    help="Largest difference of it that does not matter, as 0.005 or 1%.",
)
@click.option(
    "--workflows/--no-workflows",
    default=True,
    help="Write workflows for GitHub Actions. [default: yes, unless the project is on GitLab]",
)
@click.option("-y", "--yes", is_flag=True, help="Ask nothing; take what was found.")
def init(**given: Any) -> int:  # noqa: ANN401 - click's own types
    """Write reprocheck.yaml and the workflows for this repository, after looking at it.

    Looks for the tracker, an MLproject, DVC and what defines the environment; asks for what only
    you know, where it can ask. A file that exists is never touched.
    """
    from reprocheck import initial

    options = _Options(**given)
    root = project.root_of(None, Path.cwd(), os.environ)
    seen = initial.look(root, os.environ)
    _tell(seen)
    answers = _answers(options, seen, os.environ)
    seen = dataclasses.replace(seen, tracking_uri=answers.tracking_uri)
    _tell_written(seen, initial.write(root, initial.files(seen, answers)))
    return 0


def _tell(seen: Seen) -> None:
    from reprocheck.hostile import printable

    rows = (
        ("tracker", f"{seen.tracking_uri} ({seen.tracker_from})" if seen.tracking_uri else ""),
        ("command", seen.command_from or seen.script),
        ("environment", seen.environment_from),
        ("data", f"DVC{': ' if seen.remotes else ''}{', '.join(seen.remotes)}" * seen.has_dvc),
    )
    click.echo("Found here:")
    for label, text in rows:
        click.echo(f"  {label:<12} {printable(text) or 'nothing'}")


def _answers(options: _Options, seen: Seen, env: Mapping[str, str]) -> Answers:
    from reprocheck.initial import Answers
    from reprocheck.initial.metrics import Suggestion, suggest

    asking = not options.yes and sys.stdin is not None and sys.stdin.isatty()
    uri = options.tracking_uri or seen.tracking_uri
    if asking and not uri:
        uri = _ask("MLflow tracking URI (empty: later)", "")
    found = Suggestion()
    if options.metric is None and uri:
        named = options.tracking_uri or env.get("MLFLOW_TRACKING_URI") or uri
        found = suggest(named, options.experiment, seen.root)
    metric = options.metric or found.metric
    if asking and options.metric is None:
        metric = _ask("The metric that counts most (empty: later)", metric)
    margin = options.margin or ""
    if asking and metric and options.margin is None:
        margin = _ask(f"Largest difference of {metric} that does not matter (empty: later)", "")
    if margin and not metric:
        raise UsageError("--margin is of no metric", "name it with --metric")
    return Answers(
        tracking_uri=_public(uri),
        experiment=options.experiment or found.experiment,
        metric=metric,
        margin=margin,
        workflows=options.workflows,
    )


def _public(uri: str) -> str:
    from reprocheck.initial.looking import public_address

    address = public_address(uri)
    if address != uri:
        outputs.warn(
            "the tracker's user and password are not written into reprocheck.yaml: give them as "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    return address


def _ask(question: str, default: str) -> str:
    return str(click.prompt(question, default=default, show_default=bool(default))).strip()


def _tell_written(seen: Seen, written: Written) -> None:
    from reprocheck.initial.next_steps import next_steps

    for file in written.made:
        click.echo(f"wrote  {file.path}: {file.what}")
    for file in written.kept:
        click.echo(f"kept   {file.path}, which exists")
    for number, step in enumerate(next_steps(seen, written), start=1):
        click.echo(f"{number}. {step}")
