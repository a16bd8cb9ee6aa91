"""The one comment on a pull request, and a job's summary: all reports of a check, worst first.

Markdown by markup.py, so that no text of a run is more than text. Both are made of blocks, which
are left out whole, or by whole rows, where they would not fit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from reprocheck import checks
from reprocheck.detail import time
from reprocheck.hostile import redact, redacted_report
from reprocheck.model import Check, Page, Report
from reprocheck.reporters import base, checked, comment_state
from reprocheck.reporters.accepted_words import judged_against, proposed
from reprocheck.reporters.blocks import BETWEEN, Block, Size
from reprocheck.reporters.blocks import page as fitted
from reprocheck.reporters.comment_base import against_base
from reprocheck.reporters.comment_check import around
from reprocheck.reporters.comment_context import description, footer, links, since, whole
from reprocheck.reporters.comment_curves import curves
from reprocheck.reporters.comment_digests import digests
from reprocheck.reporters.comment_method import locally, method
from reprocheck.reporters.comment_rows import (
    criteria,
    differing,
    folded,
    found,
    metrics,
    next_steps,
    planned_metrics,
    undeclared_inputs,
    unjudged,
)
from reprocheck.reporters.markup import alert, code, prose
from reprocheck.reporters.used import MINIMAL

LARGEST = 60_000
"""Bytes: GitHub takes comments up to 65,536 characters, and a caller may add to it."""
LARGEST_SUMMARY = 900_000
"""Bytes: above 1 MiB GitHub drops the summary of a job and fails the step."""
SECTIONS = 20
"""Runs told of beyond their verdict in a comment; the others stand in its table."""
ROWS = 40
SUMMARY_ROWS = 1_000
NAME = 80
REASON = 1_000
SHORT_REASON = 300


def render(check: Check, page: Page) -> str:
    """The comment: at most `LARGEST` bytes of Markdown, its state in the last line."""
    check, page = _clean(check, page)
    state = comment_state.remember(check, page)
    size = Size(
        most_bytes=LARGEST - len(state) - 2,
        rows=max(6, ROWS // max(1, len(check.reports))),
        sections=SECTIONS,
    )
    return f"{_page(check, page, size)}\n{state}\n"


def summary(check: Check, page: Page) -> str:
    """The same for a job's summary: at most `LARGEST_SUMMARY` bytes, with more rows, unfolded."""
    size = Size(
        most_bytes=LARGEST_SUMMARY,
        rows=max(ROWS, SUMMARY_ROWS // max(1, len(check.reports))),
        sections=SUMMARY_ROWS,
        unfolded=True,
    )
    return _page(*_clean(check, page), size)


def one(report: Report) -> str:
    """A report that no check is known of, as a comment without links and state."""
    check = checks.alone(report)
    return _page(*_clean(check, Page()), Size(most_bytes=LARGEST, rows=ROWS, sections=1))


def _clean(check: Check, page: Page) -> tuple[Check, Page]:
    """Both without secrets; of a run of which little may be told, no more than that."""
    base = {redact(run): redacted_report(report) for run, report in page.base.items()}
    return checked.clean(check), dataclasses.replace(page, base=base)


def _page(check: Check, page: Page, size: Size) -> str:
    return fitted(list(_blocks(check, page, size)), size)


def _blocks(check: Check, page: Page, size: Size) -> Iterator[Block]:
    reports = checked.worst_first(check.reports)
    alone = len(reports) == 1 and not check.problems
    if alone:
        yield from _verdict(reports[0], level="##", length=REASON)
    else:
        yield Block(rank=0, title="", before=f"## {prose(checked.headline(check))}")
    yield from whole(page)
    yield from around(check, reports, page)
    yield from since(check, page)
    for report in reports[: size.sections]:
        if not alone:
            yield from _verdict(report, level="###", length=SHORT_REASON)
        yield from _section(report, page)
    yield Block(rank=0, title="", before=_last(check, page))


def _last(check: Check, page: Page) -> str:
    made = prose(f"reprocheck {check.tool_version[:NAME]}, {time(check.created_at)}")
    if page.workflow_url:  # of no job nothing can fail
        made += f"; the job fails on {prose(', '.join(check.fail_on) or 'errors of its own')}"
    found = footer(page)
    return f"{found}{BETWEEN if found else ''}<sub>{made}</sub>"


# --- one report -----------------------------------------------------------------------------


def _verdict(report: Report, *, level: str, length: int) -> Iterator[Block]:
    """The answer and its reason."""
    answer = f"{base.mark(report)}{prose(checked.answer(report))}"
    yield Block(rank=0, title="", before=f"{level} {answer}: {_name(report)}")
    told = (base.reason(report), base.cause(report), judged_against(report))
    reasons = [prose(line, length) for line in told if line]
    if reasons:
        yield Block(rank=1, title="reasons", before=alert(checked.alert(report), *reasons))
    if report.proposed:
        proposal = alert("NOTE", prose(proposed(report), length))
        yield Block(rank=1, title="the proposed baseline", before=proposal)


def _name(report: Report) -> str:
    record = report.record
    if record is None:
        return code(checked.run_id(report), NAME)
    told = code(record.name, NAME) or code(record.ref.run_id, NAME)
    return f"{told} of {code(record.experiment, NAME)}" if record.experiment.strip() else told


def _minimal(report: Report) -> Iterator[Block]:
    """What may be told of a sensitive run beside its verdict."""
    yield Block(rank=1, title="the detail", before=f"**Detail:** {prose(MINIMAL)}")
    yield from metrics(report)
    yield from criteria(report)
    yield from next_steps(report)
    yield from digests(report)


def _section(report: Report, page: Page) -> Iterator[Block]:
    if checked.is_minimal(report):
        yield from _minimal(report)
        return
    yield from planned_metrics(report) if report.dry_run else metrics(report)
    yield from criteria(report)
    yield from next_steps(report)
    yield from differing(report)
    yield from undeclared_inputs(report)
    other = page.base.get(checked.run_id(report))
    if other is not None and not checked.is_minimal(other):
        yield from against_base(report, other)
    yield from description(report)
    yield from unjudged(report)
    yield from links(report, page)
    yield from found(report)
    yield from folded(report)
    yield from method(report)
    yield from curves(report)
    yield from locally(report)
