"""`reprocheck top`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.model import Direction

if TYPE_CHECKING:
    from reprocheck.action.inputs import Inputs
    from reprocheck.schedule.wishes import TopRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    experiment: tuple[str, ...]
    metric: str
    best: int | None
    direction: str | None
    model: tuple[str, ...]
    tag: tuple[str, ...]
    limit: int
    max_age: str
    reports: str | None
    tracking_uri: str | None
    config: Path | None
    json: str | None


EXAMPLES = """\b
Examples:
  reprocheck top --experiment churn --metric accuracy --best 10
  reprocheck top --model churn@champion --model churn/Production --tag release
  reprocheck top --metric loss --direction lower --max-age 30d --json matrix.json

Exit codes: 0 told, also where no run is to be verified; 2 wrong usage or config, no such
experiment, metric, model or store; 3 the tracker cannot be read.
"""


@click.command(short_help="Say which runs are worth verifying again.", epilog=EXAMPLES)
@click.option(
    "--experiment",
    metavar="NAME",
    multiple=True,
    help="Choose from this experiment, by name or id. Repeatable. [default: tracker.experiment in "
    "reprocheck.yaml, else all]",
)
@click.option(
    "--metric",
    metavar="METRIC",
    default="",
    help="Choose the best runs by this metric. [default: the metric that reprocheck.yaml gates, "
    "where that is one and neither --model nor --tag is given]",
)
@click.option(
    "--best",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many runs of each experiment. [default: 5]",
)
@click.option(
    "--direction",
    type=click.Choice([Direction.HIGHER.value, Direction.LOWER.value]),
    help="Which way the metric is better. [default: as the runs' experiment definition or "
    "reprocheck.yaml says, else as usual for such a name]",
)
@click.option(
    "--model",
    metavar="NAME[@ALIAS|/STAGE]",
    multiple=True,
    help="Choose the version of a registered model: of that alias, all of that stage, else the "
    "newest. Repeatable.",
)
@click.option(
    "--tag",
    metavar="NAME[=VALUE]",
    multiple=True,
    help="Choose the runs with this tag. Repeatable.",
)
@click.option(
    "--limit",
    metavar="N",
    type=int,
    default=50,
    show_default=True,
    help="Name N runs at most, up to 256.",
)
@click.option(
    "--max-age",
    metavar="DURATION",
    default="6d",
    show_default=True,
    help="Leave out what was verified in this time, and is as it was.",
)
@click.option(
    "--reports",
    metavar="DIR",
    help="Folder of earlier reports. [default: reprocheck/reports in the user's state folder]",
)
@options.tracking_uri
@options.config
@click.option(
    "--json", metavar="FILE", help="Write a matrix of jobs as JSON; - is standard output."
)
def top(**given: Any) -> int:  # noqa: ANN401 - click's own types
    """Name the recorded runs that are worth verifying again, the most urgent first.

    Only finished runs are chosen: the best by a metric, those behind registered models, those with
    a tag. First come runs whose last verification did not reproduce and was not confirmed yet, then
    those that were never verified, then those that were verified longest ago.
    """
    from datetime import UTC, datetime

    from reprocheck.reporters import top_json, top_terminal
    from reprocheck.schedule.top import top as chosen

    parsed = _Options(**given)
    outputs.check_names({"--json": parsed.json})
    found = chosen(make_request(parsed), datetime.now(UTC))
    if parsed.json == outputs.STDOUT or not found.chosen:
        for line in (top_terminal.headline(found), *top_terminal.left_out(found)):
            click.echo(line, err=True)
    document = top_json.render(found) if parsed.json else ""
    outputs.write_document(
        "matrix",
        parsed.json,
        document,
        lambda width, color: top_terminal.render(found, width=width, color=color),
    )
    return 0


def make_request(given: _Options) -> TopRequest:
    """What to choose. Raises `UsageError`, `ConfigError` or `MissingStoreError`."""
    from reprocheck.durations import parse_duration
    from reprocheck.report_store import default_folder
    from reprocheck.schedule import wishes

    cwd = Path.cwd()
    root = project.root_of(None, cwd, os.environ)
    config = project.load_config(given.config, root)
    return wishes.TopRequest(
        tracking_uri=project.tracking_uri(given.tracking_uri, (), config, (cwd, root), os.environ),
        config=config,
        reports=Path(given.reports) if given.reports else default_folder(),
        wishes=wishes.Wishes(
            experiments=given.experiment or ((config.experiment,) if config.experiment else ()),
            metric=given.metric,
            best=given.best or wishes.BEST,
            direction=Direction(given.direction or Direction.UNKNOWN),
            models=tuple(map(wishes.parse_model, given.model)),
            tags=tuple(map(wishes.parse_tag, given.tag)),
            limit=wishes.check_limit(given.limit),
            max_age_s=parse_duration(given.max_age, "--max-age"),
        ),
    )


def planned(inputs: Inputs, reports: Path) -> TopRequest:
    """What a job's inputs ask for, as the options of the same names. Raises as `make_request`."""
    from reprocheck.schedule.wishes import LIMIT, MAX_AGE

    directions = inputs.chosen("direction", (Direction.HIGHER.value, Direction.LOWER.value))
    config = inputs.text("config")
    return make_request(
        _Options(
            experiment=inputs.lines("experiment"),
            metric=inputs.text("metric"),
            best=inputs.number("best") or None,
            direction=directions[0] if directions else None,
            model=inputs.lines("model"),
            tag=inputs.lines("tag"),
            limit=inputs.number("limit") if inputs.text("limit") else LIMIT,
            max_age=inputs.text("max-age") or MAX_AGE,
            reports=str(reports),
            tracking_uri=inputs.text("tracking-uri") or None,
            config=Path(config) if config else None,
            json=None,
        )
    )
