"""`reprocheck verify`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.cli.options import RunOptions
from reprocheck.cli.outputs import Outputs
from reprocheck.config import Overrides
from reprocheck.durations import parse_duration
from reprocheck.errors import ReportFileError, UsageError
from reprocheck.exit_codes import exit_code
from reprocheck.model import Report, Require, Stage

if TYPE_CHECKING:
    from reprocheck.account import Request
    from reprocheck.model import Acceptance


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options(RunOptions):
    """The command line, as click parsed it."""

    require: str | None
    env: str | None
    timeout: str | None
    budget: str | None
    bundle: Path | None
    dry_run: bool
    remote: str | None
    trace: bool
    start: str | None
    proposed: Path | None
    json: str | None
    markdown: str | None
    html: str | None
    junit: str | None
    sarif: str | None
    csv: str | None
    reports: str | None
    keep: bool
    verbose: bool
    quiet: bool

    @property
    def outputs(self) -> Outputs:
        """Where the report goes."""
        return Outputs(
            json=self.json,
            markdown=self.markdown,
            html=self.html,
            junit=self.junit,
            sarif=self.sarif,
            csv=self.csv,
            verbose=self.verbose,
            quiet=self.quiet,
        )


EXAMPLES = """\b
Examples:
  reprocheck verify 3f2a91 --dry-run
  reprocheck verify 3f2a91 --margin accuracy=0.005 --reruns 3..8
  reprocheck verify models:/digits@champion --json report.json

Exit codes: 0 reproduced, 2 wrong usage or config, 3 not verified, 10 not reproduced,
11 inconclusive, 12 misses its success criteria, 130 or 143 interrupted.
"""


@click.command(
    short_help="Rerun a recorded training run and say whether it reproduces.", epilog=EXAMPLES
)
@click.argument("run_id", required=False)
@options.tracking_uri
@click.option(
    "--bundle",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Take run, artifacts and data out of this folder, which `reprocheck fetch` wrote, and ask "
    "no tracker and no remote. RUN_ID may be left out where it holds one run.",
)
@options.repo
@options.config
@options.reruns
@options.seeds(
    "same: rerun with the recorded seed; fresh: another seed each time, passed by {seed} in "
    "the config's command, by the recorded --seed or by reruns.seed_env. [default: same]"
)
@options.baseline("RUN_ID")
@options.margin
@options.sigma
@options.gate
@options.accepted
@click.option(
    "--proposed",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The same file as a pull request has it: what it adds or changes is told as proposed, "
    "and counts nothing.",
)
@options.require
@click.option(
    "--env",
    type=click.Choice(["auto", "docker", "conda", "venv"]),
    help="What the environment is rebuilt by; auto: by the first file that records one. "
    "[default: environment.kind in reprocheck.yaml, else auto]",
)
@click.option(
    "--timeout",
    metavar="DURATION",
    help="Limit of each trial, for example 90s or 2h. [default: three times the original's "
    "duration and ten minutes]",
)
@click.option(
    "--budget",
    metavar="DURATION",
    help="Limit of all trials together; what is undecided then is INCONCLUSIVE.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show commit, command, environment, data, metrics and cost, each with its origin; "
    "run nothing.",
)
@click.option(
    "--remote",
    metavar="NAME",
    help="The DVC remote to restore data from. [default: all of them, the default one first]",
)
@click.option(
    "--from",
    "start",
    metavar="STAGE",
    help="Start at this step of a run of several; what the steps before it made is restored and "
    "proved by its hash. [default: the first]",
)
@click.option(
    "--trace",
    is_flag=True,
    help="Observe which files the trials open, and list what they read that nothing declares "
    "(Linux; trials take longer).",
)
@options.json
@options.markdown
@options.html
@options.junit
@options.sarif
@options.csv
@click.option(
    "--reports",
    metavar="DIR",
    help="Keep the report in this folder, by run and time, for commands that look back; an empty "
    "name keeps none. [default: reprocheck/reports in the user's state folder]",
)
@click.option("--keep", is_flag=True, help="Keep the workspace, and say where it is.")
@options.verbose
@options.quiet
def verify(run_id: str | None, **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Rerun the training run RUN_ID and say whether it reproduces.

    RUN_ID is the run's id, an unambiguous beginning of it, runs:/ID, models:/NAME/VERSION,
    models:/NAME@ALIAS, or the address of the run's page in MLflow's UI. The run's tracker,
    repository and DVC remotes are only read.
    """
    from reprocheck import pipeline

    parsed = _Options(**given)
    outputs.check(parsed.outputs)
    request = make_request(run_id, parsed, os.environ)
    with outputs.progress(quiet=parsed.quiet, stages=_stages(parsed)) as told:
        report = pipeline.verify(request, told)
    keep(report, parsed.reports)
    outputs.write(report, parsed.outputs)
    return exit_code(report)


def _stages(given: _Options) -> tuple[Stage, ...]:
    """Those that will run: a dry run ends with the checkout."""
    return tuple(Stage)[: 3 if given.dry_run else None]


def keep(report: Report, named: str | None) -> None:
    """Keeps the report of a run that was read, in the folder that is named, else in the user's own;
    "" names none. A store that fails changes no answer: it is a warning.
    """
    if report.record is None or report.dry_run or named == "":
        return
    from reprocheck.report_store import ReportStore, default_folder

    try:
        ReportStore(Path(named) if named else default_folder()).keep(report)
    except ReportFileError as error:
        outputs.warn(f"the report is not kept: {error.message}")


def make_request(run_id: str | None, given: _Options, env: Mapping[str, str]) -> Request:
    """What to verify, from options, config and environment.

    Raises `UsageError`, `ConfigError`, `MissingStoreError`, or `BundleError` for a bundle that does
    not say which run is meant.
    """
    if given.bundle is not None:
        run_id = _bundled_run(run_id, given.bundle, given.tracking_uri)
    if run_id is None:
        raise UsageError("no run is named", "name a run, or a folder with --bundle DIR")
    request = project.run_request(run_id, given, _overrides(given), env, given.bundle)
    return dataclasses.replace(
        request,
        dry_run=given.dry_run,
        remote=given.remote,
        trace=given.trace,
        start=given.start,
        proposed=_proposed(given.proposed),
        keep=given.keep,
        logs=_logs(given),
    )


def _proposed(path: Path | None) -> tuple[Acceptance, ...]:
    """What a pull request's file holds: read as the base branch's, and told only."""
    from reprocheck import accepted

    return () if path is None else accepted.load(path, optional=False)


def _bundled_run(run_id: str | None, bundle: Path, tracking_uri: str | None) -> str:
    """The run that is asked of a bundle; the only one where none is named."""
    from reprocheck.bundles import open_bundle

    if tracking_uri is not None:
        raise UsageError(
            "--bundle and --tracking-uri contradict each other",
            "a bundle holds all that is needed of the tracker: leave --tracking-uri out",
        )
    if not bundle.is_dir():
        raise UsageError(f"there is no bundle {bundle}", "make it: reprocheck fetch RUN_ID")
    if run_id is not None:
        return run_id
    run_ids = open_bundle(bundle).run_ids
    if len(run_ids) != 1:
        raise UsageError(
            f"the bundle {bundle} holds {len(run_ids)} runs, and none is named",
            f"name one: {', '.join(run_ids)}",
        )
    return run_ids[0]


def _overrides(given: _Options) -> Overrides:
    return dataclasses.replace(
        given.overrides(),
        require=Require(given.require) if given.require else None,
        environment_kind=given.env,
        timeout_s=_seconds("--timeout", given.timeout),
        budget_s=_seconds("--budget", given.budget),
    )


def _seconds(option: str, text: str | None) -> float | None:
    return None if text is None else parse_duration(text, option)


def _logs(given: _Options) -> Path | None:
    """Full logs stay beside a JSON report; without one they go with the workspace."""
    if given.json is None or given.json == outputs.STDOUT:
        return None
    path = Path(given.json).absolute()
    return path.with_name(f"{path.stem}-logs")
