"""The past verifications of a run as JSON, by schemas/history.schema.json."""

from __future__ import annotations

from reprocheck import __version__
from reprocheck.detail import Detail, Document, dump, number, shorten, time
from reprocheck.model import Past, PastChange, PastEntry

HISTORY_VERSION = 1


def render(past: Past) -> str:
    """The history as strict JSON, with a final newline."""
    return dump(shorten(_document(past), Detail(text=2_000, items=10_000)))


def _document(past: Past) -> Document:
    return {
        "schema_version": HISTORY_VERSION,
        "tool_version": __version__,
        "run_id": past.run_id,
        "standing": past.standing.value,
        "since": time(past.since),
        "sentence": past.sentence,
        "verifications": [_entry(each) for each in past.entries],
        "older": past.older,
        "turn": past.before
        and past.after
        and {
            "before": time(past.before.verification.at),
            "after": time(past.after.verification.at),
            "changes": [_change(each) for each in past.changes],
        },
    }


def _entry(entry: PastEntry) -> Document:
    found = entry.verification
    return {
        "at": time(found.at),
        "verdict": found.verdict.value,
        "failed_stage": found.failed_stage and found.failed_stage.value,
        "exit_code": found.exit_code,
        "accepted": entry.accepted,
        "metrics": {
            name: {"mean": number(mean), "reruns": entry.counts.get(name, 0)}
            for name, mean in found.means.items()
        },
        "environment": entry.environment,
        "machine": entry.machine,
        "tool_version": entry.tool_version,
        "subject": found.subject,
    }


def _change(change: PastChange) -> Document:
    return {
        "what": change.what,
        "asked": change.asked,
        "before": change.before,
        "after": change.after,
    }
