"""The experiment definition that a run recorded: what its team fixed before it."""

from __future__ import annotations

import math
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
    Severity,
)
from reprocheck.yaml_files import LocatedYaml, escape

PATHS = ("reprocheck/experiment.yaml", "experiment.yaml")
"""Where it is among a run's artifacts, the first that exists."""


def read_definition(
    files: Iterable[RecordedFile],
) -> tuple[ExperimentDefinition | None, tuple[Finding, ...]]:
    """The definition among a run's recorded files; a broken one is told and does not count."""
    recorded = {file.path: file for file in files}
    file = next((recorded[path] for path in PATHS if path in recorded), None)
    if file is None:
        return None, ()
    try:
        return parse_definition(file), ()
    except ConfigError as error:
        return None, (_broken(error),)


def parse_definition(file: RecordedFile) -> ExperimentDefinition:
    """The definition in a file.

    Raises `ConfigError` that names file and line.
    """
    try:
        located = yaml_files.parse(file.content.decode("utf-8"), Path(file.path))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file.path}: it is not UTF-8 text") from error
    issues = schema.check(located.document, "experiment")
    if issues:
        raise ConfigError(f"{located.place(issues[0].pointer)}: {issues[0].message}")
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
    )


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


def _broken(error: ConfigError) -> Finding:
    return Finding(
        code="broken-definition",
        severity=Severity.WARNING,
        message=f"the experiment definition of the run does not count: {error.message}",
        hint="record one that follows schemas/experiment.schema.json; a file of another kind "
        "should have another name",
        pointer="/definition",
    )
