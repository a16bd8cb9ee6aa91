import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from reprocheck.errors import SourceError
from reprocheck.model import CodeState, Patch, TreeState
from reprocheck.progress import Silent
from reprocheck.source import Checkout, CheckoutRequest, checkout
from tests.conftest import Repo, need, snapshot
from tests.reporters.builders import make_code


def request_for(repo: Repo, tmp_path: Path, code: CodeState, **changes: object) -> CheckoutRequest:
    request = CheckoutRequest(
        code=code, repo=None, cwd=repo.path, env=dict(os.environ), tree=tmp_path / "w" / "tree"
    )
    return dataclasses.replace(request, **changes)


def check_out(repo: Repo, tmp_path: Path, commit: str, **changes: object) -> Checkout:
    code = make_code(commit=commit, repository=None)
    return checkout(request_for(repo, tmp_path, code, **changes), Silent())


def test_the_tree_is_the_commits_not_the_working_copys(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"train.py": "old"})
    repo.commit({"train.py": "new"})
    repo.write({"train.py": "newest", "untracked.py": "x"})
    before = snapshot(repo.path)
    done = check_out(repo, tmp_path, commit)
    assert (done.tree / "train.py").read_text() == "old"
    assert not (done.tree / "untracked.py").exists()
    assert snapshot(repo.path) == before


def test_an_abbreviated_commit_is_resolved(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1"})
    assert check_out(repo, tmp_path, commit[:8]).commit == commit


def test_a_commit_on_no_branch_is_found(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    lost = repo.commit({"a": "2"})
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    assert (check_out(repo, tmp_path, lost).tree / "a").read_text() == "2"


def test_a_recorded_address_is_cloned_where_this_repository_lacks_the_commit(
    repo: Repo, tmp_path: Path
) -> None:
    repo.commit({"a": "here"})
    other = Repo(tmp_path / "other")
    commit = other.commit({"a": "there"})
    code = make_code(commit=commit, repository=f"file://{other.path}")
    done = checkout(request_for(repo, tmp_path, code), Silent())
    assert (done.tree / "a").read_text() == "there"
    assert "recorded" in done.place


def test_an_unknown_commit_names_the_places_that_were_asked(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    with pytest.raises(SourceError, match=r"deadbeef.*not found") as caught:
        check_out(repo, tmp_path, "deadbeef" * 5)
    assert str(repo.path) in caught.value.message
    assert "--repo" in caught.value.hint


@pytest.mark.parametrize("recorded", ["project#sub", "/home/ada/project"])
def test_a_recorded_path_of_elsewhere_is_not_needed_where_the_commit_is_here(
    repo: Repo, tmp_path: Path, recorded: str
) -> None:
    code = make_code(commit=repo.commit({"a": "1"}), repository=recorded)
    assert checkout(request_for(repo, tmp_path, code), Silent()).place.endswith("(here)")
    lost = dataclasses.replace(code, commit="deadbeef" * 5)
    with pytest.raises(SourceError, match=r"\(here\) does not have it; .* does not exist"):
        checkout(request_for(repo, tmp_path, lost), Silent())


@pytest.mark.parametrize("commit", ["--upload-pack=touch x", "HEAD", "zz", "abc"])
def test_what_is_no_commit_id_never_reaches_git(repo: Repo, tmp_path: Path, commit: str) -> None:
    with pytest.raises(SourceError, match="not a commit id"):
        check_out(repo, tmp_path, commit)


def test_a_recorded_address_cannot_name_a_command(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    mark = tmp_path / "mark"
    code = make_code(commit="deadbeef" * 5, repository=f"ext::touch {mark}")
    with pytest.raises(SourceError):
        checkout(request_for(repo, tmp_path, code), Silent())
    assert not mark.exists()


def test_hooks_and_filters_of_the_user_do_not_run(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.commit({"a.txt": "content", ".gitattributes": "*.txt filter=shout\n"})
    mark = tmp_path / "hook-ran"
    hook = tmp_path / "hooks" / "post-checkout"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f'[core]\nhooksPath = {hook.parent}\n[filter "shout"]\nsmudge = tr a-z A-Z\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    done = check_out(repo, tmp_path, commit)
    assert (done.tree / "a.txt").read_text() == "content"
    assert not mark.exists()


def test_a_hooks_own_repository_variables_are_ignored(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.commit({"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert check_out(repo, tmp_path, commit).commit == commit


def test_a_trial_has_no_remote_to_push_to(repo: Repo, tmp_path: Path) -> None:
    commit = repo.commit({"a": "1"})
    repo.git("remote", "add", "origin", "https://git.example/team/project")
    tree = check_out(repo, tmp_path, commit).tree
    assert "example" not in (tree / ".git" / "config").read_text()


def dirty(repo: Repo) -> tuple[str, bytes]:
    commit = repo.commit({"train.py": "one\n", "image.bin": bytes(range(256))})
    repo.write({"train.py": "two\n", "image.bin": bytes(reversed(range(256)))})
    patch = repo.git("diff", "--binary", "HEAD").encode() + b"\n"
    repo.git("checkout", "--quiet", ".")
    return commit, patch


def test_the_recorded_patch_is_applied_with_its_binary_files(repo: Repo, tmp_path: Path) -> None:
    commit, content = dirty(repo)
    patch = Patch(content=content, sha256=hashlib.sha256(content).hexdigest())
    code = make_code(commit=commit, repository=None, patch=patch, tree=TreeState.DIRTY)
    done = checkout(request_for(repo, tmp_path, code), Silent())
    assert (done.tree / "train.py").read_text() == "two\n"
    assert (done.tree / "image.bin").read_bytes() == bytes(reversed(range(256)))
    assert [finding.code for finding in done.findings] == ["patched-tree"]


def test_a_patch_that_was_changed_since_is_refused(repo: Repo, tmp_path: Path) -> None:
    commit, content = dirty(repo)
    patch = Patch(content=content, sha256="0" * 64)
    code = make_code(commit=commit, repository=None, patch=patch, tree=TreeState.DIRTY)
    with pytest.raises(SourceError, match="sha256"):
        checkout(request_for(repo, tmp_path, code), Silent())


def test_a_patch_that_does_not_apply_is_an_error(repo: Repo, tmp_path: Path) -> None:
    _, content = dirty(repo)
    other = repo.commit({"train.py": "another\n"})
    code = make_code(
        commit=other,
        repository=None,
        patch=Patch(content=content, sha256=None),
        tree=TreeState.DIRTY,
    )
    with pytest.raises(SourceError, match="does not apply"):
        checkout(request_for(repo, tmp_path, code), Silent())


def with_submodule(repo: Repo, tmp_path: Path) -> tuple[str, Repo]:
    library = Repo(tmp_path / "library")
    library.commit({"lib.py": "one"})
    repo.git("submodule", "--quiet", "add", f"file://{library.path}", "vendor/lib")
    commit = repo.commit()
    library.commit({"lib.py": "two"})
    return commit, library


def test_submodules_are_checked_out_at_their_recorded_commit(repo: Repo, tmp_path: Path) -> None:
    commit, _ = with_submodule(repo, tmp_path)
    before = snapshot(repo.path)
    assert (check_out(repo, tmp_path, commit).tree / "vendor/lib/lib.py").read_text() == "one"
    assert snapshot(repo.path) == before


def test_a_trial_can_push_to_no_repository_of_the_teams(repo: Repo, tmp_path: Path) -> None:
    commit, _ = with_submodule(repo, tmp_path)
    tree = check_out(repo, tmp_path, commit).tree
    assert [Repo.at(place).git("remote") for place in (tree, tree / "vendor/lib")] == ["", ""]


def test_a_submodule_comes_from_the_users_clone_when_its_address_is_gone(
    repo: Repo, tmp_path: Path
) -> None:
    commit, library = with_submodule(repo, tmp_path)
    library.path.rename(tmp_path / "moved")
    assert (check_out(repo, tmp_path, commit).tree / "vendor/lib/lib.py").read_text() == "one"


def test_a_submodule_that_is_gone_everywhere_is_an_error(repo: Repo, tmp_path: Path) -> None:
    commit, library = with_submodule(repo, tmp_path)
    clone = tmp_path / "clone"
    repo.git("clone", "--quiet", str(repo.path), str(clone))
    library.path.rename(tmp_path / "moved")
    with pytest.raises(SourceError, match="submodule vendor/lib"):
        check_out(repo, tmp_path, commit, cwd=clone)


def with_lfs(repo: Repo) -> str:
    need("git-lfs")
    repo.git("lfs", "install", "--local")
    repo.git("lfs", "track", "*.bin")
    return repo.commit({"weights.bin": b"\x00\x01" * 5000})


def test_lfs_files_are_restored_from_the_users_repository(repo: Repo, tmp_path: Path) -> None:
    commit = with_lfs(repo)
    before = snapshot(repo.path)
    tree = check_out(repo, tmp_path, commit).tree
    assert (tree / "weights.bin").read_bytes() == b"\x00\x01" * 5000
    assert snapshot(repo.path) == before


def test_a_missing_lfs_object_is_an_error_and_leaves_no_pointer_unnoticed(
    repo: Repo, tmp_path: Path
) -> None:
    commit = with_lfs(repo)
    (lfs_object,) = (path for path in (repo.path / ".git/lfs/objects").rglob("*") if path.is_file())
    lfs_object.unlink()
    with pytest.raises(SourceError, match=r"weights\.bin"):
        check_out(repo, tmp_path, commit)


def test_a_corrupted_lfs_object_is_caught(repo: Repo, tmp_path: Path) -> None:
    commit = with_lfs(repo)
    (lfs_object,) = (path for path in (repo.path / ".git/lfs/objects").rglob("*") if path.is_file())
    lfs_object.chmod(0o644)
    lfs_object.write_bytes(b"\x00\x02" * 5000)
    with pytest.raises(SourceError, match=r"weights\.bin"):
        check_out(repo, tmp_path, commit)


def test_a_users_own_name_for_remotes_does_not_matter(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text("[clone]\n\tdefaultRemoteName = upstream\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repo.git("remote", "add", "origin", "https://example.invalid/x.git")
    commit = repo.commit({"train.py": "1"})
    assert (check_out(repo, tmp_path, commit).tree / "train.py").read_text() == "1"
