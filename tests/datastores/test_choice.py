from pathlib import Path

import pytest

from reprocheck import placeholders
from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.datastores.choice import choose
from reprocheck.datastores.disagreements import disagreements
from reprocheck.dvc_files import directory_digest
from reprocheck.errors import ConfigError, ReprocheckError, RestoreError
from reprocheck.model import Finding, Material, Origin, OriginKind, RecordedFile, RunRecord
from tests.datastores.test_dvc_objects import md5
from tests.reporters.builders import make_record

OLD, NEW = "a" * 32, "b" * 32
TAG = Origin(kind=OriginKind.TAG, where="reprocheck.data")


def pointer(digest: str, path: str = "train.csv") -> str:
    return f"outs:\n- md5: {digest}\n  size: 3\n  hash: md5\n  path: {path}\n"


def recorded(digest: str, path: str = "data/train.csv", weak: bool = False) -> Material:
    return Material(
        path=path, algorithm="md5", digest=digest, size=None, files=None, origin=TAG, weak=weak
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.csv.dvc").write_text(pointer(NEW))
    return tmp_path


def chosen(
    record: RunRecord, tree: Path, *rules: DataRule
) -> tuple[dict[str, str], tuple[Finding, ...]]:
    materials, findings = choose(record, Config(data=rules), tree, placeholders.substitute)
    return {material.path: material.digest for material in materials}, findings


def test_what_dvc_tracks_at_the_commit_is_restored(tree: Path) -> None:
    assert chosen(make_record(data=()), tree)[0] == {"data/train.csv": NEW}


def test_the_runs_own_hash_wins_and_the_disagreement_is_told(tree: Path) -> None:
    record = make_record(data=(recorded(OLD),))
    assert chosen(record, tree)[0] == {"data/train.csv": OLD}
    assert [finding.code for finding in disagreements(record.data, tree)] == ["data-differs"]


@pytest.mark.parametrize(
    ("path", "digest", "expected"),
    [
        ("/home/me/project/data/train.csv", OLD, {"data/train.csv": OLD}),
        ("file:///home/me/project/data/train.csv", OLD, {"data/train.csv": OLD}),
        ("s3://bucket/rows.csv", NEW, {"data/train.csv": NEW}),  # the same content
        ("/home/me/project/plain.csv", md5(b"1"), {"data/train.csv": NEW, "plain.csv": md5(b"1")}),
        ("/home/me/project/plain.csv", OLD, None),
        ("s3://bucket/rows.csv", OLD, None),
    ],
)
def test_a_digest_that_was_recorded_by_another_path_is_of_the_trees_file(
    tree: Path, path: str, digest: str, expected: dict[str, str] | None
) -> None:
    (tree / "plain.csv").write_text("1")
    record = make_record(data=(recorded(digest, path),))
    if expected is None:
        with pytest.raises(RestoreError, match=f"'{path}' lies outside"):
            chosen(record, tree)
    else:
        assert chosen(record, tree)[0] == expected


def test_a_weak_digest_is_not_taken_for_a_hash(tree: Path) -> None:
    assert chosen(make_record(data=(recorded(OLD, weak=True),)), tree)[0]["data/train.csv"] == NEW


def logged_as(path: str, content: str) -> RecordedFile:
    origin = Origin(kind=OriginKind.ARTIFACT, where=path)
    return RecordedFile(path=path, content=content.encode(), origin=origin)


def logged(path: str, digest: str) -> RecordedFile:
    return logged_as(path, pointer(digest))


@pytest.mark.parametrize(
    "path",
    ["data/train.csv.dvc", "train.csv.dvc", "dvc/train.csv.dvc", "inputs/data/train.csv.dvc"],
)
def test_a_dvc_file_logged_with_the_run_wins_over_the_commits(tree: Path, path: str) -> None:
    (tree / "train.csv").mkdir()  # not tracked
    record = make_record(data=(), files=(logged(path, OLD),))
    assert chosen(record, tree)[0] == {"data/train.csv": OLD}


def test_a_logged_dvc_file_of_what_the_commit_does_not_track_stays_where_it_is(tree: Path) -> None:
    (tree / "data/train.csv.dvc").unlink()
    record = make_record(data=(), files=(logged("data/train.csv.dvc", OLD),))
    assert chosen(record, tree)[0] == {"data/train.csv": OLD}


@pytest.fixture
def twins(tree: Path) -> Path:
    (tree / "other").mkdir()
    (tree / "other/train.csv.dvc").write_text(pointer("c" * 32))
    return tree


def test_a_logged_dvc_file_that_may_mean_two_files_is_decided_by_its_hash(twins: Path) -> None:
    at_commit = chosen(make_record(data=()), twins)[0]
    record = make_record(data=(), files=(logged("train.csv.dvc", NEW),))
    assert chosen(record, twins)[0] == at_commit


def test_a_logged_dvc_file_that_may_mean_two_files_is_refused_or_decided(twins: Path) -> None:
    record = make_record(data=(), files=(logged("train.csv.dvc", OLD),))
    with pytest.raises(RestoreError, match=r"data/train\.csv or other/train\.csv"):
        chosen(record, twins)
    rule = DataRule(path="other/train.csv", algorithm="md5", digest=OLD)
    assert chosen(record, twins, rule)[0] == {"other/train.csv": OLD}


def test_logged_dvc_files_that_contradict_each_other_are_refused(tree: Path) -> None:
    record = make_record(
        data=(), files=(logged("a/train.csv.dvc", OLD), logged("b/train.csv.dvc", NEW))
    )
    with pytest.raises(RestoreError, match=r"b/train\.csv\.dvc.*than a/train\.csv\.dvc"):
        chosen(record, tree)


def test_a_lock_logged_with_the_run_names_what_no_stage_writes(tree: Path) -> None:
    lock = (
        "schema: '2.0'\nstages:\n"
        f"  prepare: {{deps: [{{path: data/train.csv, hash: md5, md5: {OLD}}}],"
        f" outs: [{{path: clean.csv, hash: md5, md5: {NEW}}}]}}\n"
        f"  train: {{deps: [{{path: clean.csv, hash: md5, md5: {NEW}}}]}}\n"
    )
    record = make_record(data=(), files=(logged_as("dvc.lock", lock),))
    assert chosen(record, tree)[0] == {"data/train.csv": OLD}


def test_a_folder_of_gits_in_a_logged_lock_is_not_sought_in_dvc(tree: Path) -> None:
    def chosen_at(digest: str) -> tuple[dict[str, str], tuple[Finding, ...]]:
        deps = f"[{{path: src, hash: md5, md5: {digest}}}]"
        lock = logged_as("dvc.lock", f"stages: {{train: {{deps: {deps}}}}}\n")
        return chosen(make_record(data=(), files=(lock,)), tree)

    (tree / "src").mkdir()
    (tree / "src/rows.txt").write_text("1")
    (tree / "src/big.csv.dvc").write_text(pointer(OLD).replace("train", "big"))
    pointed = md5((tree / "src/big.csv.dvc").read_bytes())
    files = {"rows.txt": md5(b"1"), "big.csv.dvc": pointed, "big.csv": OLD}
    at_commit = {"data/train.csv": NEW, "src/big.csv": OLD}
    assert chosen_at(directory_digest(files)) == (at_commit, ())
    other = f"{OLD}.dir"
    assert chosen_at(other) == ({**at_commit, "src": other}, ())
    (tree / "src/code.py").write_text("")
    found, (finding,) = chosen_at(other)
    assert (found, finding.code) == (at_commit, "folder-differs")
    (tree / "src/code.py").unlink()
    (tree / "src/big.csv.dvc").write_text(pointer(other, "images"))
    found, (finding,) = chosen_at(other)
    assert (found["src/images"], finding.code) == (other, "folder-differs")


def test_a_folder_outside_that_a_logged_lock_names_is_not_looked_into(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/code.py").write_text("")
    (tmp_path / "tree").mkdir()
    lock = f"stages: {{train: {{deps: [{{path: ../outside, hash: md5, md5: {OLD}.dir}}]}}}}\n"
    with pytest.raises(RestoreError, match="lies outside"):
        chosen(make_record(data=(), files=(logged_as("dvc.lock", lock),)), tmp_path / "tree")


def test_a_folder_that_git_keeps_empty_does_not_stand_for_what_a_lock_names(tree: Path) -> None:
    (tree / "raw").mkdir()
    (tree / "raw/.gitkeep").write_text("")
    lock = f"stages: {{train: {{deps: [{{path: raw, hash: md5, md5: {OLD}.dir}}]}}}}\n"
    (tree / "dvc.lock").write_text(lock)
    assert chosen(make_record(data=()), tree)[0]["raw"] == f"{OLD}.dir"


def test_the_commits_lock_counts_for_what_git_did_not_bring(tree: Path) -> None:
    deps = f"[{{path: raw.csv, md5: {OLD}}}, {{path: train.py, md5: {NEW}}}]"
    (tree / "dvc.lock").write_text(f"stages: {{train: {{deps: {deps}}}}}\n")
    (tree / "train.py").write_text("")
    expected = {"data/train.csv": NEW, "raw.csv": OLD}
    assert chosen(make_record(data=()), tree)[0] == expected


def test_the_configs_list_is_the_whole_list(tree: Path) -> None:
    (tree / "other.dvc").write_text(pointer(OLD, "other"))
    rule = DataRule(path="data/train.csv", algorithm=None, digest="{tags.data_md5}")
    record = make_record(data=(), tags={"data_md5": OLD})
    found, (finding,) = chosen(record, tree, rule)
    assert (found, finding.code) == ({"data/train.csv": OLD}, "unlisted-data")
    assert finding.message.startswith("other: ")


def test_a_path_without_a_hash_takes_the_commits(tree: Path) -> None:
    rule = DataRule(path="./data/train.csv", algorithm=None, digest=None)
    assert chosen(make_record(data=()), tree, rule)[0] == {"data/train.csv": NEW}


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        (DataRule(path="x", algorithm=None, digest=None), RestoreError, "no DVC file tracks"),
        (DataRule(path="x", algorithm=None, digest="{tags.gone}"), ReprocheckError, "gone"),
        (DataRule(path="x", algorithm=None, digest="zz"), ConfigError, "no digest"),
        (DataRule(path="../x", algorithm=None, digest=OLD), RestoreError, "outside"),
        (DataRule(path="/etc/x", algorithm=None, digest=OLD), RestoreError, "outside"),
        (DataRule(path=".git/hooks/x", algorithm=None, digest=OLD), RestoreError, "outside"),
    ],
)
def test_bad_rules_are_refused(
    tree: Path, rule: DataRule, error: type[ReprocheckError], words: str
) -> None:
    with pytest.raises(error, match=words):
        chosen(make_record(data=(), tags={}), tree, rule)


@pytest.mark.parametrize("path", ["../out", "/etc/passwd"])
def test_a_dvc_file_that_tracks_something_outside_is_refused(tree: Path, path: str) -> None:
    (tree / "bad.dvc").write_text(pointer(OLD, path))
    with pytest.raises(RestoreError, match="outside"):
        chosen(make_record(data=()), tree)
