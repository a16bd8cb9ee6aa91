"""`reprocheck verify`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck import config as configuration
from reprocheck.config import Config, Overrides
from reprocheck.errors import MissingStoreError, UsageError
from reprocheck.model import Report, Require, Verdict

if TYPE_CHECKING:
    from reprocheck.account import Request
    from reprocheck.progress import Progress

STDOUT = "-"
EXIT_CODES = {
    Verdict.IDENTICAL: 0,
    Verdict.NUMERICALLY_EQUAL: 0,
    Verdict.REPRODUCED: 0,
    Verdict.CONSISTENT: 0,
    Verdict.NOT_VERIFIED: 3,
    Verdict.NOT_COMPARABLE: 3,
    Verdict.NOT_REPRODUCED: 10,
    Verdict.INCONCLUSIVE: 11,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    tracking_uri: str | None
    repo: str | None
    config: Path | None
    reruns: str | None
    margin: tuple[str, ...]
    gate: tuple[str, ...]
    require: str | None
    timeout: str | None
    budget: str | None
    dry_run: bool
    json: str | None
    markdown: str | None
    keep: bool
    verbose: bool
    quiet: bool


@click.command(short_help="Rerun a recorded training run and say whether it reproduces.")
@click.argument("run_id")
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="MLflow tracking URI. [default: MLFLOW_TRACKING_URI, then tracker.uri in "
    "reprocheck.yaml, then sqlite:///mlflow.db where that exists]",
)
@click.option(
    "--repo",
    metavar="PATH_OR_URL",
    help="Git repository that has the run's commit. [default: the current one, else the "
    "recorded URL]",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Config file. [default: reprocheck.yaml in the repository's root]",
)
@click.option(
    "--reruns",
    metavar="N",
    help="Most reruns: N, or MIN..MAX. Bit-identical or deterministic results end them "
    "earlier. [default: 5]",
)
@click.option(
    "--margin",
    metavar="METRIC=VALUE",
    multiple=True,
    help="Largest difference that does not matter: accuracy=0.005, or loss=2% of the "
    "original. Repeatable.",
)
@click.option(
    "--gate",
    metavar="METRIC",
    multiple=True,
    help="Judge this metric. Repeatable. [default: the config's, else the headline metrics]",
)
@click.option(
    "--require",
    type=click.Choice([item.value for item in Require]),
    help="Weakest verdict that exits 0. [default: consistent]",
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
@click.option("--json", metavar="FILE", help="Write the report as JSON; - is standard output.")
@click.option(
    "--markdown", metavar="FILE", help="Write the report as Markdown; - is standard output."
)
@click.option("--keep", is_flag=True, help="Keep the workspace, and say where it is.")
@click.option("-v", "--verbose", is_flag=True, help="Show every finding and more of the logs.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the report.")
def verify(run_id: str, **options: Any) -> int:  # noqa: ANN401 - click's own types
    r"""Rerun the training run RUN_ID and say whether it reproduces.

    RUN_ID is the run's id, an unambiguous beginning of it, runs:/ID, models:/NAME/VERSION,
    models:/NAME@ALIAS, or the address of the run's page in MLflow's UI. The run's tracker,
    repository and DVC remotes are only read.

    \b
    Examples:
      reprocheck verify 3f2a91 --dry-run
      reprocheck verify 3f2a91 --margin accuracy=0.005 --reruns 3..8
      reprocheck verify models:/digits@champion --json report.json

    Exit codes: 0 reproduced, 2 wrong usage or config, 3 not verified, 10 not reproduced,
    11 inconclusive, 130 or 143 interrupted.
    """
    from reprocheck import pipeline

    parsed = _Options(**options)
    _check_outputs(parsed)
    request = make_request(run_id, parsed, os.environ)
    with progress(quiet=parsed.quiet) as told:
        report = pipeline.verify(request, told)
    _write(report, parsed)
    return exit_code(report)


def exit_code(report: Report) -> int:
    """The exit code that the report's verdict stands for (DESIGN's table)."""
    if report.dry_run:
        return 0
    if any(stage.failure and stage.failure.usage for stage in report.stages):
        return 2
    if report.verdict is Verdict.CONSISTENT and report.require is Require.REPRODUCED:
        return 11
    return EXIT_CODES[report.verdict]


def make_request(run_id: str, options: _Options, env: Mapping[str, str]) -> Request:
    """What to verify, from options, config and environment.

    Raises `UsageError`, `ConfigError` or `MissingStoreError`.
    """
    from reprocheck.account import Request

    cwd = Path.cwd()
    root = _root(options.repo, cwd, env)
    config = configuration.override(_load_config(options, root), _overrides(options))
    return Request(
        asked=run_id,
        tracking_uri=_tracking_uri(run_id, options, config, (cwd, root), env),
        config=config,
        repo=options.repo,
        gates=options.gate,
        dry_run=options.dry_run,
        keep=options.keep,
        logs=_logs(options),
        cwd=cwd,
        env=dict(env),
    )


def _root(repo: str | None, cwd: Path, env: Mapping[str, str]) -> Path:
    from reprocheck.source import local_path, repository_root

    folder = local_path(repo) if repo and local_path(repo).is_dir() else cwd
    return repository_root(folder, env) or folder


def _load_config(options: _Options, root: Path) -> Config:
    path = options.config or root / configuration.FILE_NAME
    return configuration.load(path) if options.config or path.is_file() else Config()


def _overrides(options: _Options) -> Overrides:
    return Overrides(
        margins=tuple(configuration.parse_margin(text) for text in options.margin),
        reruns=configuration.parse_reruns(options.reruns) if options.reruns else None,
        require=Require(options.require) if options.require else None,
        timeout_s=configuration.parse_duration(options.timeout) if options.timeout else None,
        budget_s=configuration.parse_duration(options.budget) if options.budget else None,
    )


def _tracking_uri(
    run_id: str,
    options: _Options,
    config: Config,
    folders: tuple[Path, ...],
    env: Mapping[str, str],
) -> str:
    from reprocheck.trackers import uri_of_page

    named = (
        options.tracking_uri
        or uri_of_page(run_id)
        or env.get("MLFLOW_TRACKING_URI")
        or config.tracking_uri
    )
    if named:
        return named
    for folder in folders:
        if (folder / "mlflow.db").is_file():
            return f"sqlite:///{folder / 'mlflow.db'}"
    raise MissingStoreError(
        "no tracker is named, and there is no mlflow.db here",
        "name one with --tracking-uri, MLFLOW_TRACKING_URI or tracker.uri in reprocheck.yaml",
    )


def _logs(options: _Options) -> Path | None:
    """Full logs stay beside a JSON report; without one they go with the workspace."""
    if options.json is None or options.json == STDOUT:
        return None
    path = Path(options.json).absolute()
    return path.with_name(f"{path.stem}-logs")


def _check_outputs(options: _Options) -> None:
    """Refuses, before anything is run, what could not be written at the end."""
    if options.json == STDOUT and options.markdown == STDOUT:
        raise UsageError(
            "--json - and --markdown - cannot both have standard output", "name a file for one"
        )
    for name in (options.json, options.markdown):
        if name is None or name == STDOUT:
            continue
        path = Path(name)
        folder = path.parent
        if path.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
            raise UsageError(
                f"{name} cannot be written: {folder} is no writable directory, or it is one itself",
                "name a file in an existing directory",
            )


@contextlib.contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Progress on stderr, or none."""
    from reprocheck.progress import Silent, Terminal

    if quiet:
        yield Silent()
    else:
        with Terminal(sys.stderr) as terminal:
            yield terminal


def _write(report: Report, options: _Options) -> None:
    from reprocheck.reporters import json, markdown, terminal

    texts = ((options.json, json.render), (options.markdown, markdown.render))
    for name, render in texts:
        if name == STDOUT:
            echo(render(report))
        elif name is not None:
            Path(name).write_text(render(report), encoding="utf-8")
    if STDOUT not in (options.json, options.markdown):
        width, color = screen()
        echo(terminal.render(report, width=width, color=color, verbose=options.verbose))


def echo(text: str) -> None:
    """Writes to standard output; what its encoding lacks becomes a question mark."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def screen() -> tuple[int, bool]:
    """How many columns standard output has, and whether it shows colours."""
    if not sys.stdout.isatty():
        return 80, False
    columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(60, min(columns, 120)), not os.environ.get("NO_COLOR")
