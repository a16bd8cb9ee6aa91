"""Reads a run's record from a file: by run.schema.json, as a template, or out of a report.json.

A template is the field's usual one (run_id, git_commit, hyperparameters, ...), which
`record_template` makes into the document of run.schema.json. JSON and YAML are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reprocheck import record_reading, record_template, schema, yaml_files
from reprocheck.detail import number
from reprocheck.errors import ConfigError, RecordFileError
from reprocheck.hostile import cut, printable
from reprocheck.model import RunRecord
from reprocheck.record_reading import with_short_histories
from reprocheck.text_files import BrokenTextError, parse_json, read_text

LARGEST = 200_000_000
"""Bytes of a file that is read."""

LONGEST = 1_000_000
"""Characters of a text in it; no report holds longer ones."""

LONGEST_PLACE = 200
"""Characters of a pointer that a message shows."""

_YAML = (".yaml", ".yml")
_REPORT = {"verdict", "record", "tool_version"}
_HINT = (
    "name a file by schemas/run.schema.json, or a report.json as `reprocheck verify --json` "
    "writes it"
)


def names_file(text: str) -> bool:
    """Whether a command line's word means a file and not a run of the tracker."""
    if Path(text).is_file():
        return True
    if "://" in text or text.startswith(("runs:/", "models:/")):
        return False
    return "/" in text or text.endswith((".json", *_YAML))


def read_record_file(path: Path) -> RunRecord:
    """The record in a file.

    A history that the document holds only in part is not taken for the whole: of such a metric
    there is the last value alone. Raises `RecordFileError`.
    """
    document = _document(path)
    _refuse(path, tuple(schema.odd_texts(with_short_histories(document), LONGEST)))
    if record_template.is_template(document):
        _refuse(path, schema.check(document, "run", "template"))
    else:
        _refuse(path, schema.check(with_short_histories(document), "run"))
    try:
        if not record_template.is_template(document):
            return record_reading.record(document)
        document = record_template.to_document(document)
        _refuse(path, schema.check(document, "run"))
        return record_reading.record(document)
    except (ValueError, TypeError, OverflowError, ConfigError) as error:
        raise RecordFileError(f"{path} is a broken record: {error}", _HINT) from error


def _refuse(path: Path, issues: tuple[schema.SchemaIssue, ...]) -> None:
    if not issues:
        return
    # Of another version's record, anything else may differ as well.
    first = next((each for each in issues if each.pointer == "/schema_version"), issues[0])
    more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
    place = cut(printable(first.pointer), LONGEST_PLACE) or "/"
    raise RecordFileError(
        f"{path} is no record of a run: {place} {first.message}{more}", first.hint or _HINT
    )


def _document(path: Path) -> dict[str, Any]:
    """The record's document, out of a report where the file is one."""
    document = _parsed(path)
    if not isinstance(document, dict):
        kind = schema.TYPES["array" if isinstance(document, list) else "string"]
        told = kind if isinstance(document, list | str) else "a single value"
        raise RecordFileError(f"{path} is no record of a run: it is {told}", _HINT)
    _refuse_newer(path, document)
    if document.keys() >= _REPORT:
        if not isinstance(document["record"], dict):
            raise RecordFileError(
                f"{path} is a report without a record: its run was never read",
                "name a report of a verification that could read its run",
            )
        _refuse_newer(path, document["record"])
        return dict(document["record"])
    if not {"run_id", "metrics"} & document.keys():
        keys = ", ".join(str(key)[: schema.SHOWN] for key in list(document)[:5]) or "none"
        raise RecordFileError(
            f"{path} is no record of a run: it is a mapping with other keys ({keys})", _HINT
        )
    return document


def _refuse_newer(path: Path, document: Mapping[str, Any]) -> None:
    newer = schema.newer(document, "schema_version")
    if newer:
        raise RecordFileError(f"reading {path}: {newer}", schema.UPDATE)


def _parsed(path: Path) -> object:
    try:
        text = read_text(path, LARGEST)
        if not text.strip():
            raise BrokenTextError("it is empty")
        return _yaml(text, path) if path.suffix in _YAML else parse_json(text)
    except BrokenTextError as error:
        if isinstance(error.__cause__, OSError):
            raise RecordFileError(f"reading {path}: {error}", _HINT) from error
        raise RecordFileError(
            f"{path} is no record of a run: {error}", error.hint or _HINT
        ) from error


def _yaml(text: str, path: Path) -> object:
    if len(text) > yaml_files.LARGEST:
        raise BrokenTextError("it is YAML of over 1 MB", "write the record as JSON")
    try:
        return _as_json(yaml_files.parse(text, path).document, path)
    except ConfigError as error:
        raise RecordFileError(error.message, error.hint) from error


def _as_json(value: object, path: Path) -> object:
    """What YAML says as JSON has it: .nan is the text NaN."""
    match value:
        case dict():
            return {key: _as_json(each, path) for key, each in value.items()}
        case list():
            return [_as_json(each, path) for each in value]
        case float():
            return number(value)
        case None | str() | int():
            return value
    raise RecordFileError(
        f"{path} is no record of a run: it holds a value of a kind that JSON has not "
        f"({type(value).__name__})",
        "write it as text",
    )
