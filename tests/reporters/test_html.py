import dataclasses
import itertools
import re
from functools import cache

import pytest

from reprocheck.documents import report_document
from reprocheck.model import (
    Difference,
    Origin,
    OriginKind,
    ReportDetail,
    Stage,
    TreeState,
    UntrackedFile,
    Verdict,
)
from reprocheck.report_reading import report as report_of
from reprocheck.reporters import base, html
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_record,
    make_report,
    make_stages,
    make_trial,
)
from tests.reporters.cases import CASES
from tests.reporters.checks import whole
from tests.reporters.everything import accepted, hostile, large, minimal
from tests.reporters.test_audit_html import Page


def shown(report):
    return Page(html.render(report))


@cache
def shown_case(case):
    return shown(CASES[case]())


def text_of(page, tag="body"):
    return " ".join(" ".join(page.texts.get(tag, [])).split())


@pytest.mark.parametrize("case", CASES)
def test_the_verdict_stands_in_the_first_heading_with_a_sign(case):
    report = CASES[case]()
    page = shown_case(case)
    told = text_of(page, "h1")
    assert base.headline(report) in told
    assert base.shortfall(report) in told
    assert base.mark(report).strip() in told
    assert base.reason(report) in text_of(page)


@pytest.mark.parametrize("case", CASES)
def test_headings_come_in_order_and_ids_are_unique(case):
    page = shown_case(case)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    ids = [each["id"] for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))
    assert {each["href"][1:] for each in page.attributes("a") if each["href"][0] == "#"} <= set(ids)


def test_every_metric_has_its_row_and_its_sentence():
    report = CASES["several"]()
    told = text_of(shown_case("several"))
    for each in report.comparisons:
        assert each.sentence in told
    for row in base.rows(report):
        assert f"{row.metric} {row.original} {row.reruns} {row.spread} {row.difference}" in told


def test_a_failure_tells_its_stage_its_last_lines_and_the_next_step():
    told = text_of(shown_case("crashed"))
    assert "NOT_VERIFIED (rerun)" in told
    assert "FileNotFoundError: data/val.csv" in told
    assert "read the log of the rerun" in told


def test_the_next_step_is_named_for_what_it_is():
    assert "What would settle it" in text_of(shown_case("inconclusive"), "h2")
    told = text_of(shown_case("not_reproduced"))
    assert 'reprocheck accept --reason "why the new result is right" 5f0c8f6d' in told
    assert "reprocheck accept" not in text_of(shown_case("reproduced"))


def test_an_accepted_baseline_and_a_proposed_one_are_told_at_the_top():
    told = text_of(shown(accepted()))
    assert "Judged against the baseline that Jo <jo@x.org> accepted on 2026-05-03" in told
    assert "Proposed: a new baseline that Grace Example accepted" in told


def test_what_was_not_the_same_is_told_by_severity_with_its_origin():
    told = text_of(shown(whole()))
    assert "≠ 3 packages asked for by requirements.txt; 2 differ" in told
    assert "tag reprocheck.hardware" in told
    assert "scikit-learn 1.5.1 1.5.2 ≠ framework" in told


def row_of(report, what):
    [row] = re.findall(rf'<tr role="row"><th[^>]*>{what}</th>.*?</tr>', html.render(report))
    return row


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        ({"tree": TreeState.UNKNOWN}, "does not say whether its tree was clean"),
        ({"tree": TreeState.DIRTY}, "does not hold its uncommitted changes"),
        (
            {
                "tree": TreeState.DIRTY,
                "untracked": (UntrackedFile(path="a.py", sha256=None, artifact=None),),
            },
            "does not hold all of its untracked files",
        ),
        ({"stored": ("code/",)}, "nothing proves that it is the run’s"),
    ],
)
def test_code_in_doubt_is_never_called_the_same(changes, doubt):
    row = row_of(make_report(record=make_record(code=make_code(**changes))), "Code")
    assert doubt in row
    assert "✓" not in row
    assert "✓" in row_of(make_report(), "Code")


def test_an_inferred_command_is_proved_by_what_the_reruns_logged():
    inferred = Origin(kind=OriginKind.INFERRED, where="the recorded script name")
    report = make_report(record=make_record(origins={"/command": inferred}))
    assert "✓" in row_of(report, "Command")
    other = Difference(name="lr", original="0.1", trial="0.2", excuse=None)
    differing = dataclasses.replace(report, trials=(make_trial(1, differences=(other,)),))
    assert "✓" not in row_of(differing, "Command") + row_of(differing, "Parameters")


def test_weak_digests_and_data_that_was_not_restored_are_never_called_the_same():
    weak = dataclasses.replace(make_record().data[0], weak=True)
    assert "✓" not in row_of(make_report(record=make_record(data=(weak,))), "Data")
    assert "✓" not in row_of(make_report(stages=make_stages(Stage.RESTORE)), "Data")


def test_a_rerun_that_logged_nothing_proves_no_parameter():
    report = make_report(trials=(make_trial(1, parameters={}),))
    assert "✓" not in row_of(report, "Parameters")


def test_findings_link_to_what_explains_them():
    links = [each["href"] for each in shown(whole()).attributes("a")]
    assert (
        "https://github.com/reprocheck/reprocheck/blob/main/docs/findings.md#unknown-tree" in links
    )


def test_the_run_is_linked_where_its_address_is_one_of_the_web():
    def links(url):
        report = make_report(record=make_record(url=url))
        return [each["href"] for each in shown(report).attributes("a") if each["href"][0] != "#"]

    assert links("https://mlflow.example/run/1") == ["https://mlflow.example/run/1"]
    for url in ("javascript:alert(1)", "//mlflow.example", "https://a@b.example/", "http://[", ""):
        assert links(url) == []


def test_hostile_text_is_text():
    page = shown(hostile())
    assert not page.attributes("script")
    assert not page.attributes("img")
    assert "onerror=hacked=1>{{ 7 * 7 }}" in text_of(page)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", html.render(hostile()))
    assert not [each for each in page.attributes("a") if "javascript" in each["href"]]
    names = [name for _, attributes in page.tags for name in attributes]
    assert not [name for name in names if name.startswith("on") or name == "style"]


def test_a_sensitive_run_leaks_nothing():
    report = minimal()
    full = html.render(dataclasses.replace(report, detail=ReportDetail.FULL))
    told = html.render(report)
    for leaked in ("digits-sgd", "train.py", "Half the learning rate", "words.txt", "scikit-learn"):
        assert leaked in full
        assert leaked not in told
    assert "REPRODUCED" in told


def test_secrets_are_hidden():
    record = make_record(parameters={"hf_token": "hunter2hunter2", "lr": "hunter2hunter2"})
    assert "hunter2" not in html.render(make_report(record=record))


def test_a_large_report_is_a_small_page():
    text = html.render(large())
    assert len(text.encode()) < 700_000  # which images and matrices may take
    page = Page(text)
    assert sum(each.get("role") == "img" for each in page.attributes("svg")) >= 24


@pytest.mark.parametrize("case", ["several", "not_reproduced"])
def test_a_report_from_its_file_gives_the_same_page(case):
    report = CASES[case]()
    assert html.render(report_of(report_document(report))) == html.render(report)


def test_a_non_finite_value_has_its_place():
    odd = make_comparison(baseline=(float("nan"),), verdict=Verdict.NOT_COMPARABLE)
    report = make_report(comparisons=(odd,), verdict=Verdict.NOT_COMPARABLE)
    assert "NaN" in text_of(shown(report))
