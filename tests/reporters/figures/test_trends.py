from reprocheck.reporters.figures import trends
from tests.reporters.figures.drawings import across, shapes, verifications, words


def test_verdicts_stand_in_their_order_over_the_means():
    figure = trends.trend(verifications(6), "accuracy")
    assert figure
    assert [word for word in words(figure.svg) if word in "✓✗"] == ["✗", "✗", "✓", "✓", "✓", "✓"]
    means = across(figure.svg, "mean")
    assert len(means) == 6 and means == sorted(means)
    assert figure.caption == (
        "6 verifications from 2026-01-01 to 2026-01-06, 4 of them good; the last one is "
        "NOT_REPRODUCED. The reruns' mean of accuracy went from 0.96 to 0.965."
    )


def test_a_metric_that_was_not_measured_is_not_drawn():
    figure = trends.trend(verifications(3), "loss")
    assert figure and not across(figure.svg, "mean") and "loss" not in figure.caption


def test_one_verification_is_enough():
    figure = trends.trend(verifications(1), "accuracy")
    assert figure and figure.caption.startswith("One verification, on 2026-01-01: NOT_REPRODUCED.")


def test_only_the_newest_of_many_are_drawn():
    figure = trends.trend(verifications(500), "accuracy")
    assert figure and len(across(figure.svg, "mean")) == trends.SHOWN
    assert len(figure.svg) < 8_000


def test_the_share_counts_each_run_by_its_newest_verification():
    days = verifications(6)
    figure = trends.reproduced_share({"a": days[:3], "b": days[4:], "c": days[2:3]})
    assert figure
    assert figure.caption == (
        "As of 2026-01-06, 2 of 3 runs reproduced (66.7 %); as of 2026-01-01 it was 0 of 1."
    )
    ((_, *later),) = shapes(figure.svg, "mean curve")
    assert len(across(figure.svg, "mean")) == 5 and later


def test_nothing_is_drawn_without_a_verification():
    assert trends.trend(()) is None
    assert trends.reproduced_share({"a": ()}) is None
