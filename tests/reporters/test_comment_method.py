"""How it was judged: only what is known of the reruns is said of them."""

from __future__ import annotations

import html

import pytest

from reprocheck.model import RerunPlan
from reprocheck.reporters import markdown
from reprocheck.reporters.by_hand import by_hand
from reprocheck.reporters.comment_method import beside_command, judged_how
from tests.reporters.builders import make_comparison, make_record, make_report
from tests.reporters.test_accepted_words import ACCEPTED


def told(**changes):
    return " ".join(judged_how(make_report(plan=RerunPlan(), **changes)))


@pytest.mark.parametrize(
    ("seeds", "parameters", "said"),
    [
        ({"seed": "7"}, {"seed": "7"}, "All reruns had the recorded seed, so"),
        ({"seed": "none"}, {"seed": "none"}, "The run had no seed, so"),
        ({}, {}, "No seed is recorded, so"),
    ],
)
def test_the_seed_of_the_reruns_is_told_as_far_as_it_is_known(seeds, parameters, said):
    record = make_record(seeds=seeds, parameters=parameters)
    assert said in told(record=record, seeds=())


def test_data_without_a_digest_are_not_called_the_recorded_ones():
    assert "with the recorded data" in told()
    assert "no digest proves" in (text := told(record=make_record(data=())))
    assert "recorded data" not in text


def test_reruns_that_ended_early_were_not_judged_as_planned():
    margins = (make_comparison(margin=None),)
    early = told(comparisons=margins, stopped_by="deterministic")
    assert "It was to be judged once, after 5 reruns, at a level of 5 %; it ended after" in early
    assert "It was judged once, after 5 reruns, at" in told(
        comparisons=margins, stopped_by="planned"
    )
    assert "; it was decided after" in told(stopped_by="decided")


def test_an_accepted_baseline_is_what_the_reruns_are_compared_with():
    assert "compared with its accepted baseline" in told(acceptance=ACCEPTED)


def test_what_the_command_cannot_give_is_said_beside_it():
    several = make_report(comparisons=(make_comparison(baseline=(0.96, 0.95)),))
    accepted = make_report(comparisons=several.comparisons, acceptance=ACCEPTED)
    assert list(beside_command(make_report())) == []
    assert "--baseline RUN_ID" in " ".join(beside_command(several))
    (needed,) = beside_command(accepted)
    assert "reprocheck.baseline.json" in needed
    for report, said in ((several, "--baseline RUN_ID"), (accepted, "has to hold")):
        assert any(said in note for part in by_hand(report) for note in part.notes)
        assert said in html.unescape(markdown.render(report))
