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
from reprocheck import metric_rules
from reprocheck.config import Config, Overrides
from reprocheck.errors import MissingStoreError, ReprocheckError, UsageError
from reprocheck.model import Outcome, Report, Require, SeedPolicy, Verdict

if TYPE_CHECKING:
    from reprocheck.account import Request
    from reprocheck.progress import Progress

STDOUT = "-"
EXIT_CODES = {
    Verdict.IDENTICAL: 0,
    Verdict.NUMERICALLY_EQUAL: 0,
    Verdict.REPRODUCED: 0,
    Verdict.NOT_WORSE: 0,
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
    seeds: str | None
    baseline: tuple[str, ...]
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
    "recorded URL, else the current one's remotes]",
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
    help="N: judge once, after N reruns. MIN..MAX: judge after each from MIN (3 at least) on, "
    "until the answer is sure. Bit-identical results end them at once. [default: 3..8]",
)
@click.option(
    "--seeds",
    type=click.Choice([item.value for item in SeedPolicy]),
    help="same: rerun with the recorded seed; fresh: another seed each time, passed by {seed} in "
    "the config's command, by the recorded --seed or by reruns.seed_env. [default: same]",
)
@click.option(
    "--baseline",
    metavar="RUN_ID",
    multiple=True,
    help="Pool the values of this run of the same recipe with the original's. Repeatable.",
)
@click.option(
    "--margin",
    metavar="METRIC=VALUE",
    multiple=True,
    help="Largest difference that does not matter: accuracy=0.005, loss=2% of the original, or "
    "accuracy=-0.01,+0.005 below and above. Repeatable.",
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
    help="What exits 0: a verdict at least as good; criteria: every success criterion met, too. "
    "[default: consistent]",
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
    """Rerun the training run RUN_ID and say whether it reproduces.

    RUN_ID is the run's id, an unambiguous beginning of it, runs:/ID, models:/NAME/VERSION,
    models:/NAME@ALIAS, or the address of the run's page in MLflow's UI. The run's tracker,
    repository and DVC remotes are only read.
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
    code = EXIT_CODES[report.verdict]
    if code == 0 and report.require is Require.CRITERIA:
        return _of_criteria({result.outcome for result in report.criteria})
    weaker = report.verdict in (Verdict.CONSISTENT, Verdict.NOT_WORSE)
    return 11 if weaker and report.require is Require.REPRODUCED else code


def _of_criteria(outcomes: set[Outcome]) -> int:
    """Nothing judged is not met."""
    if Outcome.MISSES in outcomes:
        return 12
    return 0 if outcomes == {Outcome.MEETS} else 11


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
        margins=tuple(metric_rules.parse_margin(text) for text in options.margin),
        reruns=None if options.reruns is None else configuration.parse_reruns(options.reruns),
        seeds=SeedPolicy(options.seeds) if options.seeds else None,
        baselines=options.baseline,
        require=Require(options.require) if options.require else None,
        timeout_s=_seconds("--timeout", options.timeout),
        budget_s=_seconds("--budget", options.budget),
    )


def _seconds(option: str, text: str | None) -> float | None:
    return None if text is None else configuration.parse_duration(text, option)


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

    if quiet or sys.stderr is None:
        yield Silent()
    else:
        with Terminal(sys.stderr) as terminal:
            yield terminal


def _write(report: Report, options: _Options) -> None:
    from reprocheck.reporters import json, markdown, terminal

    texts = ((options.json, json.render), (options.markdown, markdown.render))
    unwritten = []
    for name, render in texts:
        if name == STDOUT:
            echo(render(report))
        elif name is not None:
            try:
                Path(name).write_text(render(report), encoding="utf-8")
            except OSError as error:  # the verdict is told all the same
                unwritten.append(f"{name}: {error.strerror}")
    if STDOUT not in (options.json, options.markdown):
        width, color = screen()
        echo(terminal.render(report, width=width, color=color, verbose=options.verbose))
    if unwritten:
        raise ReprocheckError(
            f"the report could not be written to {'; '.join(unwritten)}",
            "make room, or name another file",
        )


def echo(text: str) -> None:
    """Writes to standard output; what its encoding lacks becomes a question mark.

    Raises `ReprocheckError` when it cannot be written to.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ReprocheckError(f"writing to standard output failed: {error.strerror}") from error


def screen() -> tuple[int, bool]:
    """How many columns standard output has, and whether it shows colours."""
    if sys.stdout is None or not sys.stdout.isatty():
        return 80, False
    columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(60, min(columns, 120)), not os.environ.get("NO_COLOR")
