import dataclasses
import hashlib
import itertools
import json

import pytest

from reprocheck import model, schema
from reprocheck.detail import Detail, dump
from reprocheck.documents import LARGEST_REPORT, record_document, report_document
from reprocheck.model import Argv, Command, ShellLine, Step, TreeState
from tests.reporters.builders import (
    make_code,
    make_comparison,
    make_definition,
    make_environment,
    make_informational,
    make_metric,
    make_patch,
    make_record,
    make_report,
    make_trial,
)


def _size(document):
    return len(dump(document).encode())


def _follows(document):
    return schema.check(json.loads(dump(document)), "report") == ()


@pytest.mark.parametrize(
    ("noun", "part", "elsewhere"),
    [
        (model.RunRecord, lambda d: d["record"], {"ref", "sealed"}),
        (model.CodeState, lambda d: d["record"]["code"], set()),
        (model.EnvironmentSpec, lambda d: d["record"]["environment"], {"origin"}),
        (model.Material, lambda d: d["record"]["data"][0], {"origin", "remote", "listing"}),
        (model.Comparison, lambda d: d["comparisons"][0], set()),
        (model.Trial, lambda d: d["trials"][0], {"predictions", "parent_parameters"}),
        (model.BuiltEnvironment, lambda d: d["environment"], set()),
        (model.StageResult, lambda d: d["stages"][0], {"findings"}),
        (model.Report, lambda d: d, set()),
    ],
)
def test_no_field_of_a_noun_is_forgotten(noun, part, elsewhere):
    names = {field.name for field in dataclasses.fields(noun)} - elsewhere
    assert names <= set(part(report_document(make_report())))


def test_an_unknown_commit_is_null():
    assert record_document(make_record(code=make_code(commit="")))["code"]["commit"] is None


def test_a_patch_is_told_by_digest_and_size():
    code = make_code(patch=make_patch(b"abc"), tree=TreeState.DIRTY)
    told = record_document(make_record(code=code))["code"]["patch"]
    assert told == {"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3, "base": None}


def test_steps_say_whether_a_shell_runs_them():
    steps = (Step(run=Argv(args=("a", "b"))), Step(run=ShellLine(line="a | b"), cwd="sub"))
    told = record_document(make_record(command=Command(steps=steps)))["command"]["steps"]
    assert told == [{"argv": ["a", "b"], "cwd": "."}, {"shell": "a | b", "cwd": "sub"}]


def test_origins_of_data_and_environment_stand_with_the_others():
    origins = record_document(make_record())["origins"]
    assert set(origins) == {"/code/commit", "/data/0", "/environment"}


def test_a_secret_in_an_environments_file_is_hidden():
    spec = make_record().environment
    content = b"--index-url https://me:hunter2@example.org/simple\nnumpy\n"
    record = make_record(environment=dataclasses.replace(spec, content=content))
    told = record_document(record)["environment"]
    assert told["content"] == "--index-url https://***@example.org/simple\nnumpy\n"
    assert told["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_long_history_is_thinned_and_says_so():
    record = make_record(metrics={"loss": make_metric("loss", *range(10_001))})
    told = record_document(record)["metrics"]["loss"]
    steps = [point[0] for point in told["history"]]
    assert (told["points"], len(steps), steps[0], steps[-1]) == (10_001, 500, 0, 10_000)
    gaps = {b - a for a, b in itertools.pairwise(steps)}
    assert gaps <= {20, 21}


def test_a_history_of_the_limit_is_whole():
    record = make_record(metrics={"loss": make_metric("loss", *range(500))})
    assert len(record_document(record)["metrics"]["loss"]["history"]) == 500
    assert len(record_document(record, Detail(points=2))["metrics"]["loss"]["history"]) == 2


def test_a_log_is_its_last_64_kb():
    document = report_document(make_report(trials=(make_trial(log_tail="é" * 60_000 + "end"),)))
    tail = document["trials"][0]["log_tail"]
    assert tail.endswith("end")
    assert 65_530 < len(tail.encode()) <= 65_536
    assert document["kept"]["log_bytes"] == 65_536


def test_logs_are_given_up_before_histories():
    log = "x" * 65_536
    trials = tuple(make_trial(index, log_tail=log) for index in range(1, 101))
    document = report_document(make_report(trials=trials))
    assert _size(document) <= LARGEST_REPORT
    assert (document["kept"]["log_bytes"], document["kept"]["points"]) == (16_384, 500)


def test_histories_are_given_up_before_other_text():
    metrics = {f"m{i}": make_metric(f"m{i}", *range(1_000)) for i in range(100)}
    trials = tuple(make_trial(index, metrics=metrics) for index in range(1, 6))
    document = report_document(make_report(trials=trials))
    assert _size(document) <= LARGEST_REPORT
    assert document["kept"]["points"] == 100
    assert document["trials"][4]["metrics"]["m99"]["points"] == 1_000
    assert _follows(document)


def test_any_report_fits():
    many = {f"{i}{'k' * 300}": "v" * 3_000 for i in range(1_500)}
    metrics = {name: make_metric(name, 1.0) for name in many}
    record = make_record(parameters=many, tags=many, metrics=metrics, description="d" * 9_000_000)
    trials = tuple(make_trial(i, parameters=many, log_tail="x" * 70_000) for i in range(1, 4))
    comparisons = (*map(make_informational, many), make_comparison())
    document = report_document(
        make_report(
            record=record,
            trials=trials,
            comparisons=comparisons,
            environment=make_environment(lock="l" * 9_000_000),
        )
    )
    assert _size(document) <= LARGEST_REPORT
    assert document["comparisons"][0]["gated"]
    assert _follows(document)


def test_a_definition_is_told_as_it_is_declared():
    record = make_record(definition=make_definition())
    document = record_document(record)
    told = document["definition"]
    assert (told["primary"], told["secondary"]) == (["accuracy"], ["loss"])
    assert told["metrics"]["accuracy"] == {
        "direction": "higher",
        "margin": {"abs": {"below": 0.005, "above": 0.005}},
        "min": 0.95,
        "test_size": 360,
        "scale": "linear",
    }
    assert document["origins"]["/definition"]["where"] == "reprocheck/experiment.yaml"
    assert schema.check(document, "run") == ()


def test_times_are_utc():
    assert record_document(make_record())["started_at"] == "2026-01-31T12:00:00Z"
