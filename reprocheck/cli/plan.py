"""`reprocheck plan`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.cli import options, outputs, project
from reprocheck.cli.options import RunOptions
from reprocheck.cli.outputs import STDOUT, Outputs
from reprocheck.errors import ReprocheckError

if TYPE_CHECKING:
    from reprocheck.planning import Forecast


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options(RunOptions):
    """The command line, as click parsed it."""

    json: str | None
    quiet: bool


EXAMPLES = """\b
Examples:
  reprocheck plan 3f2a91 --margin accuracy=0.005
  reprocheck plan 3f2a91 --margin accuracy=0.005 --sigma accuracy=0.002
  reprocheck plan 3f2a91 --margin accuracy=0.005 --reruns 3..12 --json -

Exit codes: 0 the plan was told, 2 wrong usage or config, 3 the run cannot be read, or its record
cannot be verified.
"""


@click.command(
    short_help="Say what a verification could answer, and what it would cost.", epilog=EXAMPLES
)
@click.argument("run_id")
@options.tracking_uri
@options.repo
@options.config
@options.reruns
@options.seeds("Which seeds the reruns would have, as in verify. [default: same]")
@options.baseline("RUN_ID")
@options.margin
@options.sigma
@options.gate
@options.accepted
@click.option("--json", metavar="FILE", help="Write the plan as JSON; - is standard output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, only the plan.")
def plan(run_id: str, **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Say, before anything is spent, what verifying RUN_ID could answer and what it would cost.

    Only the run's record is read: nothing is checked out, built or run. For each metric that would
    be judged it tells the reruns after which an honest run is called REPRODUCED with a chance of
    80 % and 90 %, the chance of each answer under the plan, and the reruns to expect. How much the
    metric varies from run to run is taken from --sigma, else the config, else two siblings of the
    run or more (finished runs of the same code, data, environment and parameters except the seed),
    else the noise of a proportion of its test_size; where none is known, a table shows what would
    follow. Hours, memory, disk and GPUs are those that the original recorded.
    """
    from reprocheck import pipeline

    parsed = _Options(**given)
    outputs.check(Outputs(json=parsed.json, markdown=None, verbose=False, quiet=parsed.quiet))
    overrides = parsed.overrides()
    request = project.run_request(run_id, parsed, overrides, os.environ)
    with outputs.progress(quiet=parsed.quiet) as told:
        forecast = pipeline.plan(request, frozenset(name for name, _ in overrides.sigmas), told)
    _write(forecast, parsed.json)
    return 0


def _write(forecast: Forecast, name: str | None) -> None:
    from reprocheck.reporters import forecast_json, forecast_terminal

    if name == STDOUT:
        outputs.echo(forecast_json.render(forecast))
        return
    width, color = outputs.screen()
    outputs.echo(forecast_terminal.render(forecast, width=width, color=color))
    if name is not None:
        try:
            Path(name).write_text(forecast_json.render(forecast), encoding="utf-8")
        except OSError as error:
            raise ReprocheckError(
                f"the plan could not be written to {name}: {error.strerror}", "name another file"
            ) from error
