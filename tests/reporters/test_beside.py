import math

import pytest

from reprocheck.model import SEVERITY_ORDER, Outcome, Pair, Scale, Verdict
from reprocheck.reporters import beside
from tests.reporters.builders import (
    make_comparison,
    make_criterion,
    make_history,
    make_informational,
    make_product,
    make_report,
)
from tests.reporters.exhibits import make_curve, make_exhibit, make_picture


def seen(label, every=False, **changes):
    report = make_report(**changes)
    facts = [*beside.curves(report, every=every), *beside.outputs(report, every=every)]
    return [fact.text for fact in facts if fact.label == label]


def curves(*histories, every=False):
    comparisons = (
        *(make_comparison(metric=f"m{i}", history=each) for i, each in enumerate(histories)),
        make_informational("other", history=make_history()),
    )
    return seen("Curves", every=every, comparisons=comparisons)


def test_a_sentence_that_the_report_says_already_is_not_repeated():
    first, second = make_comparison(sentence="Same."), make_comparison(metric="f1", sentence="Not.")
    report = make_report(comparisons=(first, second), sentence="accuracy: Same.")
    assert beside.sentences(report, every=True) == ("f1: Not.",)


def test_metrics_with_one_sentence_share_it():
    names = [f"m{i}" for i in range(7)]
    comparisons = tuple(make_comparison(metric=name, sentence="Equal.") for name in names)
    report = make_report(comparisons=comparisons, sentence="")
    assert beside.sentences(report, every=True) == ("m0, m1, m2, m3, m4 and 2 more: Equal.",)


def test_a_sentence_that_begins_with_its_metric_does_not_name_it_twice():
    lost = make_comparison(metric="loss", sentence="loss could not be compared: it is missing.")
    report = make_report(comparisons=(lost,), sentence="")
    assert beside.sentences(report, every=True) == (lost.sentence,)


def test_only_gated_metrics_have_their_sentences_told():
    report = make_report(comparisons=(make_informational("latency_ms"),), sentence="")
    assert beside.sentences(report, every=True) == ()


def test_a_verdict_that_its_row_says_in_full_has_no_sentence_in_a_short_report():
    comparisons = tuple(
        make_comparison(metric=verdict.value, verdict=verdict, sentence=f"{i}.")
        for i, verdict in enumerate(SEVERITY_ORDER[:-1])
    )
    told = beside.sentences(make_report(comparisons=comparisons, sentence=""), every=False)
    assert [text.partition(":")[0] for text in told] == [
        *("NOT_WORSE", "CONSISTENT", "INCONCLUSIVE", "NOT_COMPARABLE", "NOT_REPRODUCED")
    ]


def test_notes_name_their_metrics_where_they_are_not_of_all():
    one = make_comparison(notes=("A.", "B."))
    two = make_comparison(metric="f1", notes=("B.",))
    assert beside.notes(make_report(comparisons=(one,))) == ("A.", "B.")
    assert beside.notes(make_report(comparisons=(one, two))) == ("B.", "accuracy: A.")
    assert beside.notes(make_report(comparisons=())) == ()


def test_power_is_told_in_the_metrics_own_terms():
    one = make_comparison(detectable=0.0087)
    two = make_comparison(metric="loss", scale=Scale.LOG, detectable=math.log(1.05))
    assert beside.power(make_report(comparisons=(one,)), every=False) == (
        "A true difference of 0.0087 would have been found in 80 %."
    )
    assert beside.power(make_report(comparisons=(one, two)), every=True) == (
        "True differences found in 80 %: accuracy 0.0087, loss 5 %."
    )


@pytest.mark.parametrize("unknown", [None, math.inf, math.nan])
def test_unknown_power_is_not_told(unknown):
    report = make_report(comparisons=(make_comparison(detectable=unknown),))
    assert beside.power(report, every=True) == ""


def test_what_would_have_been_found_for_certain_is_told_where_all_is():
    equal = make_comparison(detectable=0.0, reason="bits")
    close = make_comparison(metric="loss", detectable=1e-9, reason="tolerance")
    report = make_report(comparisons=(equal,))
    assert beside.power(report, every=False) == ""
    assert beside.power(report, every=True) == (
        "A true difference of any size would have been found for certain."
    )
    noisy = make_comparison(metric="f1", detectable=0.02)
    assert beside.power(make_report(comparisons=(equal, close, noisy)), every=True) == (
        "True differences found in 80 %: f1 0.02. "
        "True differences found for certain: accuracy any size, loss more than 1e-9."
    )


@pytest.mark.parametrize(
    ("outcome", "mark"),
    [(Outcome.MEETS, "✓ "), (Outcome.MISSES, "✗ "), (Outcome.UNDECIDED, "? ")],
)
def test_a_criterion_has_its_mark(outcome, mark):
    report = make_report(criteria=(make_criterion(outcome=outcome),))
    [told] = beside.criteria(report, every=True)
    assert told == mark + make_criterion().sentence


def test_curves_say_where_they_part():
    assert curves(make_history()) == [
        "m0: part at step 3 (20 in common); best 0.9622 → 0.9619; area 18.101 → 18.0872; rank p 0.5"
    ]


def test_what_is_not_known_of_curves_is_left_out():
    [told] = curves(make_history(best=None, rank_p=None, area=Pair(original=1.0, rerun=1.5)))
    assert told == "m0: part at step 3 (20 in common); area 1 → 1.5"
    assert curves(make_history(parted_at=None)) == ["m0: equal at all 20 common steps"]
    assert curves(None) == []


def test_curves_of_other_metrics_are_told_on_request():
    assert len(curves(make_history())) == 1
    assert curves(every=True)[0].startswith("other: ")


def test_several_curves_have_one_line_that_says_where_they_part():
    one = make_comparison(history=make_history())
    two = make_comparison(metric="f1", history=make_history(parted_at=None))
    assert beside.parted(make_report(comparisons=(one,))) == ""
    assert beside.parted(make_report(comparisons=(one, two))) == (
        "part: accuracy at step 3, f1 nowhere"
    )


def test_products_are_counted_and_the_gated_ones_named():
    products = (
        make_product("model.pt", "noise", gated=True, verdict=Verdict.INCONCLUSIVE),
        make_product("a.csv"),
        make_product("c.csv", "numbers"),
        make_product("d.csv", "missing"),
    )
    assert seen("Products", products=products) == [
        "4 products: 1 the same, 2 differ, 1 missing in a rerun.",
        "? model.pt: noise in all 5 reruns.",
    ]


def test_products_that_differ_are_named_on_request():
    products = (make_product("a.csv"), make_product("c.csv", "numbers"))
    assert seen("Products", every=True, products=products) == [
        "2 products: 1 the same, 1 differs.",
        "c.csv: numbers in all 5 reruns.",
    ]
    assert seen("Products", products=()) == []


def test_exhibits_are_counted_in_a_line_where_one_differs():
    picture = make_picture()
    same = make_exhibit("a.png", picture)
    others = (make_exhibit("b.png", picture, make_picture("blue")), make_exhibit("c.csv"))
    told = "2 images and 1 matrix, 1 differs"
    assert seen("Exhibits", exhibits=(same, *others)) == [told]
    assert seen("Exhibits", exhibits=(same,)) == []
    assert seen("Exhibits", exhibits=(same,), every=True) == ["1 image, none differs"]
    gone = (
        make_exhibit("b.csv", missing=True),
        make_exhibit("c.json", make_curve(), make_curve(2)),
    )
    assert seen("Exhibits", exhibits=(same, *gone)) == ["1 image, 1 matrix and 1 curve, 2 differ"]
