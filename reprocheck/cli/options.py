"""Options that several commands have, and what click made of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from reprocheck import config as configuration
from reprocheck import metric_rules
from reprocheck.config import Overrides
from reprocheck.model import Require, SeedPolicy

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgingOptions:
    """What is judged and how: of every command that judges recorded values."""

    tracking_uri: str | None
    config: Path | None
    seeds: str | None
    baseline: tuple[str, ...]
    margin: tuple[str, ...]
    sigma: tuple[str, ...]
    gate: tuple[str, ...]

    @property
    def seed_policy(self) -> SeedPolicy | None:
        """None: not named."""
        return SeedPolicy(self.seeds) if self.seeds else None

    def rules(self) -> Overrides:
        """The metrics' rules among the options. Raises `UsageError`."""
        return Overrides(
            margins=tuple(metric_rules.parse_margin(text) for text in self.margin),
            sigmas=tuple(metric_rules.parse_sigma(text) for text in self.sigma),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOptions(JudgingOptions):
    """Of every command that reruns a recorded run, or says what that would take."""

    repo: str | None
    reruns: str | None
    accepted: str | None

    def overrides(self) -> Overrides:
        """What they say instead of the config. Raises `UsageError`."""
        return dataclasses.replace(
            self.rules(),
            reruns=None if self.reruns is None else configuration.parse_reruns(self.reruns),
            seeds=self.seed_policy,
            baselines=self.baseline,
        )


def seeds(told: str) -> Decorator:
    """`--seeds` with the command's own help."""
    return click.option(
        "--seeds", type=click.Choice([item.value for item in SeedPolicy]), help=told
    )


def baseline(metavar: str) -> Decorator:
    """`--baseline`; `metavar` is what the command calls a run."""
    return click.option(
        "--baseline",
        metavar=metavar,
        multiple=True,
        help="Pool the values of this run of the same recipe with the original's. Repeatable.",
    )


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
accepted = click.option(
    "--accepted",
    metavar="FILE",
    help="Changed results that the team made the new baselines of their runs, as `reprocheck "
    "accept` writes them; an empty name takes none. [default: reprocheck.baseline.json in the "
    "repository's root]",
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
junit = click.option(
    "--junit",
    metavar="FILE",
    help="Write JUnit XML, a test case for each judged metric; - is standard output.",
)
sarif = click.option(
    "--sarif",
    metavar="FILE",
    help="Write the findings as SARIF 2.1.0, for code scanning; - is standard output.",
)
csv = click.option(
    "--csv", metavar="FILE", help="Write the metrics as CSV, one a line; - is standard output."
)
html = click.option(
    "--html", metavar="FILE", help="Write the report as a page; - is standard output."
)
reports = click.option(
    "--reports",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where reports are kept. [default: reprocheck/reports in the user's state folder]",
)
verbose = click.option(
    "-v", "--verbose", is_flag=True, help="Show every finding and more of the logs."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="No progress, only the report.")
