"""reprocheck.baseline.json: what is written, read, refused, merged, and which entry counts."""

from __future__ import annotations

import json

import pytest

from reprocheck import accepted, schema
from reprocheck.accepted import FILE_NAME
from reprocheck.errors import ConfigError, MachineError
from tests.conftest import Repo
from tests.reporters.builders import RUN_ID, make_acceptance

OTHER, LAST = "3" * 32, "f" * 32


def test_what_is_written_is_read_back_digit_by_digit(tmp_path):
    odd = (0.1 + 0.2, 5e-324, -0.0, 1.7e308, 1 / 3, 123456789012345680.0)
    entries = (make_acceptance(new=odd, reason='"ünï" | `code`'), make_acceptance(OTHER))
    path = tmp_path / FILE_NAME
    accepted.write(path, entries)
    (first, _) = read = accepted.load(path)
    assert read == entries
    assert str(first.metrics[0].new) == str(odd)  # -0.0 equals 0.0
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]
    text = path.read_text()
    accepted.write(path, read)
    assert path.read_text() == text


def test_the_file_follows_the_schema_with_sorted_keys(tmp_path):
    path = tmp_path / FILE_NAME
    accepted.write(path, (make_acceptance(),))
    document = json.loads(path.read_text())
    assert schema.check(document, "baseline") == ()
    (entry,) = document["accepted"]
    assert list(entry) == sorted(entry)
    assert entry["metrics"] == {"accuracy": {"new": [0.9502, 0.9511, 0.9493], "old": [0.9611]}}
    assert path.read_text().count("\n") > 15  # an entry has lines of its own


def test_there_need_be_no_file(tmp_path):
    assert accepted.load(tmp_path / FILE_NAME) == ()
    with pytest.raises(ConfigError, match="No such file"):
        accepted.load(tmp_path / "named.json", optional=False)


def changed(**changes):
    entry = {**accepted.document([make_acceptance()])["accepted"][0], **changes}
    return json.dumps({"version": 1, "accepted": [entry]}, indent=1)


VALUES = {"new": [0.1], "old": [0.2]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1: it is not JSON"),
        ("[]", ":1: / must be"),
        ('{"version": 1, "accepted": [], "accepted": []}', "'accepted' is given twice"),
        ('{"version": 2, "accepted": []}', "made for a newer reprocheck"),
        ('{"accepted": []}', "version"),
        (changed(reason=""), "/accepted/0/reason"),
        (changed(by=""), "/accepted/0/by"),
        (changed(at="yesterday"), "/accepted/0/at"),
        (changed(run_id="../x"), "/accepted/0/run_id"),
        (changed(verdict="REPRODUCED"), "/accepted/0/verdict"),
        (changed(metrics={}), "/accepted/0/metrics"),
        (changed(metrics={"a": {**VALUES, "new": ["NaN"]}}), "/accepted/0/metrics/a/new/0"),
        (changed(metrics={"a": {**VALUES, "new": []}}), "/accepted/0/metrics/a/new"),
        (changed(metrics={"a": {**VALUES, "old": [1.8e308]}}), "too large|not JSON|Infinity"),
        (changed(metrics={"a": {**VALUES, "old": [1.79e308]}}), ""),
        (changed(metrics={"a": {**VALUES, "old": [1.797e308]}}), "/accepted/0/metrics/a/old/0"),
        (changed(metrics={"a": {**VALUES, "old": [10**400]}}), "the number is too large"),
        (changed(more=1), "/accepted/0"),
        ("\udcff", "UTF-8"),
    ],
)
def test_a_broken_file_is_one_error_with_its_place(tmp_path, text, told):
    path = tmp_path / FILE_NAME
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    if not told:
        assert accepted.load(path)
        return
    with pytest.raises(ConfigError, match=told) as found:
        accepted.load(path)
    assert str(path) in found.value.message
    assert "\n" not in found.value.message
    assert found.value.hint


def test_no_link_is_followed_and_no_folder_or_huge_file_read(tmp_path):
    real = tmp_path / "elsewhere.json"
    accepted.write(real, (make_acceptance(),))
    (tmp_path / FILE_NAME).symlink_to(real)
    with pytest.raises(ConfigError, match="symbolic link"):
        accepted.load(tmp_path / FILE_NAME)
    with pytest.raises(ConfigError, match="directory"):
        accepted.load(tmp_path)
    with pytest.raises(ConfigError, match="2 MB"):
        accepted.read(b" " * (accepted.LARGEST + 1), "the file")


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(MachineError, match="writing"):
        accepted.write(tmp_path / "gone" / FILE_NAME, (make_acceptance(),))


# --- which counts -------------------------------------------------------------------------

OWN = {"accuracy": 0.9611, "loss": 0.3}


def test_the_last_acceptance_of_the_run_counts():
    first = make_acceptance()
    second = make_acceptance(old=first.metrics[0].new, new=(0.94, 0.94, 0.94))
    found = accepted.in_force((first, make_acceptance(OTHER), second), RUN_ID, OWN)
    assert (found.acceptance, found.stale) == (second, ())
    assert accepted.in_force((first, second), LAST, OWN).acceptance is None


def test_an_acceptance_of_another_baseline_is_stale_and_the_one_before_counts():
    first = make_acceptance()
    fork = make_acceptance(new=(0.93, 0.93, 0.93))  # of another branch: of the run's own value too
    found = accepted.in_force((first, fork), RUN_ID, OWN)
    assert (found.acceptance, found.stale) == (first, (fork,))
    edited = {**OWN, "accuracy": 0.96110000000000001 + 1e-16}
    assert accepted.in_force((first,), RUN_ID, edited).stale == (first,)
    assert accepted.in_force((first,), RUN_ID, {}).acceptance == first  # unknown, and never judged


# --- merging ------------------------------------------------------------------------------


def test_entries_of_a_run_stand_together_in_their_order():
    first, second = make_acceptance(), make_acceptance(reason="later")
    entries = ()
    for each in (first, make_acceptance(LAST), make_acceptance(OTHER), second):
        entries = accepted.added(entries, each)
    assert [each.run_id[0] for each in entries] == ["3", "5", "5", "f"]
    assert entries[1:3] == (first, second)


def test_two_branches_that_accept_different_runs_merge(tmp_path):
    repo = Repo(tmp_path)
    path = repo.path / FILE_NAME

    def accept(run_id):
        accepted.write(path, accepted.added(accepted.load(path), make_acceptance(run_id)))
        repo.commit()

    accept(RUN_ID)
    repo.git("checkout", "-q", "-b", "other")
    accept(OTHER)
    repo.git("checkout", "-q", "main")
    accept(LAST)
    repo.git("merge", "-q", "--no-edit", "other")
    assert [each.run_id for each in accepted.load(path)] == [OTHER, RUN_ID, LAST]
