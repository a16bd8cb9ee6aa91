import shlex

import pytest

from reprocheck.recording import pushed
from tests.recording.conftest import codes


def test_a_commit_below_a_branch_of_the_remote_is_pushed(repo, remote, situate):
    repo.commit({"a": "1"})
    first = situate()
    repo.commit({"a": "2"})
    repo.git("push", "--quiet", "origin", "main")
    assert pushed.check(first) == ()
    assert pushed.check(situate()) == ()


def test_a_commit_on_no_branch_of_the_remote_is_told_with_the_push(repo, remote, situate):
    repo.commit({"a": "1"})
    repo.git("push", "--quiet", "origin", "main")
    repo.commit({"a": "2"})
    (lack,) = pushed.check(situate())
    assert (lack.finding.code, lack.unknown) == ("unpushed-commit", False)
    repo.git("checkout", "--quiet", "--detach")
    (detached,) = pushed.check(situate())
    repo.git(*shlex.split(detached.finding.fix)[1:])
    assert pushed.check(situate()) == ()
    repo.git("checkout", "--quiet", "main")
    repo.commit({"a": "3"})
    repo.git(*shlex.split(lack.finding.fix)[1:])
    assert pushed.check(situate()) == ()


def test_the_remote_itself_is_asked_not_what_was_fetched(repo, remote, situate):
    repo.commit({"a": "1"})
    repo.git("push", "--quiet", "--set-upstream", "origin", "main:topic")
    assert pushed.check(situate()) == ()
    remote.git("update-ref", "-d", "refs/heads/topic")  # deleted there after a squash
    assert repo.git("branch", "--remotes", "--contains", "HEAD") == "origin/topic"
    assert codes(pushed.check(situate())) == ["unpushed-commit"]


def test_a_branch_that_was_set_back_on_the_remote_has_the_commit_no_more(repo, remote, situate):
    first = repo.commit({"a": "1"})
    repo.commit({"a": "2"})
    repo.git("push", "--quiet", "--set-upstream", "origin", "main")
    remote.git("update-ref", "refs/heads/main", first)
    assert repo.git("branch", "--remotes", "--contains", "HEAD") == "origin/main"
    assert codes(pushed.check(situate())) == ["unpushed-commit"]


def test_a_branch_that_others_went_on_with_has_the_commit_still(repo, remote, situate, tmp_path):
    repo.commit({"a": "1"})
    repo.git("push", "--quiet", "origin", "main")
    repo.git("fetch", "--quiet", "origin")
    other = type(repo)(tmp_path / "other")
    other.git("pull", "--quiet", str(remote.path), "main")
    other.commit({"b": "1"})
    other.git("push", "--quiet", str(remote.path), "main")
    assert pushed.check(situate()) == ()


def test_a_ref_that_keeps_a_commit_counts_as_pushed(repo, remote, situate):
    repo.commit({"a": "1"})
    repo.git("push", "--quiet", "origin", "HEAD:refs/reprocheck/abc")
    assert pushed.check(situate()) == ()


def test_no_remote_is_told(repo, situate):
    repo.commit({"a": "1"})
    (lack,) = pushed.check(situate(keep_ref=True))
    assert lack.finding.code == "unpushed-commit"
    assert "git remote add origin" in lack.finding.fix


def test_keep_ref_is_tried_before_the_training(repo, remote, situate):
    repo.commit({"a": "1"})
    assert pushed.check(situate(keep_ref=True)) == ()
    assert remote.git("for-each-ref") == ""  # tried only
    repo.git("remote", "set-url", "--push", "origin", "/nowhere.git")
    (lack,) = pushed.check(situate(keep_ref=True))
    assert "cannot push" in lack.finding.message


@pytest.mark.parametrize("why", ["gone", "shallow"])
def test_what_cannot_be_known_is_not_claimed(why, repo, remote, situate, tmp_path):
    repo.commit({"a": "1"})
    repo.commit({"a": "2"})
    if why == "gone":
        repo.git("remote", "set-url", "origin", str(tmp_path / "gone.git"))
    else:
        repo.git("push", "--quiet", "origin", "main")
        clone = type(repo)(tmp_path / "clone")
        clone.git("fetch", "--quiet", "--depth=1", remote.path.as_uri(), "main")
        clone.git("reset", "--quiet", "--hard", "FETCH_HEAD")
        clone.commit({"a": "3"})
        clone.git("remote", "add", "origin", str(remote.path))
        repo.path = clone.path
    (lack,) = pushed.check(situate(root=repo.path, cwd=repo.path))
    assert (lack.finding.code, lack.unknown) == ("unknown-remote", True)


def test_the_commits_of_submodules_have_to_be_pushed_too(repo, remote, situate, tmp_path):
    lib = type(repo)(tmp_path / "lib")
    lib.commit({"a.py": ""})
    repo.git("submodule", "--quiet", "add", str(lib.path), "lib")
    repo.commit()
    repo.git("push", "--quiet", "origin", "main")
    assert pushed.check(situate()) == ()
    inner = type(repo).at(repo.path / "lib")
    inner.commit({"a.py": "1"})
    repo.commit()
    repo.git("push", "--quiet", "origin", "main")
    (lack,) = pushed.check(situate(keep_ref=True))
    assert lack.finding.message.startswith("in submodule lib: commit ")
    assert lack.finding.fix == "git -C lib push origin HEAD"
