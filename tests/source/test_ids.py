import hashlib
import os

import pytest

from reprocheck.errors import SourceError
from reprocheck.git import Git
from reprocheck.source.ids import resolve
from tests.conftest import Repo
from tests.source.conftest import CheckOut


def test_a_branch_that_is_named_like_an_abbreviated_id_is_not_meant(
    repo: Repo, check_out: CheckOut
) -> None:
    commit = repo.commit({"a": "1"})
    repo.commit({"a": "2"})
    repo.git("branch", commit[:8])
    repo.git("branch", "--force", commit[:8], "HEAD")
    assert check_out(commit[:8].upper(), cwd=repo.path).commit == commit


@pytest.mark.parametrize("digits", [8, 40])
def test_an_annotated_tags_id_means_its_commit(
    repo: Repo, check_out: CheckOut, digits: int
) -> None:
    commit = repo.commit({"a": "1"})
    repo.git("tag", "--annotate", "--message", "x", "v1")
    tag = repo.git("rev-parse", "v1")
    assert tag != commit
    assert check_out(tag[:digits], cwd=repo.path).commit == commit


@pytest.mark.parametrize(("what", "named"), [("HEAD^{tree}", "tree"), ("HEAD:a", "blob")])
def test_the_id_of_something_else_is_an_error_that_says_what(
    repo: Repo, check_out: CheckOut, what: str, named: str
) -> None:
    repo.commit({"a": "1"})
    with pytest.raises(SourceError, match=f"is the id of a {named}, not of a commit"):
        check_out(repo.git("rev-parse", what), cwd=repo.path)


def alike(repo: Repo) -> list[str]:
    """Two commits whose ids begin with the same seven digits."""
    repo.commit({"a": "1"})
    tree = repo.git("rev-parse", "HEAD^{tree}")
    seen: dict[str, bytes] = {}
    for second in range(1_000_000):
        who = f"Test <test@example.com> {second} +0000"
        body = f"tree {tree}\nauthor {who}\ncommitter {who}\n\nTry {second}\n".encode()
        name = hashlib.sha1(b"commit %d\0%s" % (len(body), body)).hexdigest()
        if other := seen.get(name[:7]):
            return [written(repo, content, "commit") for content in (other, body)]
        seen[name[:7]] = body
    raise AssertionError("no two of a million begin alike")


def written(repo: Repo, content: bytes, kind: str) -> str:
    (repo.path / "object").write_bytes(content)
    return repo.git("hash-object", "-t", kind, "-w", "object")


def test_an_ambiguous_id_is_an_error_that_lists_the_commits(
    repo: Repo, check_out: CheckOut
) -> None:
    found = alike(repo)
    with pytest.raises(SourceError, match="the beginning of 2 commits' ids") as caught:
        check_out(found[0][:7], cwd=repo.path)
    assert all(f"{commit[:16]} 1970-01-01 Try " in caught.value.message for commit in found)
    assert check_out(found[0][:12], cwd=repo.path).commit == found[0]


def test_only_commits_count_as_what_an_id_can_mean(repo: Repo, check_out: CheckOut) -> None:
    commit = repo.commit({"a": "1"})
    seen = {commit[:4]}
    for number in range(1_000_000):  # a file whose id begins with the same seven digits: too rare
        content = b"%d" % number
        name = hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()
        if name[:4] in seen:
            written(repo, content, "blob")
            break
    assert resolve(Git(repo.path, dict(os.environ)), commit[:4]) == commit
