from reprocheck.recording import tree
from reprocheck.recording.base import TRUST
from tests.recording.conftest import codes


def test_changed_and_new_files_are_told(repo, situate):
    repo.commit({"train.py": "a = 1\n"})
    assert tree.check(situate()) == ()
    repo.write({"train.py": "a = 2\n"})
    (lack,) = tree.check(situate(dirty=True, kept=frozenset({"new.py"})))
    assert (lack.finding.code, lack.finding.fix[:10]) == ("dirty-tree", "git add -A")
    assert "2 files changed since the commit: train.py, new.py" in lack.finding.message


def test_a_patch_is_taken_where_it_is_whole(repo, situate):
    repo.commit({"train.py": "a = 1\n"})
    assert tree.check(situate(dirty=True, allow_patch=True)) == ()
    partial = situate(dirty=True, allow_patch=True, whole=False, missing={"patch": "it has 12 MB"})
    (lack,) = tree.check(partial)
    assert lack.finding.code == "incomplete-patch"
    assert "12 MB" in lack.finding.message
    unkept = situate(dirty=True, allow_patch=True, listed=("big.json",))
    assert "big.json" in tree.check(unkept)[0].finding.message


def test_a_folder_without_a_repository_or_commit_is_told(repo, situate):
    assert codes(tree.check(situate(commit=""))) == ["no-repository"]
    (lack,) = tree.check(situate(root=None))
    assert "git init" in lack.finding.fix


def test_a_repository_that_git_refuses_is_trusted_not_made_anew(situate):
    why = f"another user owns it, and git reads it only after {TRUST}/srv/repo"
    (lack,) = tree.check(situate(root=None, missing={"code": why}))
    assert lack.finding.fix == f"{TRUST}/srv/repo"
    assert lack.finding.message.endswith("another user owns it, and git reads it")
