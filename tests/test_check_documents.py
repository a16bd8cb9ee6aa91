import dataclasses
import json as standard
from datetime import UTC, datetime

import pytest

from reprocheck import check_documents, model, schema
from reprocheck.check_documents import LARGEST_CHECK, check_document
from reprocheck.check_reading import read_check
from reprocheck.detail import dump
from reprocheck.errors import ReportFileError, ReprocheckError
from reprocheck.model import FailOn, Problem, RuleChange
from reprocheck.reporters import json
from tests.reporters import cases
from tests.reporters.builders import make_record, make_report, make_trial


def make_check(*reports, **changes):
    check = model.Check(
        schema_version=1,
        tool_version="0.1.0",
        created_at=datetime(2026, 2, 1, 9, 30, tzinfo=UTC),
        head_sha="0123456789" * 4,
        reports=reports,
    )
    return dataclasses.replace(check, **changes)


def written(folder, check):
    path = folder / "report.json"
    path.write_text(dump(check_document(check)), encoding="utf-8")
    return path


def test_a_check_is_read_back_as_it_was(tmp_path):
    reports = [make() for make in cases.CASES.values()]
    check = make_check(
        *reports,
        problems=(Problem(asked="x", message="m", hint="h", exit_code=2),),
        rule_changes=(RuleChange(key="metrics.a", base="1", head=""),),
        fail_on=(FailOn.CRITERIA, FailOn.INCONCLUSIVE),
        sought=("the body",),
        waiting="waiting for a maintainer's fetch",
    )
    path = written(tmp_path, check)
    assert schema.check(standard.loads(path.read_text(encoding="utf-8")), "check") == ()
    again = read_check(path)
    assert list(map(json.render, again.reports)) == list(map(json.render, reports))
    assert dataclasses.replace(again, reports=()) == dataclasses.replace(check, reports=())
    assert dump(check_document(again)) == path.read_text(encoding="utf-8")


def test_a_report_is_a_check_of_one(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.render(make_report()), encoding="utf-8")
    check = read_check(path)
    assert [json.render(each) for each in check.reports] == [json.render(make_report())]
    assert check.fail_on == model.USUAL_FAIL_ON


def test_large_reports_are_cut_and_small_ones_are_not(tmp_path):
    trials = tuple(make_trial(i, log_tail="x" * 65_536) for i in range(1, 60))
    large, small = make_report(trials=trials), make_report()
    path = written(tmp_path, make_check(large, small, large))
    first, second, third = read_check(path).reports
    assert second.kept["log_bytes"] == 65_536
    assert first.kept["log_bytes"] == third.kept["log_bytes"] == 16_384
    assert path.stat().st_size <= LARGEST_CHECK * 1.12


def test_of_what_fits_in_no_way_the_answer_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(check_documents, "LARGEST_CHECK", 60_000)
    many = {f"{i}": "v" * 400 for i in range(25)}
    record = make_record(parameters=many, tags=many)
    trials = tuple(make_trial(i, parameters=many) for i in range(1, 9))
    check = make_check(*(make_report(record=record, trials=trials),) * 5)
    path = written(tmp_path, check)
    for report in read_check(path).reports:
        assert (report.verdict, len(report.trials)) == (cases.reproduced().verdict, 8)
        assert [each.metric for each in report.comparisons] == ["accuracy"]
        assert report.record.ref == record.ref
    with pytest.raises(ReprocheckError, match="do not fit"):
        check_document(make_check(*check.reports * 5))


def test_secrets_and_long_texts_are_kept_out():
    problem = Problem(
        asked="x", message="https://me:hunter22@h/" + "y" * 9_000, hint="", exit_code=3
    )
    told = check_document(make_check(problems=(problem,)))["problems"][0]["message"]
    assert told.startswith("https://***@h/")
    assert len(told) == 2_000


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schema_version": 2}, "version 2"),
        ({"reports": {}}, "/reports"),
        ({"reports": [1]}, "/reports"),
        ({"reports": [{}]}, "/reports/0"),
        ({"reports": [{"schema_version": 3}]}, "version 3"),
        ({"head_sha": "main"}, "/head_sha"),
        ({"head_sha": "0123456789" * 4 + "\n"}, "line's end"),
        ({"problems": [{"asked": "", "message": "", "hint": "", "exit_code": 0}]}, "exit_code"),
        ({"fail_on": ["never"]}, "/fail_on"),
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "broken"),
        ({"more": 1}, "/more"),
    ],
)
def test_what_is_no_check_is_refused(tmp_path, changes, why):
    document = {**check_document(make_check(make_report())), **changes}
    path = tmp_path / "report.json"
    path.write_text(standard.dumps(document), encoding="utf-8")
    with pytest.raises(ReportFileError) as caught:
        read_check(path)
    assert why in caught.value.message
    assert caught.value.hint
