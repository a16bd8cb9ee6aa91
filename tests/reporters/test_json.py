import json

import pytest

from reprocheck import schema
from reprocheck.reporters import REPORTERS
from tests.reporters.builders import make_metric, make_record, make_report, make_trial
from tests.reporters.cases import CASES

render = REPORTERS["json"]


def _refuse(literal):
    raise AssertionError(f"{literal} is no JSON")


@pytest.mark.parametrize("case", CASES)
def test_every_report_follows_the_schema(case):
    document = json.loads(render(CASES[case]()), parse_constant=_refuse)
    assert schema.check(document, "report") == ()


def test_non_finite_numbers_are_text():
    metric = make_metric("loss", float("nan"), float("inf"), float("-inf"))
    text = render(make_report(trials=(make_trial(metrics={"loss": metric}),)))
    document = json.loads(text, parse_constant=_refuse)
    told = document["trials"][0]["metrics"]["loss"]
    assert told["value"] == "-Infinity"
    assert [point[2] for point in told["history"]] == ["NaN", "Infinity", "-Infinity"]
    assert schema.check(document, "report") == ()


def test_the_same_report_is_the_same_text():
    assert render(make_report()) == render(make_report())


def test_text_that_is_no_unicode_is_written():
    report = make_report(record=make_record(name="a\udc80b", tags={"k\ud800": "v"}))
    assert json.loads(render(report).encode())["record"]["name"] == "a?b"


def test_a_point_is_one_line():
    assert "          [0, 0, 0.91],\n" in render(make_report(trials=()))


@pytest.mark.parametrize("name", REPORTERS)
def test_every_reporter_ends_with_one_newline(name):
    text = REPORTERS[name](make_report())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
