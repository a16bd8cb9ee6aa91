"""The trends of runs as GitHub-flavoured Markdown, for a job's summary and for the issue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from reprocheck.model import Aggregate, Standing, Trend
from reprocheck.numbers import counted
from reprocheck.reporters import trends
from reprocheck.reporters.markup import code, head, link, prose, row

MOST_ROWS = 100
SHORT_ID, NAME = 64, 80
PAGE = "Open the full report"

NOTE = (
    "A run is listed here once it had reproduced and then did not, two times in a row, as one and "
    "the same code, data and parameters. Failures of machines, networks and builds count neither "
    "for nor against it."
)


def render(aggregate: Aggregate, *, html_url: str = "") -> str:
    """The summary of a schedule's verifications; `html_url` is of its page, https or ""."""
    parts = [f"## {prose(trends.headline(aggregate))}", *_linked(PAGE, html_url)]
    if aggregate.trends:
        parts += [*_table(aggregate.trends), f"<sub>{prose(trends.LEGEND)}</sub>"]
    doubted = [each for each in aggregate.trends if each.standing is Standing.UNCONFIRMED]
    if doubted:
        named = ", ".join(code(each.run_id, SHORT_ID) for each in doubted[:MOST_ROWS])
        parts.append(
            f"**To be confirmed:** {named} did not reproduce for the first time. The next "
            "verification decides; the schedule puts it first."
        )
    parts += _problems(aggregate)
    return "\n\n".join(parts) + "\n"


def issue(aggregate: Aggregate, *, page_url: str = "", html_url: str = "") -> str:
    """The body of the schedule's issue; `page_url` is of what verified, `html_url` of its page,
    https or ""."""
    stopped = [each for each in aggregate.trends if each.standing is Standing.STOPPED]
    if not stopped:
        parts = ["No run that is verified by the schedule is known to have stopped reproducing."]
    else:
        have = "has" if len(stopped) == 1 else "have"
        parts = [f"**{counted(len(stopped), 'run')} {have} stopped reproducing.**"]
        parts += _table(stopped)
        parts.append(
            "To see it happen: "
            + ", ".join(
                f"<code>reprocheck verify {prose(each.run_id)}</code>" for each in stopped[:3]
            )
        )
    parts.append(f"<sub>{prose(trends.LEGEND)}<br>{prose(NOTE)}</sub>")
    parts.append(" · ".join((*_linked(PAGE, html_url), *_linked("The verifications", page_url))))
    return "\n\n".join(filter(None, parts)) + "\n"


def _linked(told: str, url: str) -> Iterator[str]:
    """A link to where the job itself put something, if it is an address that can be linked."""
    found = link(told, url, (urlsplit(url).netloc,))
    if found.startswith("["):
        yield found


def _table(shown: Sequence[Trend]) -> Iterator[str]:
    named = any(each.name for each in shown)
    heads = ("Run", *(("Name",) if named else ()), "Last", "Verdict", "Since", "Metric", "Mean")
    rows = (row(_cells(each, named=named)) for each in shown[:MOST_ROWS])
    yield head(heads) + "\n".join(rows)
    if len(shown) > MOST_ROWS:
        yield f"{counted(len(shown) - MOST_ROWS, 'more run')} in the JSON."


def _cells(trend: Trend, *, named: bool) -> tuple[str, ...]:
    return (
        code(trend.run_id, SHORT_ID),
        *((code(trend.name, NAME),) if named else ()),
        trends.symbols(trend),
        prose(trends.verdict(trend)),
        prose(trends.since(trend)),
        code(trends.metric(trend), NAME),
        prose(trends.values(trend)),
    )


def _problems(aggregate: Aggregate) -> Iterator[str]:
    told = [
        f"- {code(each.asked)} {prose(each.message, 500)}"
        + (f" *{prose(each.hint, 500)}*" if each.hint else "")
        for each in aggregate.problems[:MOST_ROWS]
    ]
    if told:
        yield "\n".join(["**Not verified**\n", *told])
