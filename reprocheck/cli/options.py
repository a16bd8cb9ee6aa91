"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

from reprocheck.model import Require

tracking_uri = click.option(
    "--tracking-uri",
    metavar="URI",
    help="MLflow tracking URI. [default: MLFLOW_TRACKING_URI, then tracker.uri in "
    "reprocheck.yaml, then sqlite:///mlflow.db where that exists]",
)
config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Config file. [default: reprocheck.yaml in the repository's root]",
)
margin = click.option(
    "--margin",
    metavar="METRIC=VALUE",
    multiple=True,
    help="Largest difference that does not matter: accuracy=0.005, loss=2% of the original, or "
    "accuracy=-0.01,+0.005 below and above. Repeatable.",
)
sigma = click.option(
    "--sigma",
    metavar="METRIC=SD",
    multiple=True,
    help="Run-to-run standard deviation known from elsewhere, as accuracy=0.004, or "
    "accuracy=0.004/9 for one of 9 degrees of freedom. Repeatable.",
)
gate = click.option(
    "--gate",
    metavar="METRIC",
    multiple=True,
    help="Judge this metric. Repeatable. [default: the config's, else the headline metrics]",
)
repo = click.option(
    "--repo",
    metavar="PATH_OR_URL",
    help="Git repository that has the run's commit. [default: the current one, else the "
    "recorded URL, else the current one's remotes]",
)
reruns = click.option(
    "--reruns",
    metavar="N",
    help="N: judge once, after N reruns. MIN..MAX: judge after each from MIN (3 at least) on, "
    "until the answer is sure. Bit-identical results end them at once. [default: 3..8]",
)
require = click.option(
    "--require",
    type=click.Choice([item.value for item in Require]),
    help="What exits 0: a verdict at least as good; criteria: every success criterion met, too. "
    "[default: consistent]",
)
json = click.option(
    "--json", metavar="FILE", help="Write the report as JSON; - is standard output."
)
markdown = click.option(
    "--markdown", metavar="FILE", help="Write the report as Markdown; - is standard output."
)
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Show every finding and more of the logs."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress, only the report.")
