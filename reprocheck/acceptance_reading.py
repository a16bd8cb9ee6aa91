"""An accepted baseline back out of its document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reprocheck import model


def acceptance(document: Mapping[str, Any]) -> model.Acceptance:
    """The acceptance of a document that follows baseline.schema.json.

    Raises `ValueError` or `OverflowError` for what no schema can tell.
    """
    return model.Acceptance(
        run_id=document["run_id"],
        by=document["by"],
        at=_instant(document["at"]),
        reason=document["reason"],
        verdict=model.Verdict(document["verdict"]),
        metrics=tuple(
            model.AcceptedMetric(metric=name, old=_values(each["old"]), new=_values(each["new"]))
            for name, each in document["metrics"].items()
        ),
        verified_at=_instant(document["verified_at"]),
        tool_version=document["tool_version"],
    )


def _values(told: list[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in told)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
