"""The seal of a run: what it had when it ended, as reprocheck-capture keeps it in record.json."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reprocheck.detail import Document, number, time
from reprocheck.model import Seal, SealedMetric

HIDDEN = "***"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def holds(sealed: str, text: str) -> bool:
    """Whether a text of a run is what its seal says; of a hidden one nothing else is known."""
    if sealed == HIDDEN:
        return True
    if _DIGEST.fullmatch(sealed):
        content = text.encode("utf-8", "surrogatepass")
        return sealed == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return sealed == text


def seal_document(seal: Seal) -> Document:
    """The seal as run.schema.json has it."""
    return {
        "at": time(seal.at),
        "parameters": dict(seal.parameters),
        "metrics": {name: _metric_document(each) for name, each in seal.metrics.items()},
        "tags": dict(seal.tags),
    }


def _metric_document(metric: SealedMetric) -> Document:
    found = {
        "value": number(metric.value),
        "step": metric.step,
        "timestamp_ms": metric.timestamp_ms,
    }
    return found if metric.points is None else {**found, "points": metric.points}


def seal_of(document: Mapping[str, Any]) -> Seal | None:
    """The seal in a record's document that follows run.schema.json; None where it has none."""
    sealed = (document.get("capture") or {}).get("sealed")
    if sealed is None:
        return None
    return Seal(
        at=datetime.fromisoformat(sealed["at"]),
        parameters=dict(sealed["parameters"]),
        metrics={name: _metric(each) for name, each in sealed["metrics"].items()},
        tags=dict(sealed["tags"]),
    )


def _metric(metric: Mapping[str, Any]) -> SealedMetric:
    return SealedMetric(
        value=float(metric["value"]),
        step=metric["step"],
        timestamp_ms=metric["timestamp_ms"],
        points=metric.get("points"),
    )
