"""What a team asks of its records: a JSON schema of its own, and artifacts by pattern."""

from __future__ import annotations

import contextlib
import difflib
import functools
import itertools
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

from reprocheck import mending, schema, yaml_files
from reprocheck.detail import Detail
from reprocheck.documents import record_document
from reprocheck.errors import ConfigError
from reprocheck.model import Artifact, Finding, RecordRules, RunRecord, Severity
from reprocheck.text_files import BrokenTextError, parse_json, read_text

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_S = 10
"""Seconds that the patterns of a schema may take on one record."""

MOST = 100
"""Findings of one schema that are told."""

_OWN = {"errorMessage", "definitions"}
"""Keywords that are none of JSON schema's, and that we read or that a $ref may name."""

_VOCABULARIES = ("core", "applicator", "unevaluated", "validation", "meta-data", "content")
_LIKE = 0.8
"""How alike a keyword that nobody knows has to be to one that counts, to be a misspelt one."""

_UNLISTED = ("artifacts-unreachable", "artifacts-unread", "artifacts-truncated")
"""Findings of a record that has not all artifacts of its run."""


def team_findings(record: RunRecord, rules: RecordRules) -> tuple[Finding, ...]:
    """Where the record's document does not follow the team's own schema.

    Raises `ConfigError` for a schema that cannot be read, is none, or refers to others.
    """
    if rules.schema is None:
        return ()
    validator = _validator(_read(rules.schema), rules.schema)
    # Two points a history: a thousand more are of the same type, and slow to check.
    document = record_document(record, Detail(points=2))
    issues = _issues(validator, document, rules.schema)
    found = [_finding(record, issue, rules.schema) for issue in issues[:MOST]]
    if len(issues) > MOST:
        found.append(_more(len(issues) - MOST, rules.schema))
    return tuple(found)


def artifact_findings(record: RunRecord, rules: RecordRules) -> tuple[Finding, ...]:
    """Patterns that no artifact of the run matches, or only empty ones.

    Where the artifacts could not be listed, whatever is required is missing: nothing shows it.
    """
    matches = ((pattern, _matching(record, pattern)) for pattern in rules.artifacts)
    return tuple(
        _missing(record, pattern, matching)
        for pattern, matching in matches
        if all(artifact.size == 0 for artifact in matching)
    )


# --- the schema ---------------------------------------------------------------------------


def _read(path: Path) -> object:
    """The schema as JSON or YAML."""
    hint = "write a JSON schema (draft 2020-12) in JSON or YAML, and name it under record.schema"
    try:
        text = read_text(path, yaml_files.LARGEST)
        is_yaml = path.suffix in (".yaml", ".yml")
        return yaml_files.parse(text, path).document if is_yaml else parse_json(text)
    except BrokenTextError as error:
        raise ConfigError(f"reading the team's schema {path}: {error}", hint) from error


def _validator(team: object, path: Path) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError, ValidationError

    if not isinstance(team, Mapping):
        raise ConfigError(
            f"the team's schema {path} is no JSON schema: it must be a mapping",
            'begin with {"properties": {"tags": {"required": ["owner"]}}}',
        )
    if str(team.get("$schema", DRAFT)).rstrip("#") != DRAFT:
        raise ConfigError(
            f"the team's schema {path} is written for {str(team['$schema'])[:80]}",
            f'write it for draft 2020-12, and say so: "$schema": "{DRAFT}"',
        )
    try:
        Draft202012Validator.check_schema(team)
    except SchemaError as error:
        (issue, *_) = schema.issues_of([ValidationError.create_from(error)])
        place = schema.pointer(error.absolute_path) or "/"
        raise ConfigError(
            f"the team's schema {path} is no JSON schema: {place} {issue.message}",
            issue.hint or "mend it: https://json-schema.org/understanding-json-schema",
        ) from error
    except RecursionError as error:
        raise ConfigError(f"the team's schema {path} is nested too deep", "nest less") from error
    _refuse_hollow(team, path)
    return Draft202012Validator(team, registry=schema.registry(), format_checker=schema.formats())


def _refuse_hollow(team: Mapping[str, Any], path: Path) -> None:
    """Refuses what validators pass over: misspelt keywords, and what would have to be fetched."""
    from referencing.jsonschema import DRAFT202012

    known = _keywords()
    ours = {"", str(team.get("$id", ""))}
    left: list[Any] = [team]
    while left:
        part = left.pop()
        left += DRAFT202012.subresources_of(part)
        for key in part if isinstance(part, Mapping) else ():
            meant = difflib.get_close_matches(str(key)[:60], known, n=1, cutoff=_LIKE)
            if meant and key not in known:
                raise ConfigError(
                    f"the team's schema {path} has the keyword {key}, which JSON schema has not",
                    f"did you mean {meant[0]}?",
                )
            where = str(part[key]).partition("#")[0] if key in ("$ref", "$dynamicRef") else ""
            if where not in ours and where not in schema.registry():
                raise ConfigError(
                    f"the team's schema {path} refers to {str(part[key])[:80]}, which is not "
                    "fetched",
                    "write that part into the file's own $defs",
                )


@functools.cache
def _keywords() -> frozenset[str]:
    """Of draft 2020-12, by its metaschemas."""
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

    parts = (
        REGISTRY.contents(f"https://json-schema.org/draft/2020-12/meta/{name}")
        for name in _VOCABULARIES
    )
    return frozenset({"format", *_OWN}.union(*(part["properties"] for part in parts)))


def _issues(
    validator: Draft202012Validator, document: object, path: Path
) -> tuple[schema.SchemaIssue, ...]:
    from referencing.exceptions import Unresolvable

    try:
        with _bounded(path):
            return schema.issues_of(validator.iter_errors(document))
    except Unresolvable as error:
        raise ConfigError(
            f"the team's schema {path} refers to {str(error.ref)[:80]}, which it does not have",
            "write that part into the file's own $defs",
        ) from error
    except RecursionError as error:
        raise ConfigError(
            f"the team's schema {path} refers to itself without end", "mend its $ref"
        ) from error
    except re.error as error:
        raise ConfigError(
            f"the team's schema {path} has a pattern that is no regular expression: {error}",
            "mend the pattern",
        ) from error


@contextlib.contextmanager
def _bounded(path: Path) -> Iterator[None]:
    """Ends what takes too long: a pattern that goes back and forth on a hostile text.

    Only where signals can be had, which is the main thread of a system with interval timers.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def end(signum: int, frame: object) -> NoReturn:  # noqa: ARG001 - the signature of a handler
        raise ConfigError(
            f"the team's schema {path} takes over {LONGEST_S} s on this record",
            "look for a pattern with a repetition inside a repetition, as (a+)+, and write it "
            "without",
        )

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- what is told -------------------------------------------------------------------------


def _finding(record: RunRecord, issue: schema.SchemaIssue, path: Path) -> Finding:
    return Finding(
        code="team-rule",
        severity=Severity.ERROR,
        message=f"{issue.pointer or 'the record'}: {issue.message} ({path.name})",
        hint=issue.hint or f"{path.name} says what the team asks of a record",
        pointer=issue.pointer,
        fix=_tagging(record, issue),
    )


def _tagging(record: RunRecord, issue: schema.SchemaIssue) -> str:
    """The line that sets a tag that is missing or has another value; VALUE is to be chosen."""
    top, _, below = issue.pointer.lstrip("/").partition("/")
    name = issue.missing or below.replace("~1", "/").replace("~0", "~")
    if record.ref.tracker != "mlflow" or top != "tags" or not name:
        return ""
    if not issue.choices and not issue.missing:
        return ""  # the value has another form, and nobody knows which
    return mending.set_tag(record, name, "|".join(issue.choices) or "VALUE")


def _more(count: int, path: Path) -> Finding:
    return Finding(
        code="team-rule",
        severity=Severity.ERROR,
        message=f"{count} more places do not follow {path.name}",
        hint="mend the first ones, and validate again",
        pointer="",
    )


# --- artifacts ----------------------------------------------------------------------------


def _matching(record: RunRecord, pattern: str) -> list[Artifact]:
    matches = _expression(pattern).fullmatch
    return [artifact for artifact in record.artifacts if matches(artifact.path)]


def _expression(pattern: str) -> re.Pattern[str]:
    """`*` and `?` within a name, `**` across folders; a folder stands for all that is in it."""
    whole = pattern.removeprefix("./")
    parts = (whole + "**" if whole.endswith("/") else whole).split("/")
    told = ["(?:[^/]+/)*" if part == "**" else _name(part) + "/" for part in parts[:-1]]
    last = ".+" if parts[-1] == "**" else _name(parts[-1])
    return re.compile("".join(told) + last, re.DOTALL)


def _name(part: str) -> str:
    # Stars beside each other are one: each more would multiply the ways to fail.
    single = re.sub(r"\*+", "*", part)
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(each, re.escape(each)) for each in single)


def _missing(record: RunRecord, pattern: str, empty: list[Artifact]) -> Finding:
    paths = [artifact.path for artifact in record.artifacts]
    meant = "" if empty else schema.near(pattern, paths)
    message = f"no artifact of the run matches {pattern}, which the team requires"
    if any(finding.code in _UNLISTED for finding in record.findings):
        message += "; not all of its artifacts could be listed"
    elif empty:
        message = f"{empty[0].path} is empty; the team requires {pattern}"
    return Finding(
        code="missing-artifact",
        severity=Severity.ERROR,
        message=message,
        hint=f"did you mean {meant}?" if meant else "log it with the run, in the training or later",
        pointer="/artifacts",
        fix=_log(record, pattern),
    )


def _log(record: RunRecord, pattern: str) -> str:
    """The line that logs what is missing; of a pattern the folder that it is in."""
    if record.ref.tracker != "mlflow":
        return ""
    parts = PurePosixPath(pattern).parts
    fixed = tuple(itertools.takewhile(lambda part: not set("*?") & set(part), parts))
    is_file = fixed == parts and not pattern.endswith("/")
    folder = PurePosixPath(*(fixed[:-1] if is_file else fixed)).as_posix()
    what = (
        ("log-artifact", f"--local-file={PurePosixPath(*parts)}")
        if is_file
        else ("log-artifacts", f"--local-dir={folder}")
    )
    place = () if folder == "." else (f"--artifact-path={folder}",)
    return mending.shell("mlflow", "artifacts", *what, f"--run-id={record.ref.run_id}", *place)
