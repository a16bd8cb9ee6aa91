from pathlib import Path
from xml.etree import ElementTree

import junitparser
import pytest
from lxml import etree

from reprocheck.model import FailOn, Outcome, Require, Stage, Verdict
from reprocheck.reporters import junit
from tests.reporters import cases
from tests.reporters.builders import (
    make_acceptance,
    make_comparison,
    make_criterion,
    make_product,
    make_record,
    make_report,
)
from tests.reporters.checks import COMMENTS, PROBLEMS, make_check, several_runs

SCHEMA = Path(__file__).parent / "schemas" / "junit-10.xsd"


@pytest.fixture(scope="module")
def published():
    return etree.XMLSchema(file=str(SCHEMA))


def told(check):
    """The name of each case, and the kind of what it holds; "" where it passed."""
    kinds = {"failure", "error", "skipped"}
    return {
        case.get("name"): "".join(each.tag for each in case if each.tag in kinds)
        for case in ElementTree.fromstring(junit.render(check)).iter("testcase")
    }


EXPECTED = {
    "identical": {"accuracy": ""},
    "reproduced": {"accuracy": ""},
    "consistent": {"accuracy": "failure"},  # as reproduced was required
    "inconclusive": {"f1": "", "accuracy": "skipped"},
    "not_comparable": {"accuracy": "", "loss": "error"},
    "not_reproduced": {"validation/f1_macro": "", "accuracy": "failure"},
    "not_verified": {"stage rebuild": "error"},
    "crashed": {"stage rerun": "error"},
    "dry_run": {"verdict": "error"},
    "several": {
        "accuracy": "",
        "loss": "",
        "product model/model.safetensors": "",
        "accuracy min 0.95": "",
        "loss max 0.13": "failure",
    },
    "not_worse": {"accuracy": ""},
}


@pytest.mark.parametrize("name", cases.CASES)
def test_only_what_was_judged_and_found_good_passes(name):
    assert told(make_check(cases.CASES[name]())) == EXPECTED[name]


def test_undecided_fails_where_the_job_fails_by_it():
    check = make_check(cases.inconclusive(), fail_on=(FailOn.INCONCLUSIVE,))
    assert told(check)["accuracy"] == "failure"


def test_a_criterion_that_is_not_required_fails_nothing():
    missed = make_criterion(outcome=Outcome.MISSES)
    found = told(make_check(make_report(criteria=(missed,))))
    assert found == {"accuracy": "", "accuracy min 0.95": "skipped"}


def test_required_criteria_that_nobody_judged_are_an_error():
    found = told(make_check(make_report(require=Require.CRITERIA)))
    assert found == {"accuracy": "", "success criteria": "error"}


def test_a_verdict_that_no_case_shows_has_its_own():
    report = make_report(verdict=Verdict.NOT_REPRODUCED, sentence="A product changed.")
    assert told(make_check(report)) == {"accuracy": "", "verdict": "failure"}
    nothing = make_report(comparisons=(), verdict=Verdict.NOT_VERIFIED, failed_stage=Stage.COMPARE)
    assert told(make_check(nothing)) == {"verdict": "error"}


def test_a_gated_product_is_a_case():
    product = make_product("model.pkl", gated=True, verdict=Verdict.NOT_REPRODUCED)
    report = make_report(verdict=Verdict.NOT_REPRODUCED, products=(product, make_product("a")))
    assert told(make_check(report)) == {"accuracy": "", "product model.pkl": "failure"}


@pytest.mark.parametrize("check", [make_check(), make_check(waiting="waiting for a fetch")])
def test_a_file_without_a_verification_is_not_green(check):
    root = ElementTree.fromstring(junit.render(check))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")
    assert check.waiting in root.find(".//error").get("message")


def test_problems_are_errors():
    root = ElementTree.fromstring(junit.render(make_check(problems=PROBLEMS)))
    assert [suite.get("name") for suite in root] == [each.asked for each in PROBLEMS]
    assert root.get("errors") == "2"
    assert PROBLEMS[0].hint in root.find(".//error").text


def test_suites_are_runs_and_their_counts_add_up():
    root = ElementTree.fromstring(junit.render(several_runs()))
    first = root[0]
    assert first.get("name") == f"digits-sgd ({'1' * 32})"
    assert first.find("testcase").get("classname") == f"digits/{'1' * 32}"
    assert first.get("timestamp") == "2026-02-01T09:30:00"
    properties = {each.get("name"): each.get("value") for each in first.iter("property")}
    assert properties | {"verdict": "REPRODUCED", "exit_code": "0"} == properties
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root)
    for suite in root:
        times = sum(float(case.get("time")) for case in suite.iter("testcase"))
        assert times == pytest.approx(float(suite.get("time")), abs=0.01)


def test_an_accepted_baseline_is_told():
    accepted = make_acceptance()
    root = ElementTree.fromstring(junit.render(make_check(make_report(acceptance=accepted))))
    properties = {each.get("name"): each.get("value") for each in root.iter("property")}
    assert properties["baseline_accepted_by"] == accepted.by
    assert properties["baseline_reason"] == accepted.reason


def test_hostile_text_stays_in_its_place():
    text = "]]></error><testcase name='x'/>\x00\x1b[31m\ufffe\ud800 \x85&amp;"
    report = make_report(
        record=make_record(name=text, experiment=text),
        comparisons=(make_comparison(metric=text, sentence=text, verdict=Verdict.NOT_REPRODUCED),),
        verdict=Verdict.NOT_REPRODUCED,
        sentence=text,
    )
    written = junit.render(make_check(report))
    root = ElementTree.fromstring(written.encode())
    assert len(list(root.iter("testcase"))) == 1
    assert "&amp;" in root.find(".//failure").text
    assert not set(written) & set("\x00\x1b\ufffe\ud800")


@pytest.mark.parametrize(
    "check",
    [check for check, _ in COMMENTS.values()]
    + [make_check(*(case() for case in cases.CASES.values()), problems=PROBLEMS)],
)
def test_it_follows_the_published_schema(published, check):
    published.assertValid(etree.fromstring(junit.render(check).encode()))


def test_the_schema_refuses_what_is_wrong(published):
    written = junit.render(several_runs()).replace("<testcase", "<test-case", 1)
    written = written.replace("</testcase>", "</test-case>", 1)
    assert not published.validate(etree.fromstring(written.encode()))


def test_another_reader_finds_the_same():
    check = make_check(cases.inconclusive(), cases.not_reproduced(), cases.crashed())
    suites = junitparser.JUnitXml.fromstring(junit.render(check).encode())
    assert (suites.tests, suites.failures, suites.errors) == (5, 1, 1)
    [first, second, third] = suites
    assert (first.skipped, second.failures, third.errors) == (1, 1, 1)
    [undecided] = [case for case in first if case.is_skipped]
    assert (undecided.name, undecided.result[0].type) == ("accuracy", "INCONCLUSIVE")
    [failed] = [case for case in second if case.is_failure]
    assert failed.result[0].message == cases.not_reproduced().sentence
