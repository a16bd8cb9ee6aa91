import math

from reprocheck.audit import names
from reprocheck.audit.names import Names
from reprocheck.model import RunStatus, Severity
from tests.audit.builders import make_summary


def findings(*runs):
    analysis = Names()
    for run in runs:
        analysis.add(run)
    return analysis.findings()


def with_metrics(*metrics, start=0, **changes):
    return [make_summary(start + i, metrics=each, **changes) for i, each in enumerate(metrics)]


def test_a_metric_that_only_some_runs_have_is_told_with_its_share_and_an_example():
    [found] = findings(*with_metrics(*[{"accuracy": 1.0}] * 9, {"accuracy": 1.0, "f1": 0.5}))
    assert (found.code, found.severity, found.pointer) == (
        "partial-name",
        Severity.NOTE,
        "/metrics/f1",
    )
    assert found.message == (
        f"of train.py, the metric f1 is only in 1 of 10 runs (10 %), as in {9:032x}"
    )


def test_of_a_metric_that_few_lack_one_of_these_is_named():
    [found] = findings(*with_metrics(*[{"a": 1.0, "b": 1.0}] * 9, {"a": 1.0}))
    where = f"missing in 1 of 10 runs (10 %), for example in {9:032x}"
    assert found.message == f"of train.py, the metric b is {where}"
    [found] = findings(*with_metrics(*[{"a": 1.0, "b": 1.0}] * 9, {"a": 1.0}, {"a": 1.0}))
    assert found.message.endswith(f"missing in 2 of 11 runs (18 %), for example in {9:032x}")
    [found] = findings(*with_metrics({"a": 1.0}, *[{"a": 1.0, "b": 1.0}] * 9))
    assert found.message.endswith(f"missing in 1 of 10 runs (10 %), for example in {0:032x}")


def test_names_that_come_together_are_one_finding_and_numbered_ones_one_name():
    folds = {f"fold_{i}": 1.0 for i in range(9)}
    [found] = findings(*with_metrics(*[{"a": 1.0}] * 5, {"a": 1.0, "gap": 1.0, **folds}))
    assert "the metrics fold_N, gap are only in 1 of 6 runs" in found.message


def test_the_same_names_everywhere_are_no_finding():
    assert findings(*with_metrics(*[{"a": 1.0, "b": 2.0}] * 9)) == ()


def test_few_runs_say_nothing():
    assert findings(*with_metrics({"a": 1.0}, {"a": 1.0, "b": 1.0})) == ()


def test_runs_that_did_not_finish_are_not_missed_in():
    failed = with_metrics({}, {}, start=9, status=RunStatus.FAILED)
    assert findings(*with_metrics(*[{"a": 1.0}] * 5), *failed) == ()


def test_runs_of_another_script_parentage_or_name_need_not_log_the_same():
    other = {"rows": 1.0}
    assert not findings(
        *with_metrics(*[{"a": 1.0}] * 5),
        *with_metrics(*[other] * 5, start=10, tags={"mlflow.source.name": "evaluate.py"}),
        *with_metrics(
            *[{"b": 1.0}] * 5,
            start=20,
            tags={"mlflow.source.name": "train.py", "mlflow.parentRunId": "p"},
        ),
        *with_metrics(*[{"c": 1.0}] * 5, start=30, name="evaluation of 2026"),
        *with_metrics(*[{"d": 1.0}] * 5, start=40, experiment="faces"),
    )


def test_runs_that_are_each_named_by_hand_are_still_one_kind():
    runs = [make_summary(i, name=name, metrics={"a": 1.0}) for i, name in enumerate("uvwxy")]
    [found] = findings(*runs, make_summary(9, name="z", metrics={"a": 1.0, "b": 1.0}))
    assert "the metric b is only in 1 of 6 runs" in found.message


def test_a_name_spelt_in_two_ways_is_told_once_with_the_commoner_as_the_fix():
    runs = with_metrics(*[{"accuracy": 0.9}] * 8, {"acc": 0.9}, {"acc": 0.8})
    [found] = findings(*runs)
    assert (found.code, found.severity) == ("near-duplicate-name", Severity.NOTE)
    assert 'the metric "accuracy" of 8 runs seems to be called "acc" in 2 runs' in found.message
    assert f"{8:032x}" in found.message
    assert found.fix == 'mlflow.log_metric("accuracy", value)'


def test_parameters_are_looked_at_too():
    runs = [make_summary(i, parameters={name: "1"}) for i, name in enumerate(["lr"] * 3 + ["LR"])]
    [found] = findings(*runs, make_summary(9, parameters={"learning_rate": "1"}))
    assert '"LR" in 1 run (as ' in found.message
    assert '"learning_rate" in 1 run (as ' in found.message
    assert found.fix == 'mlflow.log_param("lr", value)'


def test_two_names_with_two_values_in_one_run_are_no_duplicates():
    runs = with_metrics({"acc": 0.9, "accuracy": 0.8}, {"acc": 0.9}, {"accuracy": 0.9})
    assert findings(*runs) == ()


def test_two_names_that_always_come_together_harm_nobody():
    runs = with_metrics({"acc": 0.9, "accuracy": 0.9}, {"accuracy": 0.9})
    assert findings(*runs) == ()


def test_one_value_in_two_spellings_is_one_value():
    nan = {"acc": math.nan, "accuracy": math.nan}
    assert len(findings(*with_metrics(nan, {"acc": 0.9}, {"accuracy": 0.9}))) == 1
    both = make_summary(parameters={"lr": "0.1", "learning_rate": "1e-1"})
    apart = [make_summary(i, parameters={n: "1"}) for i, n in enumerate(["lr", "learning_rate"])]
    assert len(findings(both, *apart)) == 1


def test_the_same_name_in_two_experiments_is_no_duplicate():
    runs = [make_summary(i, experiment=e, metrics={e: 1.0}) for i, e in enumerate(["acc", "Acc"])]
    assert findings(*runs) == ()


def test_what_is_kept_is_bounded(monkeypatch):
    monkeypatch.setattr(names, "MOST_NAMES", 20)
    monkeypatch.setattr(names, "MOST_FINDINGS", 3)
    runs = with_metrics(*[{f"m{'ab' * i}": 1.0, "x" * 9000: 1.0} for i in range(60)])
    found = findings(*runs)
    assert found[-1].message == "16 more findings of this kind are not shown"
    assert len(found) == 4
    assert max(len(each.message) for each in found) < 500


def test_a_name_is_quoted_in_the_fix():
    runs = with_metrics({'a"b\n_c': 1.0}, {'a"b\n_c': 1.0}, {'A"B\n_C': 1.0})
    [found] = findings(*runs)
    assert found.fix == r'mlflow.log_metric("a\"b\n_c", value)'
