"""An accepted baseline as JSON: in reprocheck.baseline.json and in reports."""

from __future__ import annotations

from reprocheck import model
from reprocheck.detail import Document, number, time


def acceptance(accepted: model.Acceptance) -> Document:
    """The acceptance by baseline.schema.json, its keys sorted."""
    metrics = sorted(accepted.metrics, key=lambda each: each.metric)
    return {
        "at": time(accepted.at),
        "by": accepted.by,
        "metrics": {
            each.metric: {
                "new": [number(value) for value in each.new],
                "old": [number(value) for value in each.old],
            }
            for each in metrics
        },
        "reason": accepted.reason,
        "run_id": accepted.run_id,
        "tool_version": accepted.tool_version,
        "verdict": accepted.verdict.value,
        "verified_at": time(accepted.verified_at),
    }
