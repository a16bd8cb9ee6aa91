"""The trends of runs as JSON, by schemas/aggregate.schema.json."""

from __future__ import annotations

from reprocheck.detail import Detail, Document, dump, number, shorten, time
from reprocheck.hostile import redact
from reprocheck.model import Aggregate, Problem, Trend, Verification

AGGREGATE_VERSION = 1


def render(aggregate: Aggregate) -> str:
    """The trends as strict JSON, with a final newline."""
    return dump(shorten(_document(aggregate), Detail(text=2_000, items=10_000)))


def _document(aggregate: Aggregate) -> Document:
    return {
        "schema_version": AGGREGATE_VERSION,
        "tool_version": aggregate.tool_version,
        "created_at": time(aggregate.created_at),
        "verified": aggregate.verified,
        "total": aggregate.total,
        "measured": aggregate.measured,
        "runs": [_trend(each) for each in aggregate.trends],
        "problems": [_problem(each) for each in aggregate.problems],
    }


def _trend(trend: Trend) -> Document:
    return {
        "run_id": redact(trend.run_id),
        "name": redact(trend.name),
        "experiment": redact(trend.experiment),
        "standing": trend.standing.value,
        "since": time(trend.since),
        "verdict": trend.last.verdict.value,
        "verifications": [_verification(each) for each in trend.history],
    }


def _verification(found: Verification) -> Document:
    return {
        "at": time(found.at),
        "verdict": found.verdict.value,
        "failed_stage": found.failed_stage and found.failed_stage.value,
        "subject": found.subject,
        "exit_code": found.exit_code,
        "means": {redact(name): number(value) for name, value in found.means.items()},
    }


def _problem(problem: Problem) -> Document:
    return {
        "asked": redact(problem.asked),
        "message": redact(problem.message),
        "hint": redact(problem.hint),
        "exit_code": problem.exit_code,
    }
