"""What a check looks like in each format that an option can ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reprocheck.model import Check, Report


def json(check: Check) -> str:
    """By report.schema.json; of several reports, by check.schema.json."""
    from reprocheck.check_documents import check_document, is_single
    from reprocheck.detail import dump
    from reprocheck.reporters import json as one

    return one.render(check.reports[0]) if is_single(check) else dump(check_document(check))


def markdown(check: Check) -> str:
    """As in a comment."""
    from reprocheck.check_documents import is_single
    from reprocheck.model import Page
    from reprocheck.reporters import comment
    from reprocheck.reporters import markdown as one

    return one.render(check.reports[0]) if is_single(check) else comment.render(check, Page())


def html(check: Check) -> str:
    """A page of one report, or of all."""
    from reprocheck import publishing

    return publishing.page_of(check)


def junit(check: Check) -> str:
    """A test suite a run."""
    from reprocheck.reporters import junit as reporter

    return reporter.render(check)


def sarif(check: Check) -> str:
    """A result a finding."""
    from reprocheck.reporters import sarif as reporter

    return reporter.render(check)


def csv(check: Check) -> str:
    """A line a metric and run."""
    from reprocheck.reporters import csv as reporter

    return reporter.render(check)


FORMATS: Mapping[str, Callable[[Check], str]] = {
    "--json": json,
    "--markdown": markdown,
    "--html": html,
    "--junit": junit,
    "--sarif": sarif,
    "--csv": csv,
}
"""Every format by its option."""


def written(report: Report) -> Report:
    """The report as its JSON file has it, so that each format is the same when made from that."""
    from reprocheck import report_reading
    from reprocheck.documents import report_document
    from reprocheck.errors import ConfigError

    try:
        return report_reading.report(report_document(report))
    except (ValueError, TypeError, OverflowError, ConfigError):
        return report  # what took hours is shown all the same
