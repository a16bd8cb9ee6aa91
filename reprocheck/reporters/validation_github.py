"""Findings as workflow commands of GitHub Actions, which become annotations.

A line that begins with :: is a command, so that text from a run must neither end a line nor a
property: GitHub's own escapes are used for what would.
"""

from __future__ import annotations

from collections.abc import Iterator

from reprocheck.hostile import printable, redacted_validation
from reprocheck.model import Finding, Severity, Validation
from reprocheck.numbers import counted

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(validation: Validation) -> str:
    """A command for each finding, and a last line that is none."""
    clean = redacted_validation(validation)
    lines = [_command(finding, clean) for finding in clean.findings]
    # No text of the run here: what is no command must not be able to become one.
    last = f"{clean.grade.value}: {counted(len(clean.findings), 'finding')}"
    return "\n".join([*lines, last]) + "\n"


def _command(finding: Finding, validation: Validation) -> str:
    properties = [f"{name}={_property(text)}" for name, text in _properties(finding, validation)]
    return f"::{COMMANDS[finding.severity]} {','.join(properties)}::{_data(_message(finding))}"


def _properties(finding: Finding, validation: Validation) -> Iterator[tuple[str, str]]:
    if validation.file is not None:
        yield "file", str(validation.file)
        yield "line", str(_line(finding.pointer, validation))
    yield "title", finding.code


def _line(pointer: str, validation: Validation) -> int:
    """The line of a place in the file, or of its nearest parent that the file has."""
    while pointer and pointer not in validation.lines:
        pointer = pointer.rpartition("/")[0]
    return validation.lines.get(pointer, 1)


def _message(finding: Finding) -> str:
    mend = finding.fix and f"Mend it: {finding.fix}"
    where = finding.pointer and f"At {finding.pointer}"
    parts = (finding.message, finding.hint, mend, where)
    return "\n".join(printable(part) for part in parts if part)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
