"""What may be accepted as the new baseline of a run, and the entry for it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from reprocheck import accepted, accepting
from reprocheck.errors import AcceptError, ReprocheckError, UnknownRunError, UsageError
from reprocheck.model import Change, RunRef, Stage, Verdict
from reprocheck.report_store import ReportStore
from reprocheck.reporters import accept_terminal
from tests.reporters import cases
from tests.reporters.builders import RUN_ID, make_comparison, make_product, make_record, make_report

AT = datetime(2026, 5, 3, 10, 15, tzinfo=UTC)
DECIDED = accepting.decision("Jo <jo@x.org>", AT, "agreed")


def changed(*comparisons, **changes):
    changes |= {"comparisons": comparisons} if comparisons else {}
    return dataclasses.replace(cases.not_reproduced(), **changes)


def judged(metric="accuracy", verdict=Verdict.NOT_REPRODUCED, **changes):
    change = Change.WORSE if verdict is Verdict.NOT_REPRODUCED else None
    return make_comparison(metric=metric, verdict=verdict, change=change, **changes)


def test_what_changed_is_accepted_with_old_and_new_values():
    report = cases.not_reproduced()
    found = accepting.accept(report, DECIDED, ())
    (metric,) = found.metrics  # validation/f1_macro reproduced
    of_report = {each.metric: each for each in report.comparisons}[metric.metric]
    assert metric.metric == "accuracy"
    assert (metric.old, metric.new) == (of_report.baseline, of_report.reruns)
    assert (found.run_id, found.by, found.at, found.reason) == (RUN_ID, DECIDED.by, AT, "agreed")
    assert (found.verdict, found.verified_at) == (report.verdict, report.created_at)
    shown = accept_terminal.render(found, report, name=accepted.FILE_NAME, dry_run=False)
    assert "  accuracy  0.9611 → 0.91342 (mean of 5 reruns)  -0.04768\n" in shown
    assert "Next: commit reprocheck.baseline.json" in shown


def test_what_reproduced_needs_no_acceptance():
    for report in (cases.identical(), cases.reproduced(), cases.consistent()):
        assert accepting.accept(report, DECIDED, ()) is None


def test_an_inconclusive_result_of_enough_reruns_can_be_accepted():
    found = accepting.accept(cases.inconclusive(), DECIDED, ())
    assert found.verdict is Verdict.INCONCLUSIVE
    twice = judged(reruns=(0.9, 0.9), reason="deterministic")
    assert accepting.accept(changed(twice, stopped_by="deterministic"), DECIDED, ())


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (cases.not_verified(), "nothing was measured: NOT_VERIFIED"),
        (cases.dry_run(), "of a dry run: nothing was measured"),
        (cases.not_comparable(), "could not be compared"),
        (changed(judged(), stopped_by="unstable"), "accuracy: the training is unstable"),
        (changed(judged(reruns=(0.9, float("nan"), 0.9))), "accuracy: the training is unstable"),
        (changed(judged(reruns=(0.9, 1.798e308 / 1.0001, 0.9))), "is unstable"),
        (changed(judged(reason="failures")), "accuracy: the training is unstable"),
        (changed(judged(baseline=(float("inf"),))), "own value is not finite"),
        (changed(judged(reruns=(0.9, 0.91))), "2 reruns cannot tell how much"),
        (changed(judged(reruns=(0.9,))), "1 rerun cannot tell how much"),
        (changed(judged(reruns=())), "could not|differs|"),
        (changed(make_comparison(), products=(make_product("m.bin"),)), "is a file"),
    ],
)
def test_what_was_not_measured_or_not_enough_is_refused(report, told):
    with pytest.raises(AcceptError, match=told) as found:
        accepting.accept(report, DECIDED, ())
    assert found.value.hint
    assert not isinstance(found.value, UsageError)  # exit 3


def test_metrics_can_be_chosen():
    report = changed(judged(), judged("loss", reruns=(0.1,)), make_comparison(metric="f1"))
    with pytest.raises(AcceptError, match=r"loss: 1 rerun"):
        accepting.accept(report, DECIDED, ())
    only = dataclasses.replace(DECIDED, metrics=("accuracy",))
    (metric,) = accepting.accept(report, only, ()).metrics
    assert metric.metric == "accuracy"
    with pytest.raises(UsageError, match="--metric auc is not judged") as found:
        accepting.accept(report, dataclasses.replace(DECIDED, metrics=("auc",)), ())
    assert found.value.hint == "judged: accuracy, loss, f1"
    with pytest.raises(AcceptError, match="f1 did not change"):
        accepting.accept(report, dataclasses.replace(DECIDED, metrics=("f1",)), ())


def test_what_was_accepted_before_is_carried_along():
    first = accepting.accept(changed(judged()), DECIDED, ())
    loss = make_record().metrics["loss"].value
    later = changed(
        judged("loss", baseline=(loss,)), make_comparison(baseline=first.metrics[0].new)
    )
    second = accepting.accept(later, DECIDED, (first,))
    values = {each.metric: each for each in second.metrics}
    assert values["accuracy"].old == values["accuracy"].new == first.metrics[0].new
    own = {name: metric.value for name, metric in make_record().metrics.items()}
    counting = accepted.in_force(accepted.added((first,), second), RUN_ID, own)
    assert (counting.acceptance, counting.stale) == (second, ())
    shown = accept_terminal.render(second, later, name="x.json", dry_run=True)
    assert "  accuracy  as accepted before\n" in shown
    assert "Nothing was written (dry run)." in shown


def test_a_report_that_was_judged_against_another_baseline_is_refused():
    report = changed(judged())
    first = accepting.accept(report, DECIDED, ())
    with pytest.raises(AcceptError, match="another baseline than the one that counts now") as found:
        accepting.accept(report, DECIDED, (first,))  # accepted already
    assert found.value.hint.endswith(f"reprocheck verify {RUN_ID}")


@pytest.mark.parametrize(
    ("by", "reason", "told"),
    [
        ("", "why", "--by is empty"),
        ("Jo", " \n\t", "--reason is empty"),
        ("Jo", "x" * 1_001, "--reason has 1,001 characters"),
        ("x" * 201, "why", "--by has 201 characters"),
        ("Jo", "a\x1b[31mb", "--reason holds control characters"),
        ("J\udcffo", "why", "--by holds control characters"),
    ],
)
def test_who_and_why_are_lines_of_text(by, reason, told):
    with pytest.raises(UsageError, match=told):
        accepting.decision(by, AT, reason)
    kept = accepting.decision("Jö 👩‍🔬", AT, "two\n lines")
    assert (kept.by, kept.reason) == ("Jö 👩‍🔬", "two lines")


# --- which run ----------------------------------------------------------------------------


def test_a_run_is_named_by_an_unambiguous_beginning(tmp_path):
    store = ReportStore(tmp_path)
    with pytest.raises(UnknownRunError, match="holds no report of any run"):
        store.run_named("5f")
    for run_id in ("5f0c", "5f0c8f", "77aa"):
        record = make_record(ref=RunRef(tracker="mlflow", run_id=run_id))
        store.keep(make_report(record=record))
    assert [store.run_named(each) for each in ("77", "5f0c", "runs:/5F0C8")] == [
        *("77aa", "5f0c", "5f0c8f"),
    ]
    with pytest.raises(UnknownRunError, match="2 runs begin with '5f0': 5f0c, 5f0c8f"):
        store.run_named("5f0")
    for unknown in ("", "12"):
        with pytest.raises(UnknownRunError) as found:
            store.run_named(unknown)
        assert "77aa" in found.value.hint
        assert isinstance(found.value, ReprocheckError)
        assert found.value.usage
    assert store.newest("77aa").record.ref.run_id == "77aa"


def test_a_stage_that_failed_tells_what_to_mend_first():
    report = dataclasses.replace(cases.not_verified(), failed_stage=Stage.REBUILD)
    with pytest.raises(AcceptError) as found:
        accepting.accept(report, DECIDED, ())
    assert "then run reprocheck verify" in found.value.hint


@pytest.mark.parametrize(
    ("reason", "hint"), [("missing", "log it"), ("non_finite", "anew"), ("hardware", "--gate")]
)
def test_what_could_not_be_compared_is_mended_by_what_lacks(reason, hint):
    report = changed(judged(verdict=Verdict.NOT_COMPARABLE, reason=reason))
    with pytest.raises(AcceptError) as found:
        accepting.accept(report, DECIDED, ())
    assert hint in found.value.hint
