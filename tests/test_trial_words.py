"""What is said of a trial while it runs, and when it has ended."""

from __future__ import annotations

import pytest

from reprocheck.model import Point
from reprocheck.trial_words import TrialWords
from tests.reporters.builders import make_comparison, make_metric, make_record, make_trial

RECORD = make_record(metrics={"loss": make_metric("loss", *(1.0 / x for x in range(1, 302)))})


def words(**changes):
    return TrialWords(**({"record": RECORD, "gated": ("loss", "f1"), "most": 8} | changes))


def at(step, value=0.3):
    return Point(step=step, timestamp_ms=0, value=value)


def test_time_metrics_and_step_are_told_as_far_as_known():
    assert words().running(2, 41.2, {}, ()) == "trial 2 of at most 8 · 41 s of about 3 min 20 s"
    points = {"a": at(3, 1 / 3), "loss": at(120, 0.312), "f1": at(1, 0.5)}
    told = words().running(2, 41.2, points, (make_trial(duration_s=60.0),))
    assert told.startswith("trial 2 of at most 8 · 41 s of about 1 min · ")
    assert told.endswith(" · f1 0.5  loss 0.312  a 0.3333 (step 120 of 300)")
    unknown = words(record=make_record(started_at=None, metrics={}))
    assert unknown.running(1, 1.0, {"x": at(7)}, ()) == (
        "trial 1 of at most 8 · 1.0 s · x 0.3 (step 7)"
    )


def test_a_step_beyond_the_originals_last_has_no_end():
    assert words().running(1, 1.0, {"loss": at(400)}, ()).endswith("loss 0.3 (step 400)")


def test_a_trial_that_ended_is_told_with_the_values_that_are_judged():
    trial = make_trial(2, metrics={"loss": make_metric("loss", 0.25), "other": make_metric("o", 1)})
    comparisons = (make_comparison(metric="f1", reruns=(0.1, 0.9)), make_comparison(metric="o"))
    assert words().ended(trial, comparisons) == "trial 2: 1 min 02 s, loss 0.25, f1 0.9"


@pytest.mark.parametrize("name", ["a\n::error::b", "\x1b[2J" + "x" * 300])
def test_names_stay_on_their_line(name):
    told = words(gated=(name,)).running(1, 1.0, {name: at(1)}, ())
    assert told.isprintable()
    assert len(told) < 120
    ended = make_trial(metrics={name: make_metric(name, 1.0)})
    assert words(gated=(name,)).ended(ended, ()).isprintable()
