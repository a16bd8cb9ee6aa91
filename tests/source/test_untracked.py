import hashlib
from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from reprocheck.model import UntrackedFile
from reprocheck.source import Checkout
from tests.conftest import Repo
from tests.source.conftest import CheckOut, codes, kept

FOLDER = "reprocheck/untracked/"


def untracked(path: str, content: str | None = None) -> UntrackedFile:
    digest = hashlib.sha256((content or "").encode()).hexdigest() if content else None
    return UntrackedFile(path=path, sha256=digest, artifact=FOLDER + path)


def restored(
    check_out: CheckOut, repo: Repo, *files: UntrackedFile, stored: dict[str, str]
) -> Checkout:
    there = kept(repo.path.parent / "artifacts", {FOLDER + name: stored[name] for name in stored})
    commit = repo.git("rev-parse", "HEAD")
    return check_out(commit, repo.path, untracked=files, kept=there)


def test_untracked_files_are_put_back_and_told(repo: Repo, check_out: CheckOut) -> None:
    repo.commit({"train.py": "import extra"})
    stored = {"extra.py": "x = 1", "conf/a.yaml": "lr: 1"}
    files = (untracked("extra.py", "x = 1"), untracked("conf/a.yaml"))
    listed = UntrackedFile(path="big.bin", sha256=None, artifact=None)
    done = restored(check_out, repo, *files, listed, stored=stored)
    assert {name: (done.tree / name).read_text() for name in stored} == stored
    assert codes(done) == ["untracked-files", "untracked-missing"]


def test_one_that_was_changed_since_is_refused(repo: Repo, check_out: CheckOut) -> None:
    repo.commit({"train.py": "1"})
    with pytest.raises(SourceError, match="has sha256"):
        restored(check_out, repo, untracked("a.py", "x = 1"), stored={"a.py": "x = 2"})


def test_a_file_of_the_commit_is_never_replaced(repo: Repo, check_out: CheckOut) -> None:
    repo.commit({"train.py": "the commit's", "same.py": "same"})
    stored = {"train.py": "another", "same.py": "same"}
    done = restored(check_out, repo, untracked("train.py"), untracked("same.py"), stored=stored)
    assert (done.tree / "train.py").read_text() == "the commit's"
    assert codes(done) == ["untracked-conflict"]


@pytest.mark.parametrize(
    "path",
    ["../evil", "/evil", "a/../../evil", ".git/hooks/evil", "sub/.GIT/evil", "outward/evil"],
)
def test_one_that_leads_out_of_the_tree_is_refused(
    repo: Repo, check_out: CheckOut, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / "outward").symlink_to(outside)
    repo.commit({"train.py": "1"})
    file = UntrackedFile(path=path, sha256=None, artifact=f"{FOLDER}x")
    with pytest.raises(SourceError, match="leads out of the run's tree"):
        restored(check_out, repo, file, stored={"x": "x"})
    assert not list(tmp_path.rglob("evil"))


def test_one_below_a_file_of_the_commit_is_an_error(repo: Repo, check_out: CheckOut) -> None:
    repo.commit({"data": "a file"})
    with pytest.raises(SourceError, match="lies below a file of the commit"):
        restored(check_out, repo, untracked("data/a.csv"), stored={"data/a.csv": "x"})
