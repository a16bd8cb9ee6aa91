"""The two sides of a comparison of what is recorded."""

import dataclasses

import pytest

from reprocheck.errors import UnfinishedRunError, UnknownRunError, UsageError
from reprocheck.model import RunRef, RunStatus, SeedPolicy, Sibling
from reprocheck.sides import RecordedRuns, sides_of_runs, sides_of_values, value_lists
from tests.reporters.builders import make_metric, make_record


def record(run_id, **changes):
    return make_record(ref=RunRef(tracker="mlflow", run_id=run_id), **changes)


LOGGED = {"accuracy": make_metric("accuracy", 0.9612)}
RECORDS = {
    **{name: record(name) for name in "abc"},
    "d": record("d", metrics=LOGGED, seeds={"seed": "7"}),
}


def sides(*reruns, baselines=(), **others):
    known = {**RECORDS, **others}

    def read(name):
        if name not in known:
            raise UnknownRunError(f"no {name}", "")
        return known[name]

    return sides_of_runs(
        RecordedRuns(original="a", reruns=reruns, baselines=baselines), read, ("out",)
    )


def test_runs_become_an_original_and_trials():
    found = sides("b", "c", baselines=("d",))
    assert found.record is RECORDS["a"]
    assert [trial.index for trial in found.trials] == [1, 2]
    assert found.trials[0].metrics == RECORDS["b"].metrics
    assert [each.record for each in found.pooled] == [RECORDS["d"]]
    assert (found.originals, found.findings) == (2, ())


def test_a_rerun_is_no_sibling_that_gives_the_margin():
    siblings = tuple(Sibling(run_id=name, metrics={"accuracy": 0.9}) for name in "bx")
    known = {**RECORDS, "a": record("a", siblings=siblings)}
    found = sides_of_runs(RecordedRuns(original="a", reruns=("b", "c")), known.__getitem__)
    assert [sibling.run_id for sibling in found.original.siblings] == ["x"]


def test_a_trial_has_the_seed_that_was_recorded():
    seeds = [{"seed": "7"}, {"numpy": "3"}, {"numpy": "3", "torch": "4"}, {}]
    others = {f"x{i}": record(f"x{i}", seeds=each) for i, each in enumerate(seeds)}
    assert [trial.seed for trial in sides(*others, **others).trials] == ["7", "3", None, None]


@pytest.mark.parametrize(
    ("seeds", "policy"),
    [
        ({"seed": "42"}, SeedPolicy.SAME),
        ({"seed": "7"}, SeedPolicy.FRESH),
        ({}, None),
    ],
)
def test_the_records_tell_which_seeds_the_reruns_had(seeds, policy):
    assert sides("b", "x", x=record("x", seeds=seeds)).seeds is policy


@pytest.mark.parametrize(
    ("reruns", "baselines", "words"),
    [
        (("b", "b"), (), "run b is named twice"),
        (("b", "a"), (), "run a is named twice"),
        (("b",), ("b",), "run b is named twice"),
        (("b",), ("a",), "is the original run itself"),
        (("b",), ("z",), "--baseline: baseline z: no z"),
        (("z",), (), "no z"),
    ],
)
def test_a_run_counts_once_and_is_known(reruns, baselines, words):
    with pytest.raises((UsageError, UnknownRunError), match=words):
        sides(*reruns, baselines=baselines)


def test_a_run_that_has_not_finished_has_no_result():
    with pytest.raises(UnfinishedRunError, match="x: run x is failed"):
        sides("x", x=record("x", status=RunStatus.FAILED))
    with pytest.raises(UsageError, match="--baseline: baseline x"):
        sides("b", baselines=("x",), x=record("x", status=RunStatus.RUNNING))


def test_another_recipe_on_either_side_is_told():
    other = {"parameters": {"lr": "0.5", "seed": "42", "out": "there"}}
    y = record("y", **other, metrics=LOGGED)
    found = sides("x", baselines=("y",), x=record("x", **other), y=y)
    assert [finding.code for finding in found.findings] == ["other-recipe"] * 2
    aside = record("x", parameters={**RECORDS["a"].parameters, "out": "x", "seed": "9"})
    assert sides("x", x=aside).findings == ()


def test_the_same_machine_and_environment_are_known_by_what_all_recorded():
    told = {"cpu_model": "EPYC", "cpu_count": "8", "isa": "avx2", "platform": "Linux x86_64"}
    told |= {"blas": "none", "gpus": "none"}
    fields = {"hardware": told, "tags": {"reprocheck.environment.sha256": "e"}}
    a, b = record("a", **fields), record("b", **fields)
    assert sides("b", a=a, b=b).same_machine
    assert not sides("b", "c", a=a, b=b).same_machine
    assert not sides("b", a=a, b=record("b", hardware=told)).same_machine
    other = sides("b", a=a, b=record("b", **{**fields, "hardware": {**told, "isa": "avx"}}))
    assert not other.same_machine
    assert "other-hardware" in {finding.code for finding in other.findings}


def test_a_baseline_that_repeats_another_original_counts_once():
    found = sides(
        "b", baselines=("c", "d", "e"), e=record("e", metrics=LOGGED, seeds={"seed": "7"})
    )
    assert [each.record for each in found.pooled] == [RECORDS["d"]]
    assert [finding.code for finding in found.findings if "baseline" in finding.code] == [
        "repeated-baseline",  # c repeats a
        "repeated-baseline",  # e repeats d
    ]


def test_values_of_one_place_are_one_run():
    lists = value_lists({"a": (1.0, 2.0), "b": (3.0, 4.0)}, {"a": (5.0,), "b": (6.0,)})
    found = sides_of_values(lists)
    assert {n: m.value for n, m in found.original.metrics.items()} == {"a": 1.0, "b": 3.0}
    assert [{n: m.value for n, m in each.items()} for each in found.more] == [{"a": 2.0, "b": 4.0}]
    assert [{n: m.value for n, m in trial.metrics.items()} for trial in found.trials] == [
        {"a": 5.0, "b": 6.0}
    ]
    assert (found.named, found.originals) == (("a", "b"), 2)


@pytest.mark.parametrize(
    ("originals", "reruns", "words"),
    [("a", "b", "--values gives no values of a"), ("a", "ab", "--original gives no values of b")],
)
def test_a_metric_of_one_side_is_wrong_usage(originals, reruns, words):
    with pytest.raises(UsageError, match=words):
        value_lists(dict.fromkeys(originals, (1.0,)), dict.fromkeys(reruns, (1.0,)))


def test_a_trial_keeps_what_the_judgement_asks_for():
    trial = sides("b").trials[0]
    assert (trial.exit_code, trial.products) == (0, ())
    assert dataclasses.replace(trial, index=2) == sides("c", "b").trials[1]
