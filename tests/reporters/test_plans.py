import dataclasses

import pytest

from reprocheck.model import Gates, RerunPlan, SeedPolicy, Verdict
from reprocheck.reporters.plans import planned, planned_margins
from tests.reporters.builders import make_comparison, make_record, make_report, make_trial
from tests.reporters.cases import dry_run


def plan_of(**changes):
    report = make_report(**{"plan": RerunPlan(), "stopped_by": "decided", **changes})
    report = dataclasses.replace(report, cost=dataclasses.replace(report.cost, reruns=8))
    return {fact.label: fact.text for fact in planned(report)}["Plan"]


def trials(count, **changes):
    return tuple(make_trial(index, **changes) for index in range(1, count + 1))


def test_a_sequential_plan_says_its_looks_and_what_it_saved():
    assert plan_of(trials=trials(4)) == (
        "judged after each of 3 to 8 reruns, level 5 %, same seed (42); decided after 4, 4 saved"
    )


@pytest.mark.parametrize(
    ("stopped_by", "end"),
    [
        ("identical", "; ended after 4, identical beyond chance, 4 saved"),
        ("futility", "; ended after 4: more were not expected to decide, 4 saved"),
        ("unstable", "; ended after 4: one crashed"),
        ("budget", "; ended after 4: the time budget was spent"),
        ("planned", "; all 4 done"),
        ("", "same seed (42)"),
    ],
)
def test_it_says_how_the_reruns_ended(stopped_by, end):
    assert plan_of(stopped_by=stopped_by, trials=trials(4)).endswith(end)


def test_a_crashed_rerun_is_not_counted():
    crashed = make_trial(5, exit_code=1)
    assert "ended after 4: one crashed" in plan_of(
        stopped_by="unstable", trials=(*trials(4), crashed)
    )


@pytest.mark.parametrize(
    ("plan", "margins", "looks"),
    [
        (RerunPlan(least=5, most=5), (True,), "judged once, after 5 reruns,"),
        (RerunPlan(least=1, most=1), (True,), "judged once, after 1 rerun,"),
        (RerunPlan(), (False,), "judged once, after 5 reruns,"),
        (
            RerunPlan(),
            (True, False),
            "judged after each of 3 to 8 reruns (without a margin once, after 5),",
        ),
    ],
)
def test_a_metric_without_a_margin_is_judged_once(plan, margins, looks):
    comparisons = tuple(
        make_comparison() if has_margin else make_comparison(margin=None) for has_margin in margins
    )
    assert plan_of(plan=plan, comparisons=comparisons).startswith(looks)


def test_the_seeds_are_told():
    fresh = RerunPlan(seeds=SeedPolicy.FRESH)
    told = plan_of(plan=fresh, trials=(make_trial(1, seed="7"), make_trial(2, seed="8")))
    assert "level 5 %, fresh seeds (7, 8);" in told
    assert "same seed (none recorded)" in plan_of(record=make_record(seeds={}))
    assert "level 5 %, same seed;" in plan_of(seeds=("42", "42"))  # a fact of its own tells which


def test_nothing_is_planned_where_nothing_was_run():
    assert planned(make_report(gates=None, verdict=Verdict.NOT_VERIFIED)) == ()
    report = make_report(trials=(), verdict=Verdict.NOT_VERIFIED)
    assert [fact.label for fact in planned(report)] == ["Judged"]


@pytest.mark.parametrize("names", [(), ("accuracy", "f1")])
def test_the_gates_are_told_with_their_reason(names):
    [gates, _] = planned(make_report(gates=Gates(metrics=names, reason="named by --gate")))
    assert gates.text == f"{', '.join(names) or 'nothing'}: named by --gate"


def test_a_dry_run_tells_the_cost_and_the_margins():
    assert [fact.label for fact in planned(dry_run())] == ["Judged", "Plan", "Cost"]
    report = dataclasses.replace(
        dry_run(), gates=Gates(metrics=("accuracy", "loss", "f1", "gap"), reason="named by --gate")
    )
    bare = make_comparison(metric="loss", margin=None)
    gap = make_comparison(metric="gap", margin=None, baseline=(0.25,))  # an expression
    report = dataclasses.replace(report, comparisons=(*report.comparisons, bare, gap))
    assert planned_margins(report) == (
        ("accuracy", "0.9611", "±0.005, declared: 0.005 (--margin)"),
        ("loss", "0.1342", "none known"),
        ("f1", "—", "—"),
        ("gap", "0.25", "none known"),
    )


def test_no_rerun_saved_is_not_told():
    assert plan_of(stopped_by="decided", trials=trials(8)).endswith("; decided after 8")
