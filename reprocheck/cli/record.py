"""`reprocheck record`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, project
from reprocheck.errors import UsageError

if TYPE_CHECKING:
    from reprocheck.recording import Asked

EXAMPLES = """\b
Examples:
  reprocheck record -- python train.py --lr 0.1 --seed 7
  reprocheck record --strict --keep-ref -- torchrun --nproc-per-node 2 train.py
  reprocheck record --dry-run --strict -- dvc repro
  reprocheck record --init

Exit codes: the command's own (128 + N where signal N ended it), 2 wrong usage, or the command
cannot be started, 3 refused: a requirement is not met, and nothing was run. --dry-run: 0 or 3.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    command: tuple[str, ...]
    strict: bool
    allow_patch: bool
    keep_ref: bool
    dry_run: bool
    experiment: str | None
    tracking_uri: str | None
    config: Path | None
    init: str | None


@click.command(
    short_help="Run a training so that its run can be verified, or refuse to.",
    epilog=EXAMPLES,
    context_settings={"allow_interspersed_args": False},
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[--] [COMMAND]...")
@click.option(
    "--strict",
    is_flag=True,
    help="Refuse to start when the record would lack anything. [default: what record.require in "
    "reprocheck.yaml lists; the rest is a warning]",
)
@click.option(
    "--allow-patch", is_flag=True, help="Take the recorded patch of a dirty tree for a commit."
)
@click.option(
    "--keep-ref",
    is_flag=True,
    help="Push the commit as refs/reprocheck/RUN_ID, where no squash and no deleted branch loses "
    "it.",
)
@click.option("--dry-run", is_flag=True, help="Only check: run nothing.")
@click.option(
    "--experiment", metavar="NAME", help="MLflow experiment, where the script names none itself."
)
@click.option(
    "--tracking-uri",
    metavar="URI",
    help="MLflow tracking URI, where the script names none itself. [default: "
    "MLFLOW_TRACKING_URI, then tracker.uri in reprocheck.yaml, then MLflow's own]",
)
@options.config
@click.option(
    "--init",
    metavar="[FILE]",
    is_flag=False,
    flag_value="experiment.yaml",
    help="Write a commented experiment definition, and run nothing. [default: experiment.yaml]",
)
def record(**given: Any) -> int:  # noqa: ANN401 - click's own types
    """Run a training with capture switched on: its run in MLflow then carries the record of how it
    ran. A run is created where the command logs none. Before it starts, what the record would lack
    is told, with the command that mends it, or is refused.

    Nothing has to be installed where the training runs, and its code is not changed.
    """
    parsed = _Options(**given)
    if parsed.init is not None:
        return _init(parsed)
    if not parsed.command:
        raise UsageError("no command is named", "write it after --: reprocheck record -- python …")
    return _record(_asked(parsed), dry_run=parsed.dry_run)


def _init(parsed: _Options) -> int:
    from reprocheck.recording import write_template

    path = Path(str(parsed.init))
    if parsed.command:
        raise UsageError("--init runs no command", f"leave out {parsed.command[0]}")
    write_template(path)
    _tell(f"wrote {path}: fill in the metrics, then `git add {path}`")
    return 0


def _asked(parsed: _Options) -> Asked:
    from reprocheck.recording import Asked, variables

    cwd, env = Path.cwd(), dict(os.environ)
    config = project.load_config(parsed.config, project.root_of(None, cwd, env))
    uri = parsed.tracking_uri or env.get("MLFLOW_TRACKING_URI") or config.tracking_uri
    return Asked(
        argv=parsed.command,
        cwd=cwd,
        env=variables(env, uri, parsed.experiment),
        config=config,
        strict=parsed.strict,
        allow_patch=parsed.allow_patch,
        keep_ref=parsed.keep_ref,
    )


def _record(asked: Asked, *, dry_run: bool) -> int:
    from reprocheck import recording
    from reprocheck.reporters import record_terminal
    from reprocheck.temporary import temporary_folder

    with temporary_folder() as folder:
        prepared = recording.look(asked, folder)
        refused = recording.refused(prepared.lacks, asked)
        _tell(record_terminal.before(prepared.lacks, refused, strict=asked.strict))
        if refused or dry_run:
            return 3 if refused else 0
        outcome = recording.run(prepared)
        _tell(record_terminal.after(outcome))
    return outcome.exit_code


def _tell(text: str) -> None:
    """On standard error: standard output is the command's."""
    if text and sys.stderr is not None:
        click.echo(text, err=True)
