from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from reprocheck import schema
from reprocheck.forges.github_nouns import Wanted
from reprocheck.model import (
    Aggregate,
    Check,
    Problem,
    Report,
    ReportDetail,
    RunRef,
    Stage,
    Standing,
    Verdict,
)
from reprocheck.reporters import aggregate_json, aggregate_markdown, aggregate_terminal, badge
from reprocheck.schedule.issue import wanted
from reprocheck.schedule.joining import join
from tests.reporters.builders import make_comparison, make_record, make_report
from tests.schedule.builders import DAY, LETTERS

NAME = "nice name"


def report(letter: str, day: int = 0, run: str = "1", **changes: Any) -> Report:
    verdict = LETTERS[letter]
    ref = RunRef(tracker="mlflow", run_id=run * 32)
    record = make_record(ref=ref, name=NAME, experiment="study")
    failed = verdict is Verdict.NOT_VERIFIED
    given: dict[str, Any] = {
        "record": record,
        "created_at": DAY + timedelta(days=day),
        "verdict": verdict,
        "failed_stage": Stage.REBUILD if failed else None,
        "subject": "a" * 64,
        "comparisons": () if failed else (make_comparison(mean=0.9 + day / 100),),
    }
    return make_report(**{**given, **changes})


def reports(letters: str, run: str = "1", **changes: Any) -> list[Report]:
    return [report(letter, day, run, **changes) for day, letter in enumerate(letters)]


def check(*found: Report, problems: tuple[Problem, ...] = ()) -> Check:
    return Check(
        schema_version=1,
        tool_version="0",
        created_at=DAY + timedelta(days=30),
        head_sha="",
        reports=found,
        problems=problems,
    )


def problem(asked: str) -> Problem:
    return Problem(asked=asked, message="The tracker is down.", hint="Wait.", exit_code=3)


def joined(histories: dict[str, str], **changes: Any) -> Aggregate:
    """Of each run the last verification is new, the others are of the store."""
    every = {run * 32: reports(letters, run, **changes) for run, letters in histories.items()}
    new = [found[-1] for found in every.values()]
    return join([check(*new)], every, (), DAY)


def test_what_is_new_is_joined_with_what_was_kept_and_counted_once():
    told = joined({"1": "✓✗", "2": "✓"})
    assert (told.verified, told.total, told.measured) == (1, 2, True)
    assert [each.standing for each in told.trends] == [Standing.UNCONFIRMED, Standing.HOLDS]
    assert [len(each.history) for each in told.trends] == [2, 1]


@pytest.mark.parametrize(
    ("histories", "expected"),
    [
        ({"1": "✓"}, Wanted.CLOSED),
        ({"1": "✓✗"}, Wanted.AS_IT_IS),  # a first sight
        ({"1": "✓✗✗", "2": "✓"}, Wanted.OPEN),
        ({"1": "✓✗✗✓"}, Wanted.CLOSED),
        ({"1": "✓!!"}, Wanted.AS_IT_IS),  # nothing was measured
        ({"1": "✓✗✗!"}, Wanted.OPEN),
        ({"1": "!", "2": "✓"}, Wanted.CLOSED),
        ({"1": "??cc!"}, Wanted.AS_IT_IS),
        ({"1": "✗✗✗", "2": "✓"}, Wanted.AS_IT_IS),  # it may have reproduced before
    ],
)
def test_when_the_issue_is_open(histories: dict[str, str], expected: Wanted):
    assert wanted(joined(histories)) is expected


def test_a_problem_of_a_known_run_is_its_newest_verification():
    told = join([check(report("✓"), problems=(problem("1" * 32),))], {}, (), DAY)
    assert (told.verified, told.total, told.measured) == (0, 1, False)
    assert told.trends[0].standing is Standing.HOLDS


def test_a_problem_of_any_other_run_counts_as_a_run():
    told = join([check(report("✓"), problems=(problem("gone"),))], {}, (problem("x.json"),), DAY)
    assert (told.verified, told.total) == (1, 3)


def test_a_dry_run_is_no_verification():
    assert join([check(report("✓", dry_run=True))], {}, (), DAY).total == 0


@pytest.mark.parametrize(
    ("histories", "message", "color"),
    [
        ({"1": "✓", "2": "≈"}, "2/2", "brightgreen"),
        ({"1": "✓", "2": "!"}, "1/2", "yellow"),
        ({"1": "✓", "2": "✗"}, "1/2", "red"),
    ],
)
def test_the_badge(histories: dict[str, str], message: str, color: str):
    document = json.loads(badge.render(joined(histories)) or "")
    assert document == {
        "schemaVersion": 1,
        "label": "reproducible",
        "message": message,
        "color": color,
    }


def test_there_is_no_badge_where_nothing_was_measured():
    assert badge.render(joined({"1": "✓!"})) is None
    assert badge.render(join([], {}, (), DAY)) is None


def test_the_json_follows_its_schema():
    means = make_comparison(mean=float("inf"))
    told = joined({"1": "✓✗", "2": "!"}, comparisons=(means,))
    document = json.loads(aggregate_json.render(told))
    assert schema.check(document, "aggregate") == ()
    assert document["runs"][0]["verifications"][1]["means"] == {means.metric: "Infinity"}


def test_the_terminal_has_80_columns_and_the_trend():
    text = aggregate_terminal.render(joined({"1": "✓≈?c✗!✓✓✗✗✗", "2": "✓"}))
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("1 of 2 runs reproduce\n")
    assert "≈?!✗!✓✓✗✗✗" in text
    assert "stopped reproducing since 2026-01-09" in text


def test_what_was_not_measured_lately_is_not_called_reproducing():
    text = aggregate_terminal.render(joined({"1": "✓✓!"}))
    assert "reproduced last on 2026-01-02" in text
    assert "reproduces since" not in text


def test_a_sensitive_run_is_told_by_its_id_and_numbers_alone():
    told = joined({"1": "✓✗✗"}, detail=ReportDetail.MINIMAL)
    texts = [
        aggregate_terminal.render(told, width=200),
        aggregate_markdown.render(told),
        aggregate_markdown.issue(told),
        aggregate_json.render(told),
    ]
    for text in texts:
        assert NAME not in text
        assert "study" not in text
        assert "1" * 13 in text
    assert NAME in aggregate_markdown.issue(joined({"1": "✓✗✗"}))


HOSTILE = "a|b`c<img src=x>[x](http://x)@me\n## h\u202e" + "$(id)" * 1_000


def test_hostile_names_stay_text_in_the_issue():
    import cmarkgfm

    comparison = make_comparison(metric=HOSTILE, mean=0.5)
    record = make_record(ref=RunRef(tracker="mlflow", run_id=HOSTILE), name=HOSTILE)
    found = [
        report(letter, day, record=record, comparisons=(comparison,))
        for day, letter in enumerate("✓✗✗")
    ]
    told = join([check(*found, problems=(problem(HOSTILE),))], {}, (), DAY)
    for text in (aggregate_markdown.issue(told), aggregate_markdown.render(told)):
        html = cmarkgfm.github_flavored_markdown_to_html(text)
        assert html.count("<td>") == 7
        assert html.count("<h2>") == ("## " in text)
        for bad in ("<img", "<a ", "<h1", "@me"):
            assert bad not in html
        assert len(text) < 60_000


def test_the_issue_says_the_same_of_the_same_runs():
    first, second = (aggregate_markdown.issue(joined({"1": "✓✗✗"})) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["top", "aggregate"])
def test_examples_follow_their_schema(name: str):
    for example in schema.load(name)["examples"]:
        assert schema.check(example, name) == ()
