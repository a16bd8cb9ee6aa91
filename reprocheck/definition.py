"""The experiment definition that a run recorded: what its team fixed before it."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from reprocheck import schema, yaml_files
from reprocheck.errors import ConfigError
from reprocheck.metric_rules import metric_rule
from reprocheck.model import (
    ExperimentDefinition,
    Finding,
    MetricRule,
    Origin,
    RecordedFile,
    RegisteredData,
    RequiredComparison,
    Severity,
    SignOff,
)
from reprocheck.text_files import BrokenTextError, decode
from reprocheck.yaml_files import LocatedYaml, escape

PATHS = ("reprocheck/experiment.yaml", "experiment.yaml")
"""Where it is among a run's artifacts, the first that exists."""

RUN_ID = re.compile(r"[0-9a-fA-F]{6,64}")
"""What `against` of a comparison has to look like for a run's id."""


def read_definition(
    files: Iterable[RecordedFile],
) -> tuple[ExperimentDefinition | None, tuple[Finding, ...]]:
    """The definition among a run's recorded files; a broken one is told and does not count."""
    recorded = {file.path: file for file in files}
    file = next((recorded[path] for path in PATHS if path in recorded), None)
    if file is None:
        return None, ()
    try:
        located = _located(file)
        return _definition(located, file), tuple(_unread(located))
    except ConfigError as error:
        return None, (_broken(error),)


def parse_definition(file: RecordedFile) -> ExperimentDefinition:
    """The definition in a file.

    Raises `ConfigError` that names file and line.
    """
    return _definition(_located(file), file)


def digest_of(file: RecordedFile) -> str:
    """SHA-256 of a definition's file as it is recorded, in hexadecimal."""
    return file.sha256 or hashlib.sha256(file.content).hexdigest()


def _located(file: RecordedFile) -> LocatedYaml:
    """The file as YAML that follows the schema."""
    try:
        located = yaml_files.parse(decode(file.content), Path(file.path))
    except BrokenTextError as error:
        raise ConfigError(f"{file.path}: {error}", error.hint) from error
    newer = schema.newer(located.document, "version")
    if newer:
        raise ConfigError(f"{located.place('/version')}: {newer}", schema.UPDATE)
    issues = schema.check(located.document, "experiment")
    if issues:
        raise ConfigError(f"{located.place(issues[0].pointer)}: {issues[0].message}")
    return located


def _definition(located: LocatedYaml, file: RecordedFile) -> ExperimentDefinition:
    document: Any = located.document
    metrics = document.get("metrics", {})
    primary, secondary = metrics.get("primary", {}), metrics.get("secondary", {})
    for name in sorted(primary.keys() & secondary.keys()):
        place = located.place(f"/metrics/secondary/{escape(name)}")
        raise ConfigError(f"{place}: the metric is primary, too")
    return ExperimentDefinition(
        primary=tuple(primary),
        secondary=tuple(secondary),
        rules={
            **dict(_rules(primary, "/metrics/primary", located)),
            **dict(_rules(secondary, "/metrics/secondary", located)),
        },
        origin=file.origin,
        sha256=digest_of(file),
        **_beside(document),
    )


def from_document(document: Mapping[str, Any], origin: Origin) -> ExperimentDefinition:
    """The definition of a record's document, which follows run.schema.json.

    Raises `ConfigError` for keys that contradict each other.
    """
    name_of_file = PurePosixPath(origin.where).name
    return ExperimentDefinition(
        primary=tuple(document["primary"]),
        secondary=tuple(document["secondary"]),
        rules={
            name: _rule(name, entry, name_of_file, name_of_file)
            for name, entry in document["metrics"].items()
        },
        origin=origin,
        sha256=document.get("sha256", ""),
        **_beside(document),
    )


def _beside(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the file and the record's document have in one shape: all but the metrics."""
    return {
        "hypothesis": document.get("hypothesis", ""),
        "comparisons": tuple(
            RequiredComparison(
                against=each["against"],
                metrics=tuple(each.get("metrics", ())),
                reason=each.get("reason", ""),
            )
            for each in document.get("comparisons", ())
        ),
        "sign_offs": tuple(
            SignOff(role=each["role"], by=tuple(each.get("by", ())))
            for each in document.get("sign_offs", ())
        ),
        "sensitive": tuple(document.get("sensitive", ())),
        "data": tuple(
            RegisteredData(**{**each, "sensitive": tuple(each.get("sensitive", ()))})
            for each in document.get("data", ())
        ),
    }


def _rules(
    entries: Mapping[str, Any], pointer: str, located: LocatedYaml
) -> Iterator[tuple[str, MetricRule]]:
    for name, entry in entries.items():
        place = located.line(f"{pointer}/{escape(name)}")
        yield name, _rule(name, entry, located.path.name, place)


def _rule(name: str, entry: Mapping[str, Any], source: str, place: str) -> MetricRule:
    rule = metric_rule(name, entry, source, place)
    margin = rule.margin
    widths = [width for width in (margin.absolute, margin.relative) if width] if margin else []
    # What was recorded cannot be mended: told here, it is a finding and no error of usage.
    if not all(0 < side < math.inf for width in widths for side in (width.below, width.above)):
        raise ConfigError(f"{place}: the margin of {name} must be a number above 0")
    if not all(
        map(math.isfinite, (bound for bound in (rule.least, rule.most) if bound is not None))
    ):
        raise ConfigError(f"{place}: min and max of {name} must be finite")
    return rule


def _unread(located: LocatedYaml) -> Iterator[Finding]:
    """Keys that look like misspelt ones: others are the team's own."""
    document: Any = located.document
    known = list(schema.load("experiment")["properties"])
    for key in document:
        meant = "" if key in known else schema.misspelt(key, known)
        if meant:
            yield Finding(
                code="unread-key",
                severity=Severity.WARNING,
                message=f"{located.place('/' + escape(key))}: the key is not read",
                hint=f"did you mean {meant}?",
                pointer="/definition",
                fix=f"{meant}:",
            )


def _broken(error: ConfigError) -> Finding:
    return Finding(
        code="broken-definition",
        severity=Severity.WARNING,
        message=f"the experiment definition of the run does not count: {error.message}",
        hint="record one that follows schemas/experiment.schema.json; a file of another kind "
        "should have another name",
        pointer="/definition",
    )
