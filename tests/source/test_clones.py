import socket
from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from reprocheck.source import clones
from tests.conftest import Repo, snapshot
from tests.source.conftest import CheckOut
from tests.source.git_host import Host


def old_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In which a server sends by its id only what it says that it does."""
    (tmp_path / "gitconfig").write_text("[protocol]\nversion = 0\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))


def pushed(repo: Repo, refs: str = "HEAD:refs/heads/main") -> str:
    """Three commits on the host; the middle one's id."""
    repo.commit({"a": "1"})
    commit = repo.commit({"a": "2"})
    repo.commit({"a": "3"})
    repo.git("push", "--quiet", "origin", refs)
    return commit


@pytest.mark.usefixtures("served")
def test_only_the_commit_is_fetched_where_the_server_sends_it_by_its_id(
    repo: Repo, host: Host, check_out: CheckOut
) -> None:
    commit = pushed(repo)
    done = check_out(commit, repository=host.url("hosted.git"))
    assert (done.commit, (done.tree / "a").read_text()) == (commit, "2")
    assert Repo.at(done.tree).git("rev-list", "--all", "HEAD") == commit


def test_a_server_that_refuses_ids_is_cloned(
    repo: Repo,
    served: Repo,
    host: Host,
    check_out: CheckOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = pushed(repo)
    old_protocol(tmp_path, monkeypatch)
    before = snapshot(served.path)
    done = check_out(commit, repository=host.url("hosted.git"))
    assert (done.tree / "a").read_text() == "2"
    assert Repo.at(done.tree).git("cat-file", "-t", repo.git("rev-parse", "HEAD")) == "commit"
    assert snapshot(served.path) == before


@pytest.mark.parametrize(
    ("ref", "is_tip"),
    [
        ("refs/pull/7/head", True),
        ("refs/pull/7/head", False),
        ("refs/pull/7/merge", True),
        ("refs/merge-requests/7/head", False),
        ("refs/exps/ab/cdef/exp-1", True),
        ("refs/exps/ab/cdef/exp-1", False),
        ("refs/reprocheck/0123456789abcdef", True),
        ("refs/tags/v1", False),
    ],
)
@pytest.mark.usefixtures("served")
def test_a_commit_that_only_another_ref_has_is_found(
    repo: Repo,
    host: Host,
    check_out: CheckOut,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ref: str,
    is_tip: bool,
) -> None:
    repo.commit({"a": "0"})
    repo.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    repo.git("checkout", "--quiet", "-b", "other")
    commit = pushed(repo, f"HEAD{'~1' if is_tip else ''}:{ref}")
    old_protocol(tmp_path, monkeypatch)
    done = check_out(commit, repository=host.url("hosted.git"))
    assert (done.tree / "a").read_text() == "2"


@pytest.mark.usefixtures("served")
def test_an_abbreviated_id_is_resolved_on_a_remote_also_in_a_pull_request(
    repo: Repo, host: Host, check_out: CheckOut
) -> None:
    on_main = pushed(repo)
    in_request = pushed(repo, "HEAD:refs/pull/1/head")
    for commit in (on_main, in_request):
        assert check_out(commit[:9], repository=host.url("hosted.git")).commit == commit


@pytest.mark.parametrize("length", [9, 64])
def test_a_repository_of_sha256_ids_is_one_like_others(
    host: Host, check_out: CheckOut, tmp_path: Path, length: int
) -> None:
    made = object.__new__(Repo)
    made.path = tmp_path
    made.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main", "long")
    made = Repo.at(tmp_path / "long")
    commit = made.commit({"a": "1"})
    assert len(commit) == 64
    assert check_out(commit[:length], cwd=made.path).commit == commit
    assert check_out(commit[:length], repository=host.url("long/.git")).commit == commit


@pytest.mark.usefixtures("served")
def test_a_project_that_takes_its_version_from_git_has_its_tags_and_history(
    repo: Repo, host: Host, check_out: CheckOut
) -> None:
    repo.commit({"pyproject.toml": "[build-system]\nrequires = ['setuptools_scm>=8']\n"})
    repo.git("tag", "v1.2")
    commit = repo.commit({"a": "1"})
    repo.git("push", "--quiet", "--tags", "origin", "HEAD:refs/heads/main")
    tree = Repo.at(check_out(commit, repository=host.url("hosted.git")).tree)
    assert tree.git("describe", "--tags").startswith("v1.2-1-g")


@pytest.mark.usefixtures("served")
def test_every_place_that_was_asked_is_named_with_what_it_said_and_no_login(
    repo: Repo, host: Host, check_out: CheckOut
) -> None:
    pushed(repo)
    host.login = "ada:geheim@7"
    repo.git("remote", "set-url", "origin", host.url("hosted.git", "ada:secret%407"))
    repo.git("remote", "add", "gone", "http://127.0.0.1:9/gone.git")
    lost = "deadbeef" * 5
    with pytest.raises(SourceError) as caught:
        check_out(lost, cwd=repo.path, run_id="r1")
    said = caught.value.message
    assert f"{repo.path} (here) does not have it" in said
    assert "hosted.git (remote of the repository here) could not be asked" in said
    assert "gone.git (remote of the repository here) could not be asked" in said
    assert f"git push origin {lost}:refs/reprocheck/r1" in caught.value.hint
    assert "secret" not in said
    host.login = "ada:secret@7"
    with pytest.raises(SourceError, match="does not have it in any of its 1 refs"):
        check_out(lost, cwd=repo.path)


def test_a_clone_without_all_of_the_files_is_not_trusted_and_the_remote_is_asked(
    repo: Repo, served: Repo, host: Host, check_out: CheckOut, tmp_path: Path
) -> None:
    served.git("config", "uploadpack.allowFilter", "true")
    commit = pushed(repo)
    partial = tmp_path / "partial"
    url = host.url("hosted.git")
    repo.git("clone", "--quiet", "--filter=blob:none", url, str(partial))
    before = snapshot(partial)
    done = check_out(commit, cwd=partial)
    assert ((done.tree / "a").read_text(), "remote" in done.place) == ("2", True)
    assert snapshot(partial) == before


def test_a_remote_of_the_named_repository_is_asked_too(
    repo: Repo, served: Repo, check_out: CheckOut, tmp_path: Path
) -> None:
    repo.commit({"a": "0"})
    repo.git("push", "--quiet", "origin", "HEAD:refs/heads/main")
    repo.git("clone", "--quiet", str(served.path), str(tmp_path / "behind"))
    commit = pushed(repo)
    assert check_out(commit, repo=str(tmp_path / "behind")).commit == commit


def test_a_remote_that_never_answers_does_not_hold_up(
    check_out: CheckOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clones, "ANSWER_S", 1.0)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(SourceError, match="could not be asked: it did not answer within 1 s"),
    ):
        check_out("deadbeef" * 5, repository=f"http://127.0.0.1:{silent.getsockname()[1]}/x.git")
