from __future__ import annotations

import os
from pathlib import Path

import pytest

from reprocheck.audit import repositories
from reprocheck.audit.base import AuditRequest, Kept
from reprocheck.audit.commits import reach
from reprocheck.git import Git
from reprocheck.model import AuditedRun, Finding, Grade, RunRef, RunStatus, Severity
from tests.conftest import Repo, snapshot

ABSENT = "1234567890" * 4


def kept(*commits: str, repository: str = "", stored: bool = False) -> Kept:
    run = AuditedRun(
        ref=RunRef(tracker="mlflow", run_id="run7"),
        name="",
        experiment="digits",
        status=RunStatus.FINISHED,
        started_at=None,
        commit=commits[0] if commits else "",
        grade=Grade.VERIFIABLE,
        findings=(),
    )
    return Kept(run=run, commits=commits, repository=repository, stored=stored)


def found(runs: list[Kept], cwd: Path, scratch: Path, **asked: object) -> list[list[Finding]]:
    scratch.mkdir(exist_ok=True)
    request = AuditRequest(tracking_uri="", cwd=cwd, env=dict(os.environ), **asked)
    commits = reach(runs, request, scratch)
    return [[*commits.findings(run)] for run in runs]


def codes(findings: list[list[Finding]]) -> list[str]:
    return [each[0].code if each else "" for each in findings]


@pytest.fixture
def shared(repo: Repo, tmp_path: Path) -> tuple[Repo, Repo]:
    """The repository and its remote, which has its first commit."""
    repo.commit({"train.py": "print(1)"})
    repo.git("clone", "--quiet", "--bare", ".", str(tmp_path / "remote.git"))
    repo.git("remote", "add", "origin", f"file://{tmp_path}/remote.git")
    return repo, Repo.at(tmp_path / "remote.git")


def test_a_commit_is_told_by_where_it_is(shared: tuple[Repo, Repo], tmp_path: Path):
    repo, _ = shared
    pushed = repo.git("rev-parse", "HEAD")
    own = repo.commit({"train.py": "print(2)"})
    before = snapshot(repo.path)
    runs = [kept(pushed), kept(own), kept(ABSENT), kept(ABSENT, stored=True), kept("bad"), kept()]
    told = found(runs, repo.path, tmp_path / "scratch")
    unreachable = "commit-unreachable"
    assert codes(told) == ["", "unpushed-commit", unreachable, unreachable, "", ""]
    assert told[1][0].fix == f"git push origin {own}:refs/reprocheck/run7"
    assert [each[0].severity for each in told[2:4]] == [Severity.ERROR, Severity.WARNING]
    assert snapshot(repo.path) == before
    repo.git(*told[1][0].fix.split()[1:])
    assert codes(found(runs[:2], repo.path, tmp_path / "scratch")) == ["", ""]


def test_what_only_the_remote_has_is_asked_for_by_its_id(shared: tuple[Repo, Repo], tmp_path: Path):
    repo, remote = shared
    pushed, own = repo.git("rev-parse", "HEAD"), repo.commit({"train.py": "print(2)"})
    (tmp_path / "scratch").mkdir()
    asked = repositories.Remote(
        url=f"file://{remote.path}",
        env=dict(os.environ),
        scratch=tmp_path / "scratch",
        home=Git(repo.path, dict(os.environ)),
    )
    known = asked.answer({pushed: pushed, own: own, ABSENT: ABSENT})
    assert (known.has, known.lacks) == ({pushed}, {own, ABSENT})  # its refs are known here

    other = Repo(tmp_path / "other")
    other.git("pull", "--quiet", str(remote.path), "main")
    theirs = [other.commit({"train.py": f"print({number})"}) for number in range(3, 6)]
    other.git("push", "--quiet", str(remote.path), "HEAD:refs/reprocheck/run8")
    first, last = theirs[0][:10], theirs[-1][:10]
    told = asked.answer({each: each for each in (*theirs, own, ABSENT, first, last)})
    assert told.has == {*theirs, last}
    assert told.lacks == {own, ABSENT}  # the beginning of an id is known for what refs name
    assert [*(tmp_path / "scratch").iterdir()] == []


def test_a_remote_that_cannot_be_asked_leaves_it_open(repo: Repo, tmp_path: Path):
    here = repo.commit({"train.py": "print(1)"})
    repo.git("remote", "add", "origin", f"file://{tmp_path}/gone.git")
    runs = [kept(here), kept(ABSENT)]
    told = found(runs, repo.path, tmp_path / "scratch")
    assert codes(told) == ["commit-unchecked", "commit-unchecked"]
    assert [each[0].severity for each in told] == [Severity.NOTE, Severity.WARNING]
    repo.git("remote", "set-url", "origin", "https://127.0.0.1:1/x.git")
    told = found(runs, repo.path, tmp_path / "scratch", offline=True)
    assert "not asked (--offline)" in told[0][0].message


def test_a_hanging_remote_is_not_waited_for(repo: Repo, tmp_path: Path, monkeypatch):
    import socket

    monkeypatch.setattr(repositories, "LIST_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.git"
        runs = [kept(repo.commit(), repository=address)]
        ((told,),) = found(runs, repo.path, tmp_path / "scratch")
    assert "did not answer within" in told.message


def test_without_a_remote_a_commit_is_only_here(repo: Repo, tmp_path: Path):
    ((told,),) = found([kept(repo.commit())], repo.path, tmp_path / "scratch")
    assert (told.code, told.fix) == ("unpushed-commit", "")
    assert "there is no remote" in told.message


@pytest.mark.parametrize("url", ["../remote.git", "../missing.git"])
def test_a_remote_may_be_named_relative_to_the_repository(repo: Repo, tmp_path: Path, url: str):
    run = kept(repo.commit())
    repo.git("clone", "--quiet", "--bare", ".", "../remote.git")
    repo.git("remote", "add", "origin", url)
    (told,) = found([run], repo.path, tmp_path / "scratch")
    assert [each.code for each in told] == ([] if url == "../remote.git" else ["commit-unchecked"])


def test_a_recorded_address_is_asked_and_a_recorded_folder_is_no_remote(
    shared: tuple[Repo, Repo], tmp_path: Path
):
    repo, remote = shared
    commit = repo.git("rev-parse", "HEAD")
    (tmp_path / "elsewhere").mkdir()
    runs = [
        kept(commit, repository="http://127.0.0.1:1/x.git"),
        kept(commit, repository=str(repo.path)),
        kept(commit, repository=str(tmp_path / "gone")),
        kept(commit, repository="--upload-pack=touch pwned"),
    ]
    told = found(runs, tmp_path / "elsewhere", tmp_path / "scratch")
    unreachable = ["commit-unreachable"] * 2
    assert codes(told) == ["commit-unchecked", "unpushed-commit", *unreachable]
    assert not [*tmp_path.rglob("pwned")]
    told = found([kept(commit)], tmp_path, tmp_path / "scratch", repo=f"file://{remote.path}")
    assert codes(told) == [""]


def test_any_commit_that_gives_the_code_is_enough(shared: tuple[Repo, Repo], tmp_path: Path):
    repo, _ = shared
    runs = [kept(ABSENT, repo.git("rev-parse", "HEAD"))]
    assert codes(found(runs, repo.path, tmp_path / "scratch")) == [""]
