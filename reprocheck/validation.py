"""`reprocheck validate`: what a record is worth, asked before anything is checked out or built.

The findings are those of the stage validate of a verification, and what a team asks beyond them:
approvals that are bound to the code, what `record` in reprocheck.yaml requires.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from reprocheck import (
    __version__,
    approvals,
    json_places,
    metadata,
    questions,
    record_rules,
    required,
    yaml_files,
)
from reprocheck.config import Config
from reprocheck.errors import ConfigError
from reprocheck.grading import breaks_rule, grade
from reprocheck.hopeless import (
    ENVIRONMENT,
    command_finding,
    environment_finding,
    lacks_environment,
    settled,
)
from reprocheck.model import Finding, RunRecord, Severity, Validation
from reprocheck.required import Around
from reprocheck.temporary import temporary_folder

_TWINS = {
    "required-clean-tree": ("unknown-tree",),
    "required-pushed-commit": (),
    "required-tracked-imports": (),
    "required-pinned-environment": ("missing-environment",),
    "required-data-hash": ("missing-data", "weak-digest"),
    "required-definition": (),
    "required-seed": ("missing-seed",),
}
"""What a requirement says as an error, and the record's own checks say in milder words."""

_COMMAND = {"missing-command", "kernel-launcher"}
STDIN = "-"
_WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.NOTE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What to validate, and with what."""

    asked: str
    file: Path | None  # that holds the record; None: it is a run of the tracker
    tracking_uri: str
    config: Config
    root: Path | None  # of the repository, where there is one
    env: Mapping[str, str]


def validate(request: Request) -> Validation:
    """Reads a record and judges it; a run without a result is judged, too.

    Raises `UnknownRunError`, `MissingStoreError`, `ReadError` or `RecordFileError`.
    """
    record = _read_file(request.file) if request.file else _read_run(request)
    return judge(record, request)


def judge(record: RunRecord, request: Request) -> Validation:
    """What a record that was read is worth.

    Raises `ConfigError` where the config's rules cannot be meant of what the run logged.
    """
    around = Around(config=request.config, root=request.root, env=request.env)
    found = findings_of(record, around)
    open_ = {each.code for each in found} - supplied(request.config)
    if ENVIRONMENT in open_ and lacks_environment(record, around):
        found = settled(found)
    found = _worst_first((*found, *doubts(record, request.config, found)))
    return Validation(
        asked=request.asked,
        record=record,
        grade=grade(found, supplied(request.config)),
        findings=found,
        tool_version=__version__,
        file=None if request.asked == STDIN else request.file,
    )


def located(validation: Validation) -> Validation:
    """With the line of each finding's place in the file that the record was read from."""
    if validation.file is None:
        return validation
    pointers = {finding.pointer for finding in validation.findings}
    try:
        lines = _lines(validation.file, pointers)
    except (OSError, ValueError, ConfigError):  # it was read before: a line is not worth an error
        return validation
    return dataclasses.replace(validation, lines=lines)


def _lines(file: Path, pointers: set[str]) -> Mapping[str, int]:
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix in (".yaml", ".yml"):
        return yaml_files.parse(text, file).lines
    above = "/record" if json_places.has(text, "record") else ""  # of a report
    found = json_places.lines_of(text, {above + pointer for pointer in pointers})
    return {pointer.removeprefix(above): line for pointer, line in found.items()}


def findings_of(
    record: RunRecord,
    around: Around,
    checks: Callable[[RunRecord], tuple[Finding, ...]] = metadata.validate,
) -> tuple[Finding, ...]:
    """Everything that is found about a record, the worst first; each thing is said once.

    `checks` are the record's own; without the schema they take a fraction of the time.
    """
    strict = tuple(required.findings(record, around))
    told = {code for finding in strict for code in _TWINS.get(finding.code, ())}
    unnamed = command_finding(record, around.config)
    told |= _COMMAND if unnamed else set()
    own = [finding for finding in checks(record) if finding.code not in told]
    own += [unnamed] if unnamed else []
    if ENVIRONMENT not in told | {finding.code for finding in own}:
        lacking = environment_finding(record, around.config)
        own += [lacking] if lacking else []
    ruled = record_rules.findings(record, around.config.record, _definition(around.root))
    return _worst_first(dict.fromkeys((*own, *approvals.findings(record), *ruled, *strict)))


def _definition(root: Path | None) -> bytes | None:
    """The repository's present experiment definition, where it can be read."""
    with contextlib.suppress(OSError):
        return (root / "experiment.yaml").read_bytes() if root else None
    return None


def doubts(record: RunRecord, config: Config, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What is loose in the rules by which it would be judged; nothing where it would not be."""
    if any(each.severity is Severity.ERROR and not breaks_rule(each) for each in found):
        return ()
    return questions.ask(questions.Original.of(record), (), config, ())[1]


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.severity)))


def supplied(config: Config) -> frozenset[str]:
    """What the config has for runs that lack it."""
    supplied = {
        "missing-command": bool(config.command),
        "missing-environment": config.environment_kind == "script" or bool(config.environment_file),
    }
    return frozenset(code for code, is_there in supplied.items() if is_there)


def _read_file(file: Path) -> RunRecord:
    from reprocheck.record_files import read_record_file

    return read_record_file(file)


def _read_run(request: Request) -> RunRecord:
    from reprocheck.trackers import open_tracker

    with temporary_folder(keep=False) as workspace:
        roots = request.config.artifact_roots
        tracker = open_tracker(request.tracking_uri, roots, workspace / "tracker")
        try:
            return tracker.read(request.asked, finished=False)
        finally:
            tracker.close()
