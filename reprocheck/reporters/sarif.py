"""The findings of a check as SARIF 2.1.0, as code scanning takes it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from reprocheck import checks, exit_codes
from reprocheck.detail import Document, dump
from reprocheck.hostile import cut, printable
from reprocheck.model import (
    Check,
    Comparison,
    Finding,
    Problem,
    Report,
    Severity,
    Stage,
    Verdict,
)
from reprocheck.reporters import base, checked
from reprocheck.reporters.places import Place, place

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SITE = "https://github.com/reprocheck/reprocheck"
DOCS = f"{SITE}/blob/main/docs"
LONGEST = 1_000
"""Characters of a message: what code scanning takes of one."""
MOST = 5_000
"""Results; code scanning shows no more."""

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}

NOT_REPRODUCED = "metric-not-reproduced"
NOT_VERIFIED = "not-verified"
NO_REPORT = "no-report"
NOT_GOOD = "verdict-not-good"

_OTHERS = {
    NOT_REPRODUCED: (
        "Rerunning the training gave another value than the one that was recorded.",
        "statistics.md",
    ),
    NOT_VERIFIED: ("A stage of a verification could not do its work.", "reports.md"),
    NO_REPORT: ("A run that was to be verified has no report.", "reports.md"),
    NOT_GOOD: ("A verification did not find that the run reproduces.", "reports.md"),
}
"""Rules that are no findings: what each says, and the page about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Result:
    """One thing to look at."""

    rule: str
    level: str  # error, warning or note
    message: str
    pointer: str
    run_id: str
    experiment: str = ""
    place: Place


def render(check: Check) -> str:
    """The findings of all reports, each at the file it speaks about, as one run of the tool.

    Gated metrics that were not reproduced, and problems, are results, too; so is any verdict that
    is not good, and a check of nothing. Errors come first.
    """
    clean = checked.clean(check)
    order = list(_PROBLEM)
    found = sorted(_results(clean), key=lambda each: order.index(each.level))[:MOST]
    rules = {each.rule: each.level for each in reversed(found)}  # the worst of each
    places = {rule: index for index, rule in enumerate(sorted(rules))}
    driver = {
        "name": "reprocheck",
        "informationUri": SITE,
        "semanticVersion": clean.tool_version,
        "rules": [_rule(name, rules[name]) for name in places],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": list(_documents(found, places)),
    }
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


# --- what there is ----------------------------------------------------------------------------


def _results(check: Check) -> Iterator[_Result]:
    for report in check.reports:
        for finding in dict.fromkeys(report.findings):
            yield _finding(report, finding)
        for each in report.comparisons:
            if each.gated and each.verdict is Verdict.NOT_REPRODUCED:
                yield _metric(report, each)
        if report.failed_stage is not None:
            yield _stage(report, report.failed_stage)
        elif not _is_told(report):
            yield _whole(report)
    yield from map(_problem, check.problems)
    if not check.reports and not check.problems:
        yield _nothing(check)


def _finding(report: Report, finding: Finding) -> _Result:
    told = [finding.message, finding.hint, finding.fix]
    return _Result(
        rule=finding.code,
        level=_LEVELS[finding.severity],
        message=". ".join(text.rstrip(".") for text in told if text),
        pointer=finding.pointer,
        run_id=checked.run_id(report),
        experiment=report.record.experiment if report.record else "",
        place=place(report.record, finding.pointer),
    )


def _metric(report: Report, judged: Comparison) -> _Result:
    name = judged.metric.replace("~", "~0").replace("/", "~1")
    change = f" ({judged.change.value})" if judged.change else ""
    return _Result(
        rule=NOT_REPRODUCED,
        level="error",
        message=f"{judged.metric} is not reproduced{change}: {judged.sentence}",
        pointer=f"/metrics/{name}",
        run_id=checked.run_id(report),
        experiment=report.record.experiment if report.record else "",
        place=place(report.record, "/command"),
    )


def _is_told(report: Report) -> bool:
    """Whether the report is a good one, or metrics say already that it is not."""
    if any(each.gated and each.verdict is Verdict.NOT_REPRODUCED for each in report.comparisons):
        return True
    return not report.dry_run and exit_codes.exit_code(report) == 0


def _whole(report: Report) -> _Result:
    """No result would look as if all were well."""
    undecided = report.dry_run or exit_codes.exit_code(report) == 11
    told = base.DRY_RUN if report.dry_run else f"{checked.answer(report)}: {base.reason(report)}"
    return _Result(
        rule=NOT_GOOD,
        level="warning" if undecided else "error",
        message=told,
        pointer="",
        run_id=checked.run_id(report),
        experiment=report.record.experiment if report.record else "",
        place=place(report.record, "/command"),
    )


def _nothing(check: Check) -> _Result:
    told = ". ".join(text for text in (checked.NOTHING_VERIFIED, check.waiting.strip()) if text)
    return _Result(
        rule=NO_REPORT, level="error", message=told, pointer="", run_id="", place=place(None, "")
    )


def _stage(report: Report, stage: Stage) -> _Result:
    failed = base.failure(report)
    told = [base.reason(report), base.cause(report), failed.hint if failed else ""]
    return _Result(
        rule=NOT_VERIFIED,
        level="error",
        message=f"{stage.value}: {'. '.join(text.rstrip('.') for text in told if text)}",
        pointer="",
        run_id=checked.run_id(report),
        experiment=report.record.experiment if report.record else "",
        place=place(report.record, ""),
    )


def _problem(problem: Problem) -> _Result:
    return _Result(
        rule=NO_REPORT,
        level="error",
        message=checks.in_words(problem),
        pointer="",
        run_id=problem.asked,
        place=place(None, ""),
    )


# --- how it is written ------------------------------------------------------------------------


def _documents(results: list[_Result], rules: dict[str, int]) -> Iterator[Document]:
    nth: Counter[tuple[str, ...]] = Counter()
    for each in results:
        same = (each.run_id, each.rule, each.pointer)
        yield _document(each, rules[each.rule], _fingerprint(*same, str(nth[same])))
        nth[same] += 1


def _document(each: _Result, index: int, fingerprint: str) -> Document:
    artifact = {"uri": quote(each.place.path), "uriBaseId": "%SRCROOT%"}
    where: Document = {
        "physicalLocation": {
            "artifactLocation": artifact,
            "region": {"startLine": each.place.line},
        }
    }
    if each.pointer:
        where["logicalLocations"] = [{"fullyQualifiedName": _line(each.pointer), "kind": "member"}]
    return {
        "ruleId": _line(each.rule),
        "ruleIndex": index,
        "level": each.level,
        "message": {"text": _line(each.message) or _line(each.rule)},
        "locations": [where],
        # Code scanning tells alerts apart by this one, and by no other.
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1"},
        "properties": {"runId": _line(each.run_id), "experiment": _line(each.experiment)},
    }


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _rule(code: str, level: str) -> Document:
    words, where, told = _words(code)
    return {
        "id": _line(code),
        "name": "".join(word.capitalize() for word in _line(code).split("-")),
        "shortDescription": {"text": words},
        "fullDescription": {"text": told},
        "helpUri": where,
        "help": {"text": f"{told} {where}", "markdown": f"{told} [What to do]({where})"},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["reproducibility"], "problem.severity": _PROBLEM[level]},
    }


def _words(code: str) -> tuple[str, str, str]:
    """What a rule is called, where it is explained, and what it says."""
    words = _line(code).replace("-", " ").capitalize()
    if code in _OTHERS:
        told, where = _OTHERS[code]
        return words, f"{DOCS}/{where}", told
    told = f"{words}: found while a recorded training run was verified."
    return words, f"{DOCS}/findings.md#{quote(code)}", told


def _line(text: str) -> str:
    return printable(cut(text, LONGEST))
