"""A report as one HTML page that opens from a disk, in an e-mail, or as a build's artifact."""

from __future__ import annotations

from reprocheck.discretion import minimal
from reprocheck.hostile import redacted_report
from reprocheck.model import Report
from reprocheck.reporters import checked
from reprocheck.reporters.exhibit_rows import exhibits
from reprocheck.reporters.html_answer import answer
from reprocheck.reporters.html_by_hand import commands
from reprocheck.reporters.html_metrics import metrics
from reprocheck.reporters.html_sides import sides
from reprocheck.reporters.html_trials import course, findings, method
from reprocheck.reporters.pages import page


def render(report: Report, note: str = "") -> str:
    """The report as a page: the answer first, then what it rests on; it fetches nothing.

    `note` stands above all.
    """
    told = minimal(report) if checked.is_minimal(report) else report
    clean = redacted_report(told)
    values = {
        "note": note,
        **answer(clean),
        **commands(clean),
        "exhibits": exhibits(clean),
        "judged": tuple(metrics(clean)),
        "rest": (*sides(clean), *findings(clean), *course(clean), *method(clean)),
    }
    return page("report.html", values, style=("figures.css", "exhibits.css", "report.css"))
