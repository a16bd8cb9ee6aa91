from dataclasses import replace

import pytest

from reprocheck.model import Direction, MetricRule, Sibling
from reprocheck.reporters.figures import siblings
from tests.reporters.builders import make_comparison, make_definition, make_record, make_report
from tests.reporters.figures.drawings import across, shapes


def _report(*values, metric="accuracy", direction=Direction.HIGHER, best_of=None):
    rules = {metric: MetricRule(metric=metric, direction=direction)}
    runs = (Sibling(run_id=str(i), metrics={metric: x}) for i, x in enumerate(values))
    return make_report(
        record=make_record(siblings=(), peers=tuple(runs), definition=make_definition(rules=rules)),
        comparisons=(make_comparison(metric=metric, baseline=(0.95,), best_of=best_of),),
    )


@pytest.mark.parametrize(
    ("values", "direction", "said"),
    [
        ((0.9, 0.91), Direction.HIGHER, "is the best of 3 runs of its sweep."),
        ((0.9, 0.91), Direction.LOWER, "is the 3rd best of 3 runs of its sweep."),
        ((0.96, 0.91), Direction.HIGHER, "is the 2nd best of 3 runs of its sweep."),
        ((0.95, 0.96), Direction.HIGHER, "is the equal 2nd best of 3 runs of its sweep."),
        ((0.96,) * 10, Direction.HIGHER, "is the 11th best of 11 runs of its sweep."),
    ],
)
def test_the_rank_is_told(values, direction, said):
    figure = siblings.siblings(_report(*values, direction=direction), "accuracy")
    assert figure and f"accuracy: the original, 0.95, {said}" in figure.caption


def test_without_a_direction_there_is_no_best():
    report = _report(0.9, 0.97, metric="thing", direction=Direction.UNKNOWN)
    figure = siblings.siblings(report, "thing")
    assert figure and "is above 1 of 2 other runs of its sweep." in figure.caption


def test_a_chosen_original_is_said_to_be():
    figure = siblings.siblings(_report(0.9, best_of=20), "accuracy")
    assert figure and "chosen as the best of 20" in figure.caption


def test_places_and_quartiles():
    figure = siblings.siblings(_report(0.91, 0.93, 0.92, 0.94, 0.9), "accuracy")
    assert figure
    dots, (original,) = across(figure.svg, "sibling"), across(figure.svg, "original")
    assert dots == sorted(dots) and dots[-1] < original
    ((left, right, *_),) = shapes(figure.svg, "quartiles")
    assert left[0] == pytest.approx(dots[1], abs=0.2)
    assert right[0] == pytest.approx(dots[3], abs=0.2)


def test_nothing_is_drawn_without_other_runs():
    assert siblings.siblings(_report(), "accuracy") is None
    assert siblings.siblings(_report(0.9), "loss") is None
    assert siblings.siblings(replace(_report(0.9), record=None), "accuracy") is None
