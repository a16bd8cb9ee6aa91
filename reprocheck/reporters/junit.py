"""A check as JUnit XML, which every CI shows: a suite a run, a case for each thing judged.

Jenkins' junit-10.xsd describes the elements; what passes is said by junit_cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reprocheck import checks, exit_codes
from reprocheck.hostile import cut, printable
from reprocheck.model import Check, Problem, Report
from reprocheck.reporters import base, checked
from reprocheck.reporters.junit_cases import ERROR, FAILURE, PASSED, SKIPPED, Case, cases

LONGEST = 2_000
"""Characters of a message."""
NAME = 250
"""Characters of a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Suite:
    """The cases of one run."""

    name: str
    classname: str
    cases: list[Case]
    at: datetime | None = None  # UTC
    duration_s: float = 0.0
    properties: tuple[tuple[str, str], ...] = ()
    told: str = ""


def render(check: Check) -> str:
    """The check as JUnit XML with a final newline.

    A check in which nothing was judged has an error: it never looks passed.
    """
    clean = checked.clean(check)
    suites = [_of_report(clean, each) for each in clean.reports]
    suites += map(_of_problem, clean.problems)
    found = [_suite(each) for each in suites or [_of_nothing(clean)]]
    root = Element("testsuites", {"name": "reprocheck", **_totals(found)})
    root.extend(found)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


# --- suites -----------------------------------------------------------------------------------


def _of_report(check: Check, report: Report) -> _Suite:
    run_id, record = checked.run_id(report), report.record
    name = record.name.strip() if record else ""
    experiment = record.experiment.strip() if record else ""
    return _Suite(
        name=f"{name} ({run_id})" if name else run_id,
        classname=f"{experiment}/{run_id}" if experiment else run_id,
        cases=cases(check, report),
        at=report.created_at,
        duration_s=sum(stage.duration_s for stage in report.stages),
        properties=tuple(_properties(report)),
        told=f"{base.headline(report)}\n{report.sentence}",
    )


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    record = report.record
    yield "verdict", base.headline(report)
    yield "run_id", checked.run_id(report)
    yield "experiment", record.experiment if record else ""
    yield "commit", record.code.commit if record else ""
    yield "require", report.require.value
    yield "reruns", str(len(report.trials))
    yield "exit_code", str(exit_codes.exit_code(report))
    yield "tool_version", report.tool_version
    if report.acceptance:
        yield "baseline_accepted_by", report.acceptance.by
        yield "baseline_reason", report.acceptance.reason


def _of_problem(problem: Problem) -> _Suite:
    told = checks.in_words(problem)
    case = Case(name="report", told=told, kind=ERROR, type="no report")
    return _Suite(name=problem.asked, classname=problem.asked, cases=[case])


def _of_nothing(check: Check) -> _Suite:
    told = ". ".join(text for text in (checked.NOTHING_VERIFIED, check.waiting.strip()) if text)
    case = Case(name="verification", told=told, kind=ERROR, type="nothing verified")
    return _Suite(name="reprocheck", classname="reprocheck", cases=[case], at=check.created_at)


# --- elements ---------------------------------------------------------------------------------


def _suite(suite: _Suite) -> Element:
    kinds = Counter(case.kind for case in suite.cases)
    found = Element("testsuite", name=_line(suite.name, NAME), tests=str(len(suite.cases)))
    found.attrib |= {"failures": str(kinds[FAILURE]), "errors": str(kinds[ERROR])}
    found.attrib |= {"skipped": str(kinds[SKIPPED]), "time": _seconds(suite.duration_s)}
    if suite.at is not None:  # the form has no zone: it is UTC
        found.set("timestamp", suite.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    _add_properties(found, suite.properties)
    # The reruns are for all cases together. CI adds cases up, so each has its share of the time.
    share_s = suite.duration_s / len(suite.cases)
    for case in suite.cases:
        found.append(_case(case, _line(suite.classname, NAME), share_s))
    if suite.told:
        SubElement(found, "system-out").text = _text(suite.told)
    return found


def _add_properties(suite: Element, properties: Iterable[tuple[str, str]]) -> None:
    found = [(name, value) for name, value in properties if value]
    if found:
        under = SubElement(suite, "properties")
        for name, value in found:
            SubElement(under, "property", name=name, value=_line(value, NAME))


def _case(case: Case, classname: str, share_s: float) -> Element:
    names = {"classname": classname, "name": _line(case.name, NAME)}
    found = Element("testcase", names, time=_seconds(share_s))
    if case.kind is PASSED:
        SubElement(found, "system-out").text = _text(case.told)
    else:
        message = _line(case.told.partition("\n")[0], LONGEST)
        told = SubElement(found, case.kind, type=_line(case.type, NAME), message=message)
        told.text = _text(case.told)
    return found


def _totals(suites: Iterable[Element]) -> dict[str, str]:
    """Of all suites: Jenkins' form has no count of skipped ones here."""
    found = list(suites)
    counts = {
        name: str(sum(int(suite.attrib[name]) for suite in found))
        for name in ("tests", "failures", "errors")
    }
    return {**counts, "time": _seconds(sum(float(suite.attrib["time"]) for suite in found))}


# --- texts ------------------------------------------------------------------------------------


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.3f}"


def _line(text: str, length: int) -> str:
    """One line, without the characters that XML 1.0 has not."""
    return printable(cut(text, length))


def _text(text: str) -> str:
    return "\n".join(_line(line, LONGEST) for line in text.splitlines())
