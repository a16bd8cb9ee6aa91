"""The page of many runs, in a real browser: what it tells, filters, sorts, finds, and asks for."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from reprocheck.model import Finding, ReportDetail, Require, Severity, Verdict
from reprocheck.reporters import batch_html
from tests.reporters import browsing, cases
from tests.reporters.browsing import NARROW, OVER, violations
from tests.reporters.builders import make_comparison, make_record, make_report, make_stages
from tests.reporters.checks import PROBLEMS, make_check, named, whole

START = datetime(2026, 1, 5, tzinfo=UTC)
TEXT = "</td><script>hacked=1</script><img src=x onerror=hacked=2>\x1b[31m\u202e'\""


def weekly(run, *reports):
    """The reports as those of one run, a week apart."""
    return [
        dataclasses.replace(
            named(report, run, f"weekly {run[0]}"),
            created_at=START + timedelta(days=7 * week),
            subject=f"{week:064x}",
        )
        for week, report in enumerate(reports)
    ]


def of_many():
    singles = [
        named(case(), f"{i:032x}", f"digits {name}")
        for i, (name, case) in enumerate(cases.CASES.items())
    ]
    good, bad = cases.reproduced(), cases.not_reproduced()
    lasting = [*weekly("a" * 32, good, good, good), *weekly("b" * 32, good, bad, bad)]
    return make_check(*singles, *lasting, problems=PROBLEMS)


def hostile():
    finding = Finding(
        code=TEXT, severity=Severity.WARNING, message=TEXT, hint=TEXT, pointer=TEXT, fix=TEXT
    )
    read, *others = make_stages()
    report = make_report(
        record=make_record(name=TEXT, experiment=TEXT),
        comparisons=(make_comparison(metric=TEXT, sentence=TEXT),),
        stages=(dataclasses.replace(read, findings=(finding,)), *others),
        sentence=TEXT,
        needed=TEXT,
    )
    problem = dataclasses.replace(PROBLEMS[0], asked=TEXT, message=TEXT, hint=TEXT)
    return make_check(*weekly("c" * 32, report, report), problems=(problem,), waiting=TEXT)


def opened(browser, tmp_path, check, **options):
    return browsing.opened(browser, tmp_path, batch_html.render(check), **options)


def shown(page):
    return [row for row in page.locator("#runs tbody tr").all() if row.is_visible()]


def test_every_run_is_told_and_unfolds(browser, tmp_path):
    check = of_many()
    with opened(browser, tmp_path, check) as page:
        # Of 11 cases 3 are as good as required; of the 6 weekly ones 4.
        assert page.inner_text("h1") == "7 of 17 verifications reproduced, 2 problems"
        assert len(shown(page)) == len(check.reports)
        row = page.locator("#runs tr", has_text="digits not_reproduced")
        assert "accuracy 0.9611 → 0.91342" in row.inner_text()
        assert "1 NOT_WORSE" in page.inner_text(".legend")
        row.locator("summary").click()
        assert "├" in row.inner_text()
        assert cases.not_reproduced().sentence in row.inner_text()
        assert PROBLEMS[0].hint in page.inner_text("main")
        page.set_viewport_size(NARROW)
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.evaluate(OVER) == 0


@pytest.mark.parametrize("script", [True, False])
def test_verdicts_are_filtered_also_without_a_script(script, browser, tmp_path):
    with opened(browser, tmp_path, of_many(), java_script_enabled=script) as page:
        for name in ("reproduced", "identical", "not-verified"):
            page.uncheck(f"#show-{name}")
        left = {row.locator("td").first.inner_text().split()[1] for row in shown(page)}
        assert left == {
            "NOT_REPRODUCED",
            "NOT_COMPARABLE",
            "INCONCLUSIVE",
            "CONSISTENT",
            "NOT_WORSE",
        }
        assert page.is_visible("#search") == script


def test_the_table_is_sorted_and_searched(browser, tmp_path):
    with opened(browser, tmp_path, of_many()) as page:
        page.get_by_role("button", name="Verified").click()
        days = [row.locator("td.verified").inner_text() for row in shown(page)]
        assert days == sorted(days)
        page.get_by_role("button", name="Verdict").click()
        assert "IDENTICAL" in shown(page)[0].inner_text()
        page.fill("#search", "WEEKLY worse")
        assert len(shown(page)) == 2
        assert page.inner_text("#shown") == "2 of 17 match"


def test_runs_of_several_reports_are_shown_over_time(browser, tmp_path):
    with opened(browser, tmp_path, of_many()) as page:
        first, second = page.locator("#trends tbody tr").all()
        assert "✓✗✗ (3)" in first.inner_text()
        assert "0.96078 → 0.91342" in first.inner_text()
        assert "✓✓✓ (3)" in second.inner_text()
        first.locator("summary").click()
        assert first.locator("svg").is_visible()
        assert "% of the runs" in page.locator("figure").first.text_content()


def test_axe_finds_nothing_in_light_nor_in_dark_on_a_phone(browser, tmp_path):
    lasting = weekly("a" * 32, cases.reproduced(), cases.not_reproduced())
    check = make_check(*lasting, whole(), cases.crashed(), problems=PROBLEMS)
    assert violations(browser, tmp_path, batch_html.render(check)) == []


def test_hostile_text_is_text(browser, tmp_path):
    with opened(browser, tmp_path, hostile()) as page:
        assert page.evaluate("window.hacked") is None
        assert page.locator("img").count() == 0
        assert "<script>hacked=1</script>" in page.inner_text("#runs")


def test_of_a_sensitive_run_no_more_than_numbers_is_told():
    secret = "the patients of ward 7"
    report = dataclasses.replace(
        whole(), detail=ReportDetail.MINIMAL, sentence=secret, needed=secret, asked=secret
    )
    record = dataclasses.replace(report.record, name=secret, experiment=secret)
    told = batch_html.render(make_check(dataclasses.replace(report, record=record)))
    assert secret not in told
    assert "accuracy 0.9611 → 0.96078" in told


def test_less_than_was_required_is_not_reproduced():
    report = make_report(verdict=Verdict.CONSISTENT, require=Require.REPRODUCED)
    assert "<h1>0 of 1 verification reproduced</h1>" in batch_html.render(make_check(report))


def test_nothing_is_no_error():
    told = batch_html.render(make_check(waiting="waiting for a maintainer"))
    assert "<h1>Nothing was verified</h1>" in told
    assert "waiting for a maintainer" in told


@pytest.mark.parametrize("count", [1, 100, 101, 1_000, 10_000])
def test_the_more_runs_the_less_is_told_of_each(count):
    room = batch_html._room(count)
    assert room.entries >= 2
    texts = 3  # of an entry
    assert count * room.entries * room.length * texts <= max(6_000_000, count * 2_000)


def test_long_texts_are_cut():
    long = "x" * 5_000
    finding = Finding(code="c", severity=Severity.NOTE, message=long, hint=long, pointer="")
    read, *others = make_stages()
    stages = (dataclasses.replace(read, findings=(finding,)), *others)
    judged = tuple(make_comparison(metric=f"m{i}", sentence=long) for i in range(30))
    report = make_report(comparisons=judged, stages=stages, sentence=long, needed=long)
    told = batch_html.render(make_check(*(named(report, f"{i:032x}", long) for i in range(3))))
    assert "and 10 more metrics" in told
    assert len(told) < 100_000


def test_it_is_the_same_each_time():
    assert batch_html.render(of_many()) == batch_html.render(of_many())
