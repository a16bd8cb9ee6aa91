import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from reprocheck import lfs_files
from reprocheck.errors import SourceError
from reprocheck.model import Patch, TreeState
from tests.conftest import Repo, need
from tests.source.conftest import CheckOut, codes


def diff(repo: Repo, *options: str) -> bytes:
    argv = ("git", "diff", "--binary", *options)
    return subprocess.run(argv, cwd=repo.path, capture_output=True, check=True).stdout


def patched(check_out: CheckOut, repo: Repo, patch: Patch, **changes: object) -> Path:
    commit = repo.git("rev-parse", "HEAD")
    return check_out(commit, repo.path, patch=patch, tree=TreeState.DIRTY, **changes).tree


def staged_and_unstaged(repo: Repo) -> tuple[bytes, bytes]:
    """Two changes of the same line, the second on top of the first."""
    repo.commit({"a.txt": "one\n", "b.txt": "one\n"})
    repo.write({"a.txt": "two\n", "b.txt": "two\n"})
    repo.git("add", "--all")
    repo.write({"a.txt": "three\n"})
    return diff(repo, "--cached"), diff(repo)


def test_staged_and_unstaged_changes_are_both_put_back(repo: Repo, check_out: CheckOut) -> None:
    parts = staged_and_unstaged(repo)
    tree = patched(check_out, repo, Patch(content=b"".join(parts), sha256=None, parts=parts))
    assert [(tree / name).read_text() for name in ("a.txt", "b.txt")] == ["three\n", "two\n"]


def test_both_in_one_patch_apply_in_whichever_order_they_were_written(
    repo: Repo, check_out: CheckOut
) -> None:
    staged, unstaged = staged_and_unstaged(repo)
    for content in (staged + unstaged, (unstaged + b"\n" + staged).rstrip(b"\n")):
        tree = patched(check_out, repo, Patch(content=content, sha256=None))
        assert [(tree / name).read_text() for name in ("a.txt", "b.txt")] == ["three\n", "two\n"]
        subprocess.run(("rm", "-rf", tree), check=True)


@pytest.mark.parametrize("attributes", ["", "*.txt text eol=crlf\n", "*.txt -text\n"])
def test_line_ends_and_white_space_are_kept(
    repo: Repo, check_out: CheckOut, attributes: str
) -> None:
    repo.commit({".gitattributes": attributes, "a.txt": b"one\r\ntwo\r\n", "b.py": "x \n"})
    repo.write({"a.txt": b"one\r\nTWO \r\n", "b.py": "x \t\n\n\n"})
    tree = patched(check_out, repo, Patch(content=diff(repo, "HEAD"), sha256=None))
    assert (tree / "a.txt").read_bytes() == b"one\r\nTWO \r\n"
    assert (tree / "b.py").read_text() == "x \t\n\n\n"


def test_a_patch_without_prefixes_means_the_paths_that_it_has(
    repo: Repo, check_out: CheckOut
) -> None:
    repo.commit({"train.py": "one\n", "src/train.py": "one\n"})
    repo.write({"src/train.py": "two\n"})
    tree = patched(check_out, repo, Patch(content=diff(repo, "--no-prefix"), sha256=None))
    assert [(tree / name).read_text() for name in ("train.py", "src/train.py")] == [
        "one\n",
        "two\n",
    ]


NEW = "diff --git a/{0} b/{0}\nnew file mode {1}\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+{2}\n"


@pytest.mark.parametrize(
    "patch",
    [
        NEW.format("../evil", "100644", "x"),
        NEW.format(".git/hooks/post-checkout", "100755", "x"),
        NEW.format("sub/../../evil", "100644", "x"),
        NEW.format("link", "120000", "/etc") + "\\ No newline at end of file\n",
        NEW.format("link", "120000", "../..") + "\\ No newline at end of file\n",
        NEW.format("outward/evil", "100644", "x"),
    ],
)
def test_a_patch_that_leads_out_of_the_tree_is_refused(
    repo: Repo, check_out: CheckOut, tmp_path: Path, patch: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / "outward").symlink_to(outside)
    repo.commit({"a": "1"})
    with pytest.raises(SourceError, match="patch"):
        patched(check_out, repo, Patch(content=patch.encode(), sha256=None))
    assert not list(outside.iterdir())
    assert not list(tmp_path.rglob("evil"))


def test_a_commit_that_was_never_pushed_is_its_upstream_and_all_changes_since(
    repo: Repo, check_out: CheckOut, tmp_path: Path
) -> None:
    base = repo.commit({"a": "1\n"})
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "host"))
    Repo.at(tmp_path / "host").git("remote", "remove", "origin")
    commit = repo.commit({"a": "2\n"})
    repo.write({"a": "3\n"})
    own = Patch(content=diff(repo, "HEAD"), sha256=None)
    upstream = Patch(content=diff(repo, base), sha256=None, base=base)
    both = {"patch": own, "upstream": upstream, "tree": TreeState.DIRTY}
    there = check_out(commit, tmp_path / "host", **both)
    assert ((there.tree / "a").read_text(), there.commit) == ("3\n", commit)
    assert codes(there) == ["upstream-patch"]


def test_what_is_no_commit_id_is_no_upstream(repo: Repo, check_out: CheckOut) -> None:
    commit = repo.commit({"a": "1\n"})
    upstream = Patch(content=b"x", sha256=None, base="--upload-pack=x")
    assert check_out(commit, repo.path, upstream=upstream).commit == commit  # not looked at
    with pytest.raises(SourceError, match="not a commit id"):
        check_out("deadbeef" * 5, repo.path, upstream=upstream)


@pytest.mark.parametrize("has_own", [True, False])
def test_a_run_whose_commit_is_there_needs_no_upstream_unless_only_that_has_its_changes(
    repo: Repo, check_out: CheckOut, has_own: bool
) -> None:
    base = repo.commit({"a": "1\n"})
    commit = repo.commit({"a": "2\n"})
    repo.write({"a": "3\n"})
    own = Patch(content=diff(repo, "HEAD"), sha256=None) if has_own else None
    upstream = Patch(content=diff(repo, base), sha256=None, base=base)
    done = check_out(commit, repo.path, patch=own, upstream=upstream, tree=TreeState.DIRTY)
    assert (done.tree / "a").read_text() == "3\n"
    assert codes(done) == (["patched-tree"] if has_own else ["upstream-patch"])


def test_a_patch_for_another_commit_than_the_runs_is_applied_to_that(
    repo: Repo, check_out: CheckOut
) -> None:
    base = repo.commit({"a": "1\n"})
    repo.write({"a": "2\n"})
    patch = Patch(content=diff(repo, base), sha256=None, base=base[:10])
    lost = check_out("deadbeef" * 5, repo.path, patch=patch, tree=TreeState.DIRTY)
    assert ((lost.tree / "a").read_text(), lost.commit) == ("2\n", "deadbeef" * 5)


@pytest.mark.parametrize("is_dirty", [True, False])
def test_a_submodule_is_taken_to_the_commit_that_the_patch_names(
    repo: Repo, check_out: CheckOut, tmp_path: Path, is_dirty: bool
) -> None:
    library = Repo(tmp_path / "library")
    library.commit({"lib.py": "one"})
    repo.git("submodule", "--quiet", "add", str(library.path), "vendor/lib")
    repo.commit({"a": "1\n"})
    module = Repo.at(repo.path / "vendor/lib")
    module.commit({"lib.py": "two"})
    repo.write({"a": "2\n"} | ({"vendor/lib/lib.py": "three"} if is_dirty else {}))
    patch = Patch(content=diff(repo, "HEAD"), sha256=None)
    done = check_out(repo.git("rev-parse", "HEAD"), repo.path, patch=patch, tree=TreeState.DIRTY)
    assert (done.tree / "vendor/lib/lib.py").read_text() == "two"
    assert (done.tree / "a").read_text() == "2\n"
    assert ("dirty-submodule" in codes(done)) is is_dirty


def test_changes_inside_of_a_submodule_are_put_back_where_the_patch_has_them(
    repo: Repo, check_out: CheckOut, tmp_path: Path
) -> None:
    library = Repo(tmp_path / "library")
    library.commit({"lib.py": "one\n"})
    repo.git("submodule", "--quiet", "add", str(library.path), "vendor/lib")
    repo.commit()
    repo.write({"vendor/lib/lib.py": "two\n"})
    patch = Patch(content=diff(repo, "--submodule=diff", "HEAD"), sha256=None)
    tree = patched(check_out, repo, patch)
    assert (tree / "vendor/lib/lib.py").read_text() == "two\n"


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_patched_file_of_git_lfs_has_its_object_or_is_an_error(
    repo: Repo, check_out: CheckOut, is_kept: bool
) -> None:
    need("git-lfs")
    repo.git("lfs", "install", "--local")
    repo.git("lfs", "track", "*.bin")
    repo.commit({"a.bin": b"\x00one", "b.bin": b"\x00other"})
    repo.write({"a.bin": b"\x00two", "new.bin": b"\x00new"})
    repo.git("add", "--all")  # as git-lfs keeps an object of what is staged
    patch = Patch(content=diff(repo, "HEAD"), sha256=None)
    if not is_kept:
        digest = hashlib.sha256(b"\x00two").hexdigest()
        next((repo.path / ".git/lfs/objects").rglob(digest)).unlink()
        with pytest.raises(SourceError, match=r"1 of 3 LFS objects could not be had.*a\.bin"):
            patched(check_out, repo, patch)
        return
    tree = patched(check_out, repo, patch)
    expected = {"a.bin": b"\x00two", "b.bin": b"\x00other", "new.bin": b"\x00new"}
    assert {name: (tree / name).read_bytes() for name in expected} == expected
    digests = {each.digest for each in lfs_files.tracked(tree, dict(os.environ)).values()}
    assert digests == {hashlib.sha256(content).hexdigest() for content in expected.values()}
