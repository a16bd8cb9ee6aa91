"""`reprocheck history`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reprocheck.cli import options, outputs

if TYPE_CHECKING:
    from reprocheck.model import PastEntry
    from reprocheck.report_store import ReportStore

EXAMPLES = """\b
Examples:
  reprocheck history 3f2a91
  reprocheck history 3f2a91 --reports .reprocheck/reports --json -

Exit codes: 0 it is told, whatever the verdicts are, 2 wrong usage, or an unknown or ambiguous run.
"""


@click.command(
    short_help="Say since when a run no longer reproduces, and what changed then.",
    epilog=EXAMPLES,
)
@click.argument("run_id")
@options.reports
@click.option(
    "--last",
    metavar="N",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Look at so many reports, the newest ones.",
)
@click.option("--json", metavar="FILE", help="Write the history as JSON; - is standard output.")
def history(run_id: str, reports: Path | None, last: int, json: str | None) -> int:
    """Show past verifications of RUN_ID: since when it no longer reproduces, what changed.

    RUN_ID is the run's id, or an unambiguous beginning of it. Every `verify` on this machine keeps
    its report; those are read, and nothing is run. Where the answer turned, the last verification
    that said otherwise is compared with the first that says so: packages, Python, hardware, data,
    code, the rules of judging, accepted baselines and reprocheck itself.
    """
    from reprocheck import past
    from reprocheck.errors import UnknownRunError
    from reprocheck.report_store import ReportStore, default_folder
    from reprocheck.reporters import history_json, history_terminal

    outputs.check_names({"--json": json})
    store = ReportStore(reports or default_folder())
    named = store.run_named(run_id)
    entries = list(_entries(store, named, last))
    if not entries:
        raise UnknownRunError(
            f"no report of run {named} can be read", f"verify it: reprocheck verify {named}"
        )
    found = past.past(named, entries, older=max(0, len(store.kept(named)) - last))
    outputs.write_document(
        "history",
        json,
        history_json.render(found) if json else "",
        lambda width, color: history_terminal.render(found, width=width, color=color),
    )
    return 0


def _entries(store: ReportStore, run_id: str, last: int) -> Iterator[PastEntry]:
    """What is kept of each report, which may have megabytes; of one that cannot be read a warning
    is told."""
    from reprocheck.errors import ReportFileError
    from reprocheck.past import entry_of

    for kept in store.kept(run_id)[-last:]:
        try:
            yield entry_of(store.read(kept))
        except ReportFileError as error:
            outputs.warn(f"passed over a kept report: {error.message}")
