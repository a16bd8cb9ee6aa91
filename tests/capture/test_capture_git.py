"""The code's state, and that its patch makes the same tree."""

import subprocess

import pytest
from reprocheck_capture import git

from tests.conftest import Repo

BINARY = bytes(range(256)) * 4


def applied(repo, patch, commit, folder):
    """The files of a clone at a commit with a patch."""
    subprocess.run(["git", "clone", "-q", repo.path, folder], check=True)
    clone = Repo.at(folder)
    clone.git("checkout", "-q", commit)
    argv = ["git", "apply", "--binary", "--whitespace=nowarn", "-"]
    subprocess.run(argv, cwd=folder, input=patch, check=True)
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_a_clean_tree_is_clean_whatever_a_run_wrote_into_it(in_repo):
    in_repo.git("remote", "add", "origin", "https://me:secret@example.com/a.git")
    in_repo.write({"mlflow.db": "x", "mlruns/0/meta.yaml": "x", "model.bin": BINARY})
    found = git.code()
    assert (found.root, found.dirty, found.patch) == (str(in_repo.path), False, b"")
    assert (found.commit, found.branch) == (in_repo.git("rev-parse", "HEAD"), "main")
    assert found.remote == "https://example.com/a.git"


def test_the_patch_has_staged_unstaged_binary_and_new_files(in_repo, tmp_path):
    in_repo.git("config", "diff.noprefix", "true")
    in_repo.git("config", "color.ui", "always")
    in_repo.commit({"data.bin": BINARY, "gone.py": "x = 1\n"})
    in_repo.write({"lib.py": "a = 2\n", "data.bin": BINARY[::-1]})
    in_repo.git("add", "lib.py")
    in_repo.write({"lib.py": "a = 3\n", "new.py": "b = 1", "empty.py": "", "one.py": "c\n"})
    in_repo.git("mv", "train.py", "moved.py")
    (in_repo.path / "gone.py").unlink()
    found = git.code()
    assert found.dirty
    assert found.whole
    assert sorted(found.untracked) == ["empty.py", "new.py", "one.py"]
    there = {p.name: p.read_bytes() for p in in_repo.path.iterdir() if p.is_file()}
    assert applied(in_repo, found.patch, found.commit, tmp_path / "clone") == there
    document = found.document()
    assert document["tree"] == "dirty"
    assert document["patch"]["sha256"] == git.sha256(found.patch)


def test_a_commit_that_was_never_pushed_has_a_patch_against_one_that_was(in_repo, tmp_path):
    pushed = in_repo.git("rev-parse", "HEAD")
    in_repo.git("update-ref", "refs/remotes/origin/main", pushed)
    assert git.code().base == ""
    in_repo.commit({"lib.py": "a = 2\n"})
    in_repo.commit({"lib.py": "a = 3\n"})
    in_repo.write({"train.py": "print(2)\n", "new.py": "b\n"})
    found = git.code()
    assert found.base == pushed
    there = {p.name: p.read_bytes() for p in in_repo.path.iterdir() if p.is_file()}
    assert applied(in_repo, found.upstream, pushed, tmp_path / "clone") == there


def test_secrets_are_no_part_of_a_patch_which_then_is_not_whole(in_repo, nothing_missing):
    in_repo.commit({".env": "TOKEN=a\n"})
    in_repo.write({".env": "TOKEN=hidden\n", "lib.py": "a = 2\n", "secrets.yaml": "b: hidden\n"})
    found = git.code()
    assert found.dirty
    assert not found.whole
    assert b"a = 2" in found.patch
    assert b"hidden" not in found.patch + b"".join(found.untracked.values())
    assert found.listed == ("secrets.yaml",)
    assert sorted(nothing_missing) == ["patch", "untracked"]


@pytest.mark.parametrize("commits", [0, None])
def test_without_a_commit_nothing_is_claimed(tmp_path, monkeypatch, commits):
    import sys

    if commits is None:
        (tmp_path / "repo").mkdir()
    else:
        Repo(tmp_path / "repo")
    monkeypatch.chdir(tmp_path / "repo")
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    assert git.code().document()["tree"] == "unknown"


def test_large_sources_are_only_named(in_repo, monkeypatch):
    monkeypatch.setattr(git, "LARGEST_FILE", 5)
    in_repo.write({"big.py": "x = 123456\n"})
    found = git.code()
    assert (found.listed, found.untracked, found.dirty) == (("big.py",), {}, True)


def test_a_new_file_is_kept_whatever_letters_its_name_has(in_repo, nothing_missing):
    in_repo.write({"mein Übung.py": "a = 1\n", "what?.py": "b = 1\n"})
    found = git.code()
    assert found.untracked == {"mein Übung.py": b"a = 1\n"}
    assert (found.listed, found.patch, found.dirty) == (("what?.py",), b"", True)
    assert nothing_missing["untracked"].endswith("by their names: what?.py")


def test_changes_inside_of_a_submodule_are_missed(in_repo, nothing_missing):
    inner = Repo(in_repo.path / "inner")
    inner.commit({"a.py": "a = 1\n"})
    in_repo.git("add", "inner")
    in_repo.commit()
    inner.write({"notes.txt": "x"})
    assert (git.code().whole, nothing_missing) == (True, {})
    inner.write({"a.py": "a = 2\n"})
    found = git.code()
    assert (found.dirty, found.whole, found.document()["patch"]) == (True, False, None)
    assert nothing_missing["patch"].endswith("inside of submodules: inner")


def test_a_repository_of_another_user_is_not_called_none(in_repo, monkeypatch, nothing_missing):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    assert git.code().root == ""
    assert nothing_missing["code"].endswith(f"{git.TRUST}{in_repo.path}")


def test_what_the_run_itself_writes_is_no_change_of_its_code(in_repo):
    in_repo.write({"out.ipynb": "{}"})
    assert git.code().dirty
    assert not git.code(made=str(in_repo.path / "out.ipynb")).dirty
