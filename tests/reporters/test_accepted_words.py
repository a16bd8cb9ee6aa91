"""How reports tell whose baseline counted, and what is only proposed."""

from __future__ import annotations

import dataclasses
import html

import pytest

from reprocheck import discretion
from reprocheck.model import AcceptedMetric, ReportDetail
from reprocheck.report_reading import report_in
from reprocheck.reporters import comment, json, markdown, terminal
from reprocheck.reporters.accepted_words import judged_against, proposed
from reprocheck.reporters.html import render as page_of
from reprocheck.text_files import parse_json
from tests.reporters import cases
from tests.reporters.builders import make_acceptance, make_comparison, make_report

NEW = (0.9502, 0.9511, 0.9493)
ACCEPTED = make_acceptance(reason="the | <b>solver</b> `changed`", new=NEW)
SENTENCE = (
    "Judged against the baseline that Jo <jo@x.org> accepted on 2026-05-03 "
    "(the | <b>solver</b> `changed`); the run's own value is 0.9611."
)


def report(**changes):
    comparison = make_comparison(baseline=NEW)
    return make_report(comparisons=(comparison,), acceptance=ACCEPTED, **changes)


def plain(text):
    return " ".join(html.unescape(text).replace("> ", " ").split())


def test_a_green_by_acceptance_says_so_in_its_first_lines():
    told = terminal.render(report(), width=80)
    first, *rest = told.splitlines()
    assert first == "REPRODUCED against the accepted baseline"
    assert SENTENCE in " ".join(" ".join(rest[:6]).split())
    assert "Baseline" in told
    assert "Original" not in told
    assert max(map(len, told.splitlines())) <= 80
    for text in (markdown.render(report()), comment.one(report())):
        assert "REPRODUCED against the accepted baseline" in html.unescape(text.splitlines()[0])
        assert "accepted on 2026-05-03" in html.unescape(text)
        assert "<b>" not in text
        assert "Baseline" in text


def test_what_is_proposed_is_told_and_is_no_verdict():
    bare = dataclasses.replace(cases.not_reproduced(), proposed=ACCEPTED)
    told = proposed(bare)
    assert told.startswith("Proposed: a new baseline that Jo <jo@x.org> accepted on 2026-05-03")
    assert "accuracy 0.9611 → 0.9502." in told
    assert told.endswith("counts once it is on the base branch.")
    assert judged_against(bare) == ""
    assert terminal.render(bare).splitlines()[0] == "NOT_REPRODUCED (worse)"
    assert "Proposed: a new baseline" in terminal.render(bare)
    assert "counts once it is on the base branch" in plain(comment.one(bare))


def test_where_nothing_was_judged_nothing_is_said_of_it():
    failed = dataclasses.replace(cases.not_verified(), acceptance=ACCEPTED)
    assert judged_against(failed) == ""
    assert terminal.render(failed).splitlines()[0] == "NOT_VERIFIED (rebuild)"
    assert judged_against(report(dry_run=True)).startswith("To be judged against the baseline")


def test_without_an_acceptance_nothing_is_said():
    assert (judged_against(make_report()), proposed(make_report())) == ("", "")


def test_metrics_that_keep_the_runs_own_values_are_told_apart():
    two = dataclasses.replace(
        report(), comparisons=(make_comparison(baseline=NEW), make_comparison(metric="loss"))
    )
    assert " for accuracy; the run's own value is 0.9611." in judged_against(two)
    loss = AcceptedMetric(metric="loss", old=(0.1342,), new=(0.2,))
    both = dataclasses.replace(ACCEPTED, metrics=(*ACCEPTED.metrics, loss))
    told = judged_against(dataclasses.replace(two, acceptance=both))
    assert told.endswith("; the run's own values are accuracy 0.9611, loss 0.1342.")


@pytest.mark.parametrize("field", ["acceptance", "proposed"])
def test_the_report_carries_it_there_and_back(tmp_path, field):
    whole = dataclasses.replace(report(), **{"acceptance": None, field: ACCEPTED})
    document = parse_json(json.render(whole))
    read = report_in(tmp_path, document)
    assert getattr(read, field) == ACCEPTED
    assert json.render(read) == json.render(whole)
    for key in ("acceptance", "proposed"):
        del document[key]
    old = report_in(tmp_path, document)  # of a version before
    assert (old.acceptance, old.proposed) == (None, None)


def test_of_a_sensitive_run_only_ids_and_numbers_are_told():
    told = discretion.minimal(dataclasses.replace(report(), proposed=ACCEPTED))
    assert told.detail is ReportDetail.MINIMAL
    for found in (told.acceptance, told.proposed):
        assert found == dataclasses.replace(ACCEPTED, by="", reason="")
    text = comment.one(told) + terminal.render(told) + json.render(told)
    assert "solver" not in text
    assert "Jo" not in text
    assert "baseline that was accepted on 2026-05-03; the run's own value" in plain(text)
    assert discretion.minimal(told) == told


def test_one_own_value_of_several_metrics_is_told_with_its_name():
    gap = AcceptedMetric(metric="gap", old=(0.6,), new=(0.5,))
    found = dataclasses.replace(ACCEPTED, metrics=(*ACCEPTED.metrics, gap))
    both = (make_comparison(baseline=NEW), make_comparison(metric="gap", baseline=(0.5,)))
    told = judged_against(make_report(comparisons=both, acceptance=found))
    assert told.endswith("; the run's own value is accuracy 0.9611.")


def test_a_drawn_interval_is_explained_by_the_name_of_its_column():
    for told in (terminal.render(report()), html.unescape(markdown.render(report()))):
        assert "○ baseline" in told
        assert "○ original" not in told


def test_the_plot_of_a_page_names_the_baseline_as_the_table_does():
    page = page_of(report())
    assert "the baseline is 0.950" in page
    assert "from the baseline" in page
    assert "the original is" not in page
