import math
from dataclasses import replace

from reprocheck.model import Point
from reprocheck.reporters.figures import curves
from tests.reporters.builders import make_metric, make_record
from tests.reporters.figures.drawings import run_report, shapes, words


def test_the_original_lies_over_the_band_and_each_rerun():
    figure = curves.histories(run_report(), "accuracy")
    assert figure
    (original,) = shapes(figure.svg, "original curve")
    assert len(shapes(figure.svg, "rerun curve")) == 3
    assert [x for x, _ in original] == sorted(x for x, _ in original)
    (band,) = shapes(figure.svg, "band")
    assert min(x for x, _ in band) == original[0][0]
    assert {"original", "3 reruns", "step"} <= set(words(figure.svg))


def test_it_marks_where_they_part():
    figure = curves.histories(run_report(points=31), "accuracy")
    assert figure
    ((top, _),) = shapes(figure.svg, "parting")
    (original,) = shapes(figure.svg, "original curve")
    share = (top[0] - original[0][0]) / (original[-1][0] - original[0][0])
    assert abs(share - 3 / 30) < 0.002
    assert "part at step 3" in words(figure.svg)
    assert figure.caption.endswith("; the curves part at step 3.")


def test_nothing_is_drawn_below_two_points():
    for values in ((), (0.5,), (0.5, math.nan)):
        report = run_report()
        metrics = {"accuracy": make_metric("accuracy", *values)} if values else {}
        report = replace(report, record=make_record(metrics=metrics))
        assert curves.histories(report, "accuracy") is None


def test_a_curve_of_many_points_keeps_its_ends_and_extremes():
    curve = {step: math.sin(step) for step in range(5_000)} | {2_501: 9.0, 3_001: -9.0}
    kept = curves.thinned(curve, 120)
    assert len(kept) <= 122
    assert {0, 2_501, 3_001, 4_999} <= set(kept)
    assert list(kept) == sorted(kept)


def test_extreme_steps_and_values_are_drawn():
    points = (
        Point(step=step, timestamp_ms=0, value=value)
        for step, value in ((-(2**62), 1e308), (0, -1e308), (2**62, 5e-324), (2**62, math.nan))
    )
    metric = replace(make_metric("accuracy", 0.0), history=tuple(points))
    report = replace(run_report(), record=make_record(metrics={"accuracy": metric}))
    figure = curves.histories(report, "accuracy")
    assert figure
    (original,) = shapes(figure.svg, "original curve")
    assert original[0][1] < original[2][1] < original[1][1]  # downwards on the page
