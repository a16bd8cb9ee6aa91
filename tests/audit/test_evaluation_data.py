import json

import pytest

from reprocheck.audit import evaluation_data
from reprocheck.audit.evaluation_data import EvaluationData
from reprocheck.model import RunStatus, Severity
from tests.audit.builders import make_dataset, make_summary


def findings(*runs):
    analysis = EvaluationData()
    for run in runs:
        analysis.add(run)
    return analysis.findings()


def runs_with(*changes, metrics=("accuracy",)):
    values = dict.fromkeys(metrics, 0.9)
    return [make_summary(i, **{"metrics": values, **each}) for i, each in enumerate(changes)]


def on(*digests, context="eval"):
    return {"datasets": tuple(make_dataset(digest, context) for digest in digests)}


def params(**values):
    return {"parameters": values}


def files(*entries):
    return {"tags": {"reprocheck.data": json.dumps(entries)}}


def test_runs_on_different_data_sets_are_told_by_group_with_sizes_and_examples():
    [found] = findings(
        *runs_with(on("aa11"), on("aa11"), on("bb22"), {}, metrics=("accuracy", "f1"))
    )
    assert (found.code, found.severity) == ("different-evaluation-data", Severity.WARNING)
    assert found.message == (
        "in digits, accuracy, f1 cannot be compared over all runs: their evaluation data differ "
        f"by the data set's digest: 2 runs with aa11 (as {0:032x}); 1 run with bb22 (as {2:032x}); "
        "1 run without it, of which it is unknown"
    )
    wanted = "--filter 'dataset.digest = \"aa11\"'"
    assert found.fix == f"reprocheck audit --experiment=digits {wanted}"


@pytest.mark.parametrize(
    "changes",
    [
        [on("aa"), on("aa")],
        [on("aa"), {}],
        [{}, {}],
        [on("aa", context="training"), on("bb", context="training")],
        [on("aa"), on("aa", "bb")],  # it may be of the one that they share
        [on("aa"), params(test_path="t.csv")],  # told in two ways
        [params(test_path="/home/a/p/data/t.csv"), params(test_path="/Users/b/q/t.csv")],
        [params(test_path="data/t.csv"), params(test_path=r"C:\work\data\t.csv")],
        [params(test_path="data/t.csv"), params(test_path="./data/t.csv")],
        [params(test_path="data/t.csv"), params(test_path="../data/t.csv")],
        [params(data_dir="/home/a/data"), params(data_dir="/scratch/b/datasets")],
        [params(test_file="/tmp/a1.csv"), params(test_file="/tmp/b2.csv")],
        [params(test_path="x"), params(test_path="None")],
        [params(train_path="a.csv"), params(train_path="b.csv")],
        [params(eval_batch_size="8"), params(eval_batch_size="16")],
        [params(use_test_data="True"), params(use_test_data="yes")],
        [params(validation_fraction="0.1"), params(validation_fraction="0.2")],
        [params(fold="1") | on("aa"), params(fold="2") | on("bb")],
        [files({"path": "train.csv", "md5": "0"}), files({"path": "train.csv", "md5": "1"})],
        [{"tags": {"reprocheck.data": "["}}, {"tags": {"reprocheck.data": "[3, {}]"}}],
        [on("aa"), on("bb") | {"status": RunStatus.FAILED}],
        [on("aa"), on("bb") | {"experiment": "faces"}],
    ],
)
def test_no_alarm(changes):
    assert findings(*runs_with(*changes)) == ()


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ([params(test_path="a.csv"), params(test_path="b.csv")], "parameter test_path"),
        ([params(test_path="v1/t.csv"), params(test_path="v2/t.csv")], "parameter test_path"),
        ([params(eval_file="a.csv"), params(eval_file="/x/b.csv")], "parameter eval_file"),
        ([params(dataset_version="1"), params(dataset_version="2")], "parameter dataset_version"),
        ([params(test_size="0.2"), params(test_size="0.3")], "parameter test_size"),
        ([{"tags": {"data_md5": "1"}}, {"tags": {"data_md5": "2"}}], "tag data_md5"),
        ([{"tags": {"test_sha256": "1"}}, {"tags": {"test_sha256": "2"}}], "tag test_sha256"),
        (
            [files({"path": "d/test.csv", "md5": "0"}), files({"path": "d/test.csv", "md5": "1"})],
            "files' md5",
        ),
    ],
)
def test_data_are_known_by_tags_and_parameters_too(changes, by):
    [found] = findings(*runs_with(*changes))
    assert by in found.message


def test_digests_say_more_than_what_somebody_calls_the_data():
    one, other = on("aa") | params(eval_file="a.csv"), on("aa") | params(eval_file="b.csv")
    assert findings(*runs_with(one, other)) == ()
    changed = [on("aa") | params(dataset_version=str(i)) for i in range(2)]
    assert findings(*runs_with(*changed)) == ()


def test_a_metric_is_judged_by_the_data_of_its_name():
    def run(validation, test):
        both = (make_dataset(validation, "validation"), make_dataset(test, "test"))
        return {"datasets": both}

    named = ("train_loss", "val_loss", "test_loss", "loss", "accuracy")
    [found] = findings(*runs_with(run("v1", "t"), run("v2", "t"), metrics=named))
    assert found.message.startswith("in digits, val_loss cannot be compared over all runs: their v")
    [found] = findings(*runs_with(run("v", "t1"), run("v", "t2"), metrics=named))
    assert "in digits, accuracy, test_loss cannot" in found.message  # `loss` is of the training


@pytest.mark.parametrize("value", ['a"b', "a\nb", "https://me:pw@host/test.csv", "x`y"])
def test_a_filter_that_would_not_say_it_exactly_is_not_offered(value):
    changes = [params(test_path=value), params(test_path=value), params(test_path="z")]
    [found] = findings(*runs_with(*changes))
    assert (found.fix == "") == (value != "x`y")
    assert "pw" not in found.message


def test_a_metric_is_told_once_by_what_most_runs_say():
    both = on("aa") | params(eval_file="a.csv", dataset_version="1")
    [found] = findings(
        *runs_with(
            both,
            on("bb"),
            *[params(dataset_version=str(i % 2)) for i in range(5)],
            metrics=("f1", "accuracy"),
        ),
        make_summary(8, metrics={"f1": 1.0}, **params(dataset_version="1")),
    )
    assert found.message.startswith(
        "in digits, f1, accuracy cannot be compared over all runs: their data differ by the "
        "parameter dataset_version: 3 runs with 0 "
    )


def test_many_groups_are_counted(monkeypatch):
    monkeypatch.setattr(evaluation_data, "MOST_VALUES", 6)
    [found] = findings(*runs_with(*[on(f"{i:04}") for i in range(9)]))
    assert "3 more groups; 3 runs without it, of which it is unknown" in found.message
