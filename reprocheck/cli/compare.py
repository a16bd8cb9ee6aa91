"""`reprocheck compare`."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck import config as configuration
from reprocheck import metric_rules
from reprocheck.cli import options, outputs, project
from reprocheck.cli.options import JudgingOptions
from reprocheck.cli.outputs import Outputs
from reprocheck.config import Overrides
from reprocheck.errors import UsageError
from reprocheck.exit_codes import exit_code
from reprocheck.model import Require

if TYPE_CHECKING:
    from reprocheck.recorded import RecordedRequest
    from reprocheck.sides import RecordedRuns, ValueLists


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options(JudgingOptions):
    """The command line, as click parsed it."""

    original: tuple[str, ...]
    values: tuple[str, ...]
    alpha: float | None
    require: str | None
    json: str | None
    markdown: str | None
    verbose: bool
    quiet: bool

    @property
    def outputs(self) -> Outputs:
        """Where the report goes."""
        return Outputs(
            json=self.json, markdown=self.markdown, verbose=self.verbose, quiet=self.quiet
        )


EXAMPLES = """\b
Examples:
  reprocheck compare original.json rerun-1.json rerun-2.json rerun-3.json
  reprocheck compare 3f2a91 77be02 c01d5e 9a41f7 --margin accuracy=0.005
  reprocheck compare --original accuracy=0.91 --values accuracy=0.91,0.92,0.90

The exit codes are those of verify.
"""


@click.command(
    short_help="Judge recorded runs or plain values as reruns of an original.", epilog=EXAMPLES
)
@click.argument("runs", nargs=-1, metavar="[BASELINE RERUN...]")
@click.option(
    "--original",
    metavar="METRIC=VALUE,...",
    multiple=True,
    help="Instead of runs: the original's value of a metric, or the values of several originals. "
    "Repeatable, once for each metric.",
)
@click.option(
    "--values",
    metavar="METRIC=VALUE,...",
    multiple=True,
    help="The reruns' values of that metric, in the same order for all metrics. Repeatable.",
)
@options.baseline("RUN")
@options.tracking_uri
@options.config
@options.margin
@options.sigma
@options.gate
@click.option(
    "--alpha",
    metavar="LEVEL",
    type=click.FloatRange(0, 0.5, min_open=True, max_open=True),
    help="Probability of an error of either kind. [default: 0.05]",
)
@options.seeds(
    "Whether the reruns had the original's seed (same) or each its own (fresh). "
    "[default: as the records say, else same]"
)
@options.require
@options.json
@options.markdown
@options.verbose
@options.quiet
def compare(runs: tuple[str, ...], **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Judge recorded runs as reruns of BASELINE, by the rules of verify, without rerunning.

    BASELINE and each RERUN are a record file (schemas/run.schema.json), a report.json, whose
    record counts, or a run of the tracker as verify takes it. With --original and --values plain
    numbers are compared instead; nan and inf are values, too. There is one look, at all the reruns
    that are given. Of the config's baselines none counts here.
    """
    from reprocheck.recorded import compare_recorded

    parsed = _Options(**given)
    outputs.check(parsed.outputs)
    request = make_request(runs, parsed, os.environ)
    with outputs.progress(quiet=parsed.quiet) as told:
        report = compare_recorded(request, told)
    outputs.write(report, parsed.outputs)
    return exit_code(report)


def make_request(runs: tuple[str, ...], given: _Options, env: Mapping[str, str]) -> RecordedRequest:
    """What to judge, from options, config and environment.

    Raises `UsageError`, `ConfigError` or `MissingStoreError`.
    """
    from reprocheck.recorded import RecordedRequest
    from reprocheck.sides import RecordedRuns

    cwd = Path.cwd()
    root = project.root_of(None, cwd, env)
    config = configuration.override(project.load_config(given.config, root), _overrides(given))
    sides, uri = _sides(runs, given), ""
    if isinstance(sides, RecordedRuns) and sides.of_tracker:
        uri = project.tracking_uri(given.tracking_uri, sides.of_tracker, config, (cwd, root), env)
    return RecordedRequest(
        sides=sides,
        tracking_uri=uri,
        config=config,
        gates=given.gate,
        seeds=given.seed_policy,
        env=dict(env),
    )


def _sides(runs: tuple[str, ...], given: _Options) -> RecordedRuns | ValueLists:
    from reprocheck.sides import RecordedRuns, value_lists

    if not given.original and not given.values:
        if len(runs) < 2:
            raise UsageError(
                "there is nothing to compare: name an original and at least one rerun",
                "write `reprocheck compare BASELINE RERUN...`, or give numbers: "
                "`reprocheck compare --original accuracy=0.91 --values accuracy=0.91,0.92,0.90`",
            )
        return RecordedRuns(original=runs[0], reruns=runs[1:], baselines=given.baseline)
    if runs or given.baseline:
        told = ", ".join(runs or (f"--baseline {given.baseline[0]}",))
        raise UsageError(
            f"runs ({told}) and plain values cannot be compared in one call",
            "name runs only, or give --original and --values only; several originals are one list",
        )
    return value_lists(
        metric_rules.parse_values("--original", given.original),
        metric_rules.parse_values("--values", given.values),
    )


def _overrides(given: _Options) -> Overrides:
    if given.alpha is not None and math.isnan(given.alpha):  # no range refuses it
        raise UsageError("--alpha nan: expected a number", "write for example --alpha 0.05")
    return dataclasses.replace(
        given.rules(),
        alpha=given.alpha,
        require=Require(given.require) if given.require else None,
    )
