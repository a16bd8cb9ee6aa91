"""`reprocheck aggregate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reprocheck.checks import FAILED_BY
from reprocheck.cli import options, outputs
from reprocheck.cli.outputs import STDOUT
from reprocheck.model import FailOn

if TYPE_CHECKING:
    from reprocheck.model import Aggregate

WORST_FIRST = (10, 3, 12, 11)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Options:
    """The command line, as click parsed it."""

    reports: str | None
    since: str | None
    markdown: str | None
    json: str | None
    badge: str | None
    fail_on: tuple[str, ...]

    @property
    def names(self) -> dict[str, str | None]:
        """Where each format goes."""
        return {"--markdown": self.markdown, "--json": self.json, "--badge": self.badge}


EXAMPLES = """\b
Examples:
  reprocheck aggregate reports/
  reprocheck aggregate report.json --since 90d --markdown trend.md --badge badge.json
  reprocheck aggregate --fail-on not-reproduced

Exit codes: 0 told, whatever the verdicts are, 2 wrong usage, or none of the files is a report; with
--fail-on, of the newest verification of any run: 10 not reproduced, 3 not verified, 12 misses its
criteria, 11 inconclusive, the first of these.
"""


@click.command(
    short_help="Say what the verifications of several runs say together, and how it was before.",
    epilog=EXAMPLES,
)
@click.argument("files", metavar="[REPORT]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--reports",
    metavar="DIR",
    help="Folder of earlier reports. [default: reprocheck/reports in the user's state folder]",
)
@click.option(
    "--since",
    metavar="DURATION",
    help="Also runs that were verified in this time and have no REPORT here. [default: none; all "
    "where no REPORT is given]",
)
@options.markdown
@options.json
@click.option(
    "--badge",
    metavar="FILE",
    help="Write a badge, as shields' endpoint takes it; none where nothing was measured.",
)
@click.option(
    "--fail-on",
    metavar="ANSWER",
    type=click.Choice([each.value for each in FailOn]),
    multiple=True,
    help="Exit with the answer's code where a run's newest verification has it: "
    f"{', '.join(FailOn)}. Repeatable.",
)
def aggregate(files: tuple[Path, ...], **given: Any) -> int:  # noqa: ANN401 - click's own types
    """Sum up reports: how many runs reproduce, since when, and what verifications said before.

    REPORT is what `reprocheck verify --json` wrote, the check of a job, or a folder of them. Each
    is joined with the earlier reports of its run. A failure of machine or network counts neither
    for nor against a run.
    """
    parsed = _Options(**given)
    outputs.check_names(parsed.names)
    found = _aggregate(files, parsed)
    _write(found, parsed)
    return exit_code(found, parsed.fail_on)


def exit_code(found: Aggregate, fail_on: tuple[str, ...]) -> int:
    """The code of the worst answer that is to fail; 0 where there is none."""
    codes = {trend.last.exit_code for trend in found.trends}
    codes |= {3 for _ in found.problems}
    failing = (code for code in WORST_FIRST if code in codes and FAILED_BY[code] in fail_on)
    return next(failing, 0)


def _aggregate(files: tuple[Path, ...], given: _Options) -> Aggregate:
    from datetime import UTC, datetime

    from reprocheck.durations import parse_duration
    from reprocheck.report_store import default_folder
    from reprocheck.schedule.aggregating import AggregateRequest
    from reprocheck.schedule.aggregating import aggregate as aggregated

    request = AggregateRequest(
        files=files,
        reports=Path(given.reports) if given.reports else default_folder(),
        since_s=parse_duration(given.since, "--since") if given.since else None,
    )
    return aggregated(request, outputs.warn, datetime.now(UTC))


def _write(found: Aggregate, given: _Options) -> None:
    from reprocheck.reporters import aggregate_json, aggregate_markdown, aggregate_terminal, badge

    drawn = badge.render(found)
    if given.badge and drawn is None:
        outputs.warn("no badge is written: nothing was measured")
    texts = (
        (given.markdown, aggregate_markdown.render(found)),
        (given.json, aggregate_json.render(found)),
        (given.badge if drawn else None, drawn or ""),
    )
    if STDOUT not in given.names.values():
        width, color = outputs.screen()
        outputs.echo(aggregate_terminal.render(found, width=width, color=color))
    outputs.write_streams("aggregate", ((name, [text]) for name, text in texts))
