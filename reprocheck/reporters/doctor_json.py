"""What a machine offers as JSON, by schemas/doctor.schema.json."""

from __future__ import annotations

from reprocheck import __version__
from reprocheck.detail import Document, dump
from reprocheck.doctor.base import Answer, Check, Status

DOCTOR_VERSION = 1


def render(answer: Answer) -> str:
    """The answer as strict JSON with a final newline."""
    return dump(doctor_document(answer))


def doctor_document(answer: Answer) -> Document:
    """The answer by doctor.schema.json."""
    return {
        "schema_version": DOCTOR_VERSION,
        "tool_version": __version__,
        "ready": not answer.broken,
        "checks": [_check(check) for check in answer.checks],
    }


def _check(check: Check) -> Document:
    return {
        "check": check.kind.value,
        "name": check.name,
        "status": check.status.value.lower(),
        "found": check.told,
        "mend": None if check.status is Status.OK else check.mend,
    }
