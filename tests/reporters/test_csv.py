import csv
import dataclasses
import math
from io import StringIO

import pytest

from reprocheck.reporters import csv as reporter
from tests.reporters import cases
from tests.reporters.builders import make_comparison, make_record, make_report
from tests.reporters.checks import PROBLEMS, make_check, several_runs


def rows(check):
    return list(csv.DictReader(StringIO(reporter.render(check), newline=""), strict=True))


def test_a_line_a_metric_and_run():
    found = rows(several_runs())
    gated = [(row["name"], row["metric"], row["verdict"]) for row in found if row["gated"] == "yes"]
    assert gated == [
        ("digits-sgd", "accuracy", "REPRODUCED"),
        ("digits-adam", "validation/f1_macro", "REPRODUCED"),
        ("digits-adam", "accuracy", "NOT_REPRODUCED"),
        ("digits-wide", "accuracy", "CONSISTENT"),
    ]
    assert reporter.render(several_runs()).count("\r\n") == len(found) + 1


def test_numbers_are_whole_and_read_back():
    row = rows(make_check(cases.not_reproduced()))[1]
    judged = cases.not_reproduced().comparisons[1]
    assert float(row["mean"]) == judged.mean
    assert float(row["difference"]) == judged.difference
    assert (float(row["interval_low"]), float(row["interval_high"])) == (
        judged.interval.low,
        judged.interval.high,
    )
    assert (row["margin_low"], row["margin_source"], row["n"]) == ("0.0096", "siblings", "5")
    assert [float(value) for value in row["reruns"].split("; ")] == list(judged.reruns)
    assert (row["run_verdict"], row["change"]) == ("NOT_REPRODUCED", "worse")


def test_a_run_without_metrics_and_a_problem_have_a_line():
    failed, *others = rows(make_check(cases.not_verified(), problems=PROBLEMS))
    assert (failed["run_verdict"], failed["failed_stage"]) == ("NOT_VERIFIED", "rebuild")
    assert failed["sentence"] == "The environment could not be rebuilt."
    assert [row["run_id"] for row in others] == [each.asked for each in PROBLEMS]
    assert all(row["run_verdict"] == "NOT_VERIFIED" for row in others)


@pytest.mark.parametrize("sign", "=+-@\t＝")
def test_no_text_is_a_formula(sign):
    text = f"{sign}cmd|'/C calc'!A0"
    report = make_report(
        record=make_record(name=text, experiment=text),
        comparisons=(make_comparison(metric=text, sentence=text, baseline=(-1.0, math.nan)),),
    )
    [row] = rows(make_check(report))
    texts = [row[name] for name in ("name", "experiment", "metric", "sentence", "originals")]
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "＝")) for text in texts)
    assert row["originals"] == "'-1; nan"


@pytest.mark.parametrize("before", [" ", "\u00a0", "\n", "\t ", "ok;", "ok; ", ";", "0.5; -1;"])
@pytest.mark.parametrize("sign", "=+-@＝")
def test_nor_behind_what_a_spreadsheet_takes_away_or_for_a_separator(before, sign):
    report = make_report(record=make_record(name=f"{before}{sign}cmd|'/C calc'!A0"))
    row, *_ = rows(make_check(report))
    cells = [cell.strip() for cell in row["name"].split(";")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-c", "@", "＝"))]


def test_a_negative_number_stays_a_number():
    report = make_report(comparisons=(make_comparison(difference=-0.5, baseline=(-math.inf,)),))
    [row] = rows(make_check(report))
    assert (row["difference"], row["originals"]) == ("-0.5", "-inf")
    several = make_comparison(baseline=(0.5, -1.0, -1e-300, -math.inf))
    [row] = rows(make_check(make_report(comparisons=(several,))))
    assert row["originals"] == "0.5; -1; -1e-300; -inf"


def test_secrets_are_hidden():
    report = make_report(
        record=make_record(parameters={"hf_token": "tok-12345678"}),
        comparisons=(make_comparison(sentence="sent tok-12345678"),),
    )
    assert "tok-12345678" not in reporter.render(make_check(report))


def test_a_check_of_nothing_is_a_line_of_names():
    check = dataclasses.replace(make_check(), sought=())
    assert reporter.render(check) == ",".join(reporter.COLUMNS) + "\r\n"
