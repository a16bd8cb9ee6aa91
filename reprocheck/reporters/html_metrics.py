"""Of a report's page: what was judged, in numbers and in sentences."""

from __future__ import annotations

from reprocheck.model import Report
from reprocheck.reporters import base
from reprocheck.reporters.html_answer import LOOKS


def metrics(report: Report) -> dict[str, object]:
    """The values of the table of judged metrics and of what belongs to each."""
    rows = base.rows(report)
    level = base.levels(report)
    return {
        "rows": [_row(each) for each in rows],
        "common": base.common_count(rows),
        "difference_head": f"Difference ({level} interval)" if level else "Difference",
        "unjudged": base.unjudged(report),
    }


def _row(row: base.Row) -> dict[str, object]:
    return {
        "metric": row.metric,
        "original": row.original,
        "reruns": row.reruns,
        "spread": row.spread,
        "count": row.count,
        "difference": row.difference,
        "interval": " … ".join(row.interval),
        "margin": row.margin,
        "source": base.margin_source(row),
        "mark": base.MARKS[row.judged],
        "verdict": row.judged.value,
        "change": row.change,
        "look": LOOKS[row.judged],
    }
