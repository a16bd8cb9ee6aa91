"""A report back out of its document, so that any of its renderings can be made again.

The file may come from anybody: it is read under limits, by its schema, and no further than that.
What a document has not: the content of products and of recorded files, single predictions, the
points of long histories that were left out, and where a margin was declared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reprocheck import (
    acceptance_reading,
    exhibit_reading,
    judgement_reading,
    model,
    record_reading,
    schema,
    used_reading,
)
from reprocheck.detail import Detail, Document, float_of
from reprocheck.documents import LARGEST_REPORT
from reprocheck.errors import ConfigError, ReportFileError
from reprocheck.hostile import cut, printable, report_secrets
from reprocheck.model import SEVERITY_ORDER, Verdict
from reprocheck.text_files import BrokenTextError, parse_json, read_text

LARGEST = LARGEST_REPORT + 1_000_000
"""Bytes of a file that is read: a little more than is written, for other indentation."""

GOOD = SEVERITY_ORDER[: SEVERITY_ORDER.index(Verdict.INCONCLUSIVE)]

MOST_RERUNS = 1_000
LONGEST_S = 1e12
MOST_ISSUES = 20
MOST_SECRETS = 100
"""Values that are secrets by their names: we write none, and each is looked for in every text."""
LONGEST_PLACE = 200
"""Characters of a pointer that a message shows."""

HINT = "name a report.json as `reprocheck verify --json FILE` writes it"


def read_report(path: Path) -> model.Report:
    """The report in a file. Raises `ReportFileError`."""
    return report_in(path, read_document(path))


def report_in(path: Path, document: Mapping[str, Any], place: str = "") -> model.Report:
    """The report of a file's document, or of the part of it at a JSON pointer.

    Raises `ReportFileError`.
    """
    refuse_newer(path, document)
    refuse_issues(
        path, schema.check(with_short_histories(document), "report", most=MOST_ISSUES), place
    )
    try:
        found = report(document)
        refuse_contradiction(found)
        _refuse_secrets(found)
    except (ValueError, TypeError, OverflowError, ConfigError) as error:
        told = cut(printable(str(error)), LONGEST_PLACE)
        where = f" at {place}" if place else ""
        raise ReportFileError(f"{path} is a broken report{where}: {told}", HINT) from error
    return found


def report(document: Mapping[str, Any]) -> model.Report:
    """The report of a document that follows report.schema.json.

    Raises `ValueError`, `TypeError`, `OverflowError` or `ConfigError` for what no schema can tell.
    """
    gates, built = document["gates"], document["environment"]
    return model.Report(
        schema_version=document["schema_version"],
        tool_version=document["tool_version"],
        created_at=instant(document["created_at"]),
        asked=document["asked"],
        record=_record(document["record"]),
        stages=tuple(_stages(document)),
        environment=built and _environment(built),
        cost=_cost(document["cost"]),
        trials=tuple(map(_trial, document["trials"])),
        gates=gates and model.Gates(metrics=tuple(gates["metrics"]), reason=gates["reason"]),
        comparisons=tuple(map(judgement_reading.comparison, document["comparisons"])),
        verdict=model.Verdict(document["verdict"]),
        failed_stage=model.Stage(document["failed_stage"]) if document["failed_stage"] else None,
        sentence=document["sentence"],
        needed=document["needed"],
        require=model.Require(document["require"]),
        dry_run=document["dry_run"],
        workspace=None if document["workspace"] is None else Path(document["workspace"]),
        plan=_plan(document["plan"]),
        seeds=tuple(document["seeds"]),
        stopped_by=document["stopped_by"],
        criteria=tuple(map(judgement_reading.criterion, document["criteria"])),
        products=tuple(map(judgement_reading.product, document["products"])),
        predictions=document["predictions"]
        and judgement_reading.predictions(document["predictions"]),
        **used_reading.used(document),
        subject=whole_line(document.get("subject", "")),
        detail=model.ReportDetail(document.get("detail", "full")),
        kept=document["kept"],
        acceptance=_acceptance(document, "acceptance"),
        proposed=_acceptance(document, "proposed"),
        exhibits=exhibit_reading.exhibits(document.get("exhibits", ())),
    )


def _acceptance(document: Mapping[str, Any], key: str) -> model.Acceptance | None:
    found = document.get(key)
    return found and acceptance_reading.acceptance(found)


def refuse_contradiction(report: model.Report) -> None:
    """Refuses a verdict that is better than what the report's own judgements say, or that nothing
    was judged for: such a file was changed, or made by hand. Raises `ValueError`.
    """
    verdict = report.verdict
    if verdict not in GOOD:
        return
    judged: list[model.Comparison | model.ProductComparison] = [
        *report.comparisons,
        *report.products,
    ]
    gated = [each.verdict for each in judged if each.gated and each.verdict in SEVERITY_ORDER]
    worst = max(map(SEVERITY_ORDER.index, gated), default=None)
    if report.dry_run or report.failed_stage is not None or worst is None:
        raise ValueError(f"its verdict is {verdict}, and nothing was judged")
    if report.record is None:
        raise ValueError(f"its verdict is {verdict}, and it has no run")
    if worst > SEVERITY_ORDER.index(verdict):
        raise ValueError(f"its verdict is {verdict}, and what it judged {SEVERITY_ORDER[worst]}")
    good = [each for each in report.comparisons if each.gated and each.verdict in GOOD]
    measured = any(comparison.reruns for comparison in report.comparisons)
    if not measured or not all(each.reruns for each in good):
        raise ValueError(f"its verdict is {verdict}, and no rerun has a value")


def _refuse_secrets(report: model.Report) -> None:
    if len(report_secrets(report)) > MOST_SECRETS:
        raise ValueError(f"it tells over {MOST_SECRETS} secrets, which are never written")


def instant(text: str) -> datetime:
    """A time in UTC. Raises `ValueError` or `OverflowError`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def whole_line(text: str) -> str:
    """The text; the pattern of a schema lets a line's end by. Raises `ValueError`."""
    if text.endswith("\n"):
        raise ValueError("a digest ends in a line's end")
    return text


def _record(document: Mapping[str, Any] | None) -> model.RunRecord | None:
    if document is None:
        return None
    record = record_reading.record(document)
    return dataclasses.replace(record, metrics=_metrics(document["metrics"]))


def _metrics(metrics: Mapping[str, Any]) -> dict[str, model.Metric]:
    return {name: record_reading.shown_metric(name, each) for name, each in metrics.items()}


def _stages(document: Mapping[str, Any]) -> Iterator[model.StageResult]:
    """The stages, each with its findings; of a stage that is told twice, the first has them."""
    found: dict[str, list[model.Finding]] = {}
    for each in document["findings"]:
        found.setdefault(each["stage"], []).append(record_reading.finding_of(each))
    for each in document["stages"]:
        failure = each["failure"]
        yield model.StageResult(
            stage=model.Stage(each["stage"]),
            status=model.StageStatus(each["status"]),
            duration_s=_seconds(each["duration_s"]),
            summary=each["summary"],
            findings=tuple(found.pop(each["stage"], ())),
            failure=failure and model.Failure(**failure),
        )


def _environment(built: Mapping[str, Any]) -> model.BuiltEnvironment:
    return model.BuiltEnvironment(
        kind=model.EnvironmentKind(built["kind"]),
        digest=built["digest"],
        python=built["python"],
        asked=built["asked"],
        lock=built["lock"],
        packages=tuple(
            model.Package(name=each["name"], version=each["version"]) for each in built["packages"]
        ),
        isolation=built["isolation"],
        cached=built["cached"],
    )


def _cost(cost: Mapping[str, Any] | None) -> model.Cost | None:
    if cost is None:
        return None
    return model.Cost(
        original_s=float_of(cost["original_s"]),
        reruns=cost["reruns"],
        trial_timeout_s=float(cost["trial_timeout_s"]),
        longest_s=float(cost["longest_s"]),
    )


def _plan(plan: Mapping[str, Any] | None) -> model.RerunPlan | None:
    """The looks of a plan are counted out, one by one."""
    if plan is not None and max(plan["least"], plan["most"]) > MOST_RERUNS:
        raise ValueError(f"/plan has more than {MOST_RERUNS} reruns")
    return None if plan is None else judgement_reading.plan(plan)


def _trial(trial: Mapping[str, Any]) -> model.Trial:
    return model.Trial(
        index=trial["index"],
        seed=trial["seed"],
        metrics=_metrics(trial["metrics"]),
        parameters=trial["parameters"],
        differences=tuple(model.Difference(**each) for each in trial["differences"]),
        exit_code=trial["exit_code"],
        duration_s=_seconds(trial["duration_s"]),
        log=Path(trial["log"]),
        log_tail=trial["log_tail"],
        products=tuple(model.Product(**each) for each in trial["products"]),
    )


def _seconds(told: float | str) -> float:
    seconds = float(told)
    if not 0 <= seconds <= LONGEST_S:
        raise ValueError(f"a duration of {told} seconds is none")
    return seconds


# --- the file -----------------------------------------------------------------------------


def read_document(path: Path) -> Document:
    """The mapping in a file of strict JSON that no symbolic link leads to.

    Raises `ReportFileError`.
    """
    try:
        document = parse_json(read_text(path, LARGEST, follow=False))
    except BrokenTextError as error:
        raise ReportFileError(f"reading {path}: {error}", error.hint or HINT) from error
    if not isinstance(document, dict):
        raise ReportFileError(f"{path} is no report: it is no mapping", HINT)
    refuse_issues(path, schema.strange(document, Detail().items))
    odd = schema.odd_texts(document, Detail().text, nul=True)  # logs may hold one
    refuse_issues(path, tuple(odd))
    return document


def refuse_newer(path: Path, document: Mapping[str, Any]) -> None:
    """Refuses a report, a check or a record of a version to come. Raises `ReportFileError`."""
    for part in (document, document.get("record")):
        newer = schema.newer(part, "schema_version")
        if newer:
            raise ReportFileError(f"reading {path}: {newer}", schema.UPDATE)


def refuse_issues(path: Path, issues: tuple[schema.SchemaIssue, ...], place: str = "") -> None:
    """Refuses a document with issues, and tells the first. Raises `ReportFileError`."""
    if issues:
        more = f" (and {len(issues) - 1} more)" if len(issues) > 1 else ""
        where = cut(printable(place + issues[0].pointer), LONGEST_PLACE) or "/"
        raise ReportFileError(
            f"{path} is no report: {where} {issues[0].message}{more}", issues[0].hint or HINT
        )


def with_short_histories(document: Mapping[str, Any]) -> Document:
    """A report's document with the first points of each history and the first rows of each grid,
    as far as it is one.
    """
    record, trials = document.get("record"), document.get("trials")
    found = dict(document)
    if isinstance(record, dict):
        found["record"] = record_reading.with_short_histories(record)
    if isinstance(trials, list):
        found["trials"] = [
            record_reading.with_short_histories(each) if isinstance(each, dict) else each
            for each in trials
        ]
    exhibits = document.get("exhibits")
    if isinstance(exhibits, list):
        found["exhibits"] = [exhibit_reading.with_short_grids(each) for each in exhibits]
    return found
