import itertools
from dataclasses import replace

import pytest

from reprocheck.model import Stage
from reprocheck.reporters.figures import timeline
from tests.reporters.builders import make_report, make_stages, make_trial
from tests.reporters.figures.drawings import run_report, shapes, words


def test_stages_follow_one_another_as_long_as_they_took():
    report = make_report()
    figure = timeline.timeline(report)
    assert figure
    bars = shapes(figure.svg, "stage")
    ends = [(bar[0][0], bar[1][0]) for bar in reversed(bars)]
    assert len(ends) == len(Stage)
    for (_, end), (start, _) in itertools.pairwise(ends):
        assert start == pytest.approx(end, abs=0.11)
    took = [each.duration_s for each in report.stages]
    share = (ends[-1][1] - ends[-1][0]) / (ends[-1][1] - ends[0][0])
    assert share == pytest.approx(took[-1] / sum(took), abs=0.01)
    assert "11 min 10 s of it for compare" in figure.caption


def test_what_failed_has_a_sign_and_words():
    figure = timeline.timeline(run_report())
    assert figure and "✗ failed after 1 min 02 s" in words(figure.svg)
    assert len(shapes(figure.svg, "trial failed")) == 1
    assert figure.alt.endswith("3 reruns took 1 min 02 s; 1 of them failed.")
    stopped = timeline.timeline(make_report(stages=make_stages(Stage.REBUILD), trials=()))
    assert stopped and len(shapes(stopped.svg, "stage failed")) == 1
    assert stopped.alt.endswith("(failed).")


def test_many_trials_and_times_that_are_none_are_bounded():
    trials = tuple(make_trial(i, duration_s=float("nan")) for i in range(1, 200))
    figure = timeline.timeline(make_report(trials=trials))
    assert figure and len(shapes(figure.svg, "trial")) == 20
    assert "(20 are drawn)" in figure.alt


def test_nothing_is_drawn_without_a_stage():
    assert timeline.timeline(replace(make_report(), stages=())) is None
