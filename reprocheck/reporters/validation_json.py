"""What a record is worth as JSON, by schemas/validation.schema.json."""

from __future__ import annotations

from reprocheck.detail import Document, dump
from reprocheck.documents import finding_document, record_document
from reprocheck.hostile import redacted_validation
from reprocheck.model import Validation

VALIDATION_VERSION = 1


def render(validation: Validation) -> str:
    """The validation as strict JSON with a final newline."""
    return dump(validation_document(validation))


def validation_document(validation: Validation) -> Document:
    """The validation by validation.schema.json, without secrets."""
    clean = redacted_validation(validation)
    return {
        "schema_version": VALIDATION_VERSION,
        "tool_version": clean.tool_version,
        "asked": clean.asked,
        "tracker": clean.record.ref.tracker,
        "run_id": clean.record.ref.run_id,
        "grade": clean.grade.value,
        "findings": [finding_document(finding) for finding in clean.findings],
        "record": record_document(validation.record),
    }
