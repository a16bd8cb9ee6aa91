"""The badge of a team's runs, as shields' endpoint takes it."""

from __future__ import annotations

import json

from reprocheck.model import Aggregate, Verdict

LABEL = "reproducible"


def render(aggregate: Aggregate) -> str | None:
    """The endpoint's JSON; None where nothing was measured: there is nothing to boast of."""
    if not aggregate.measured:
        return None
    document = {
        "schemaVersion": 1,
        "label": LABEL,
        "message": f"{aggregate.verified}/{aggregate.total}",
        "color": _color(aggregate),
    }
    return json.dumps(document) + "\n"


def _color(aggregate: Aggregate) -> str:
    if aggregate.verified == aggregate.total:
        return "brightgreen"
    worst = any(each.last.verdict is Verdict.NOT_REPRODUCED for each in aggregate.trends)
    return "red" if worst else "yellow"
