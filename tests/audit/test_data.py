from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from reprocheck.audit import data, objects
from reprocheck.audit.base import AuditRequest, Kept
from reprocheck.audit.commits import reach
from reprocheck.audit.trees import Trees
from reprocheck.git import Git
from reprocheck.model import Finding, Material, MaterialPlace, Origin, OriginKind, Severity
from tests.audit.test_commits import kept
from tests.conftest import Repo, snapshot


def md5(content: str) -> str:
    return hashlib.md5(content.encode()).hexdigest()


def pointer(content: str, path: str = "data.csv", **more: str) -> str:
    deps = "".join(f"deps:\n- path: {value}\n" for value in more.values())
    return f"{deps}outs:\n- md5: {md5(content)}\n  hash: md5\n  path: {path}\n"


def store(folder: Path, *contents: str) -> None:
    for content in contents:
        path = folder / "files/md5" / md5(content)[:2] / md5(content)[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


class Project:
    """A repository with DVC's files, its cache and a remote, made without DVC."""

    def __init__(self, folder: Path, remote: str = "../../remote") -> None:
        self.repo = Repo(folder / "repo")
        self.remote, self.cache = folder / "remote", self.repo.path / ".dvc/cache"
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.remote.mkdir()
        config = f"[core]\n    remote = here\n['remote \"here\"']\n    url = {remote}\n"
        self.repo.write({".dvc/config": config, ".dvc/.gitignore": "/cache\n"})

    def look(self, *runs: Kept, **asked: bool) -> list[list[Finding]]:
        request = AuditRequest(tracking_uri="", cwd=self.repo.path, env=dict(os.environ), **asked)
        commits = reach(runs, request, self.scratch)
        asked_of = (list(runs), request, commits, self.scratch)
        found = data.look(*asked_of, data.trees_of(*asked_of))
        return [[*found.findings(run)] for run in runs]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def codes(findings: list[list[Finding]]) -> list[list[str]]:
    return [[finding.code for finding in each] for each in findings]


def material(path: str, digest: str, **more: object) -> Material:
    origin = Origin(kind=OriginKind.TAG, where="reprocheck.data")
    return Material(
        **{"path": path, "algorithm": "md5", "digest": digest, "size": None, "files": None}
        | {"origin": origin}
        | more
    )


def test_data_is_told_by_where_its_object_is(project: Project):
    store(project.remote, "pushed")
    store(project.cache, "pushed", "cached")
    commits = [
        project.repo.commit({"data.csv.dvc": pointer(text)})
        for text in ("pushed", "cached", "nowhere", "pushed")
    ]
    before = snapshot(project.repo.path)
    told = project.look(*map(kept, commits))
    assert codes(told) == [[], ["data-only-in-cache"], ["data-unreachable"], []]
    assert told[2][0].message == "no DVC remote and no cache here has data.csv"
    assert snapshot(project.repo.path) == before


def test_what_the_record_says_counts_instead_of_the_commit(project: Project):
    store(project.remote, "recorded")
    files = {"data.csv.dvc": pointer("nowhere"), "labels.csv": "in git"}
    commit = kept(project.repo.commit(files))
    hub = {"place": MaterialPlace.HUB, "algorithm": "commit"}
    told = project.look(
        *(
            dataclasses.replace(commit, data=(each,))
            for each in (
                material("data.csv", md5("recorded")),
                material("/home/ann/repo/data.csv", md5("recorded")),
                material("labels.csv", md5("other"), algorithm="sha256"),
                material("s3://bucket/x.csv", md5("far")),
                material("gpt2", "abc", **hub),
            )
        ),
    )
    missing = "data-unreachable"
    assert codes(told[:2]) == [[], []]
    assert codes(told[2:]) == [[missing]] + [[missing, "data-unchecked"]] * 2


def test_a_remote_that_cannot_be_asked_leaves_it_open(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(objects, "PATIENCE_S", 5.0)
    project = Project(tmp_path, "http://127.0.0.1:1/data")
    store(project.cache, "cached")
    commits = [
        project.repo.commit({"data.csv.dvc": pointer(text)}) for text in ("cached", "nowhere")
    ]
    for offline in (False, True):
        told = project.look(*map(kept, commits), offline=offline)
        severities = [each[0].severity for each in told]
        assert codes(told) == [["data-unchecked"]] * 2
        assert severities == [Severity.NOTE, Severity.WARNING]
    assert "not asked (--offline)" in told[1][0].message


def test_a_remote_that_is_not_mounted_lacks_nothing(project: Project):
    commit = project.repo.commit({"data.csv.dvc": pointer("there")})
    project.remote.rmdir()
    ((told,),) = project.look(kept(commit))
    assert told.code == "data-unchecked"
    assert "there is no folder" in told.message


def test_what_git_brings_or_an_import_names_is_not_looked_for(project: Project):
    lock = "stages:\n  train:\n    cmd: x\n    deps:\n    - path: train.py\n      md5: {}\n"
    files = {
        "dvc.lock": lock.format(md5("print()")),
        "train.py": "print()",
        "far.csv.dvc": pointer("far", "far.csv", dep="https://example.com/far.csv"),
    }
    told = project.look(kept(project.repo.commit(files)))
    assert [each.message for each in told[0]] == [
        "whether far.csv can be had is not known: it was imported, and its source is not asked"
    ]


def test_files_that_cannot_be_read_and_commits_that_are_not_here_are_told(project: Project):
    broken = project.repo.commit({"data.csv.dvc": "- no\n- mapping\n"})
    told = project.look(kept(broken), kept("1234567890" * 4), kept())
    assert [[each.severity for each in findings] for findings in told] == [
        [Severity.WARNING],
        [Severity.NOTE],
        [],
    ]


def test_trees_are_read_by_a_few_calls_and_lead_nowhere(project: Project):
    repo = project.repo
    repo.write({"deep/er/data.csv.dvc": "a", "deep/params.yaml": "b", "deep/er/x.py": "c"})
    (repo.path / "link.dvc").symlink_to("/etc/passwd")
    commits = [repo.commit({"n": str(number)}) for number in range(3)]
    trees = Trees(git=Git(repo.path, dict(os.environ)))
    trees.read(commits)
    found = [trees.dvc_files(commit) for commit in commits]
    assert found[0] == found[2]
    paths = {path for path, _ in found[0]}
    assert paths == {".dvc/config", "deep/er/data.csv.dvc", "deep/params.yaml"}
    assert trees.has(commits[0], "deep/er/x.py")
    assert not trees.has(commits[0], "deep/x.py")
    assert trees.dvc_files("1" * 40) is None
    assert b"here" in trees.contents([dict(found[0])[".dvc/config"]]).popitem()[1]
