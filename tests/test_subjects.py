import dataclasses

import pytest

from reprocheck import subjects
from reprocheck.model import OriginKind, RecordedFile, Sibling, UntrackedFile
from reprocheck.subjects import subject
from reprocheck.trackers import open_tracker
from reprocheck.trackers.base import Search
from tests.reporters.builders import make_code, make_metric, make_patch, make_record

FILE = RecordedFile(
    path="freeze.txt",
    content=b"numpy==2",
    origin=dataclasses.replace(make_record().environment.origin, kind=OriginKind.ARTIFACT),
)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": make_code(commit="f" * 40)},
        {"code": make_code(patch=make_patch())},
        {"code": make_code(untracked=(UntrackedFile(path="a", sha256=None, artifact=None),))},
        {"command": None},
        {"parameters": {"lr": "0.2", "seed": "42"}},
        {"environment": None},
        {"files": (FILE,)},
        {"data": ()},
        {"metrics": {"accuracy": make_metric("accuracy", float("nan"))}},
    ],
)
def test_what_decides_a_verification_changes_it(changes):
    assert subject(make_record(**changes)) != subject(make_record())


def test_our_version_changes_it(monkeypatch):
    before = subject(make_record())
    monkeypatch.setattr(subjects, "__version__", "9.9")
    assert subject(make_record()) != before


def test_what_decides_nothing_does_not(monkeypatch):
    last = {name: make_metric(name, metric.value) for name, metric in make_record().metrics.items()}
    others = (Sibling(run_id="1" * 32, metrics={}),)
    changed = make_record(
        metrics=last, tags={"reprocheck.verdict": "IDENTICAL"}, siblings=others, peers=others
    )
    assert subject(changed) == subject(make_record())


def test_a_secret_cannot_be_guessed_by_it():
    one, other = (make_record(parameters={"api_key": key}) for key in ("hunter22", "hunter23"))
    assert subject(one) == subject(other)


def test_a_search_gives_the_same_as_the_run_alone(lab, tmp_path):
    tracker = open_tracker(lab.uri, {}, tmp_path)
    try:
        found = {each.summary.ref.run_id: subject(each.record) for each in tracker.search(Search())}
        assert found == {run_id: subject(tracker.read(run_id)) for run_id in found}
    finally:
        tracker.close()
    assert len(set(found.values())) == len(found) > 1
