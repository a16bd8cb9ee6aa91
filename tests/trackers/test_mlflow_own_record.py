"""What did not fit into tags is read from the record that was kept with the run."""

import json

import pytest

from reprocheck.model import Argv, MaterialPlace, OriginKind

TAGS = {"reprocheck.schema": "1"}
RECORD = {
    "command": {"steps": [{"argv": ["python", "a.py"], "cwd": "."}], "env": {}},
    "data": [
        {"path": "a.csv", "algorithm": "md5", "digest": "a" * 32, "size": 3, "files": None},
        {"path": "org/x", "algorithm": "commit", "digest": "b" * 40, "place": "hub"},
    ],
}


def logged(store, record, **tags):
    artifacts = {"reprocheck/record.json": json.dumps(record)}
    return store.read(store.log(tags={**TAGS, **tags}, artifacts=artifacts))


def test_the_command_and_the_data_are_read_from_the_record(files):
    record = logged(files, RECORD)
    assert record.command.steps[0].run == Argv(args=("python", "a.py"))
    assert record.origins["/command"].kind is OriginKind.ARTIFACT
    first, second = record.data
    assert (first.path, first.algorithm, first.size) == ("a.csv", "md5", 3)
    assert (second.path, second.digest, second.place) == ("org/x", "b" * 40, MaterialPlace.HUB)


def test_a_tag_counts_before_it(files):
    record = logged(files, RECORD, **{"reprocheck.argv": '["b"]', "reprocheck.data": "[]"})
    assert record.command.steps[0].run == Argv(args=("b",))
    assert record.data == ()


@pytest.mark.parametrize(
    "record",
    [[], {"command": 7}, {"command": {"steps": []}}, {"command": {"steps": [{"shell": "a"}]}}],
)
def test_what_is_no_record_is_none(files, record):
    assert logged(files, record).command is None


@pytest.mark.parametrize("argv", ["python", [1], []])
def test_arguments_of_another_shape_are_a_finding(files, argv):
    record = logged(files, {"command": {"steps": [{"argv": argv}]}})
    assert record.command is None
    assert [f.code for f in record.findings] == ["bad-tag"]
