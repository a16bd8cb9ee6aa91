import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reprocheck import datastores, dvc_files
from reprocheck.datastores import Around
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from tests.conftest import Repo, shared_folder, snapshot

ROWS = "x,y\n1,2\n3,4\n"
TAG = Origin(kind=OriginKind.TAG, where="data_md5")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with a file and a folder in a local DVC remote."""
    with shared_folder(tmp_path_factory, "dvc") as shared:
        if not (shared / "repo/images.dvc").exists():
            repo = Repo(shared / "repo")
            repo.write({"data/train.csv": ROWS, "images/a/1.txt": "one", "images/2.txt": "two"})
            repo.dvc("init", "--quiet")
            repo.dvc("remote", "add", "--quiet", "--default", "storage", "../remote")
            repo.dvc("add", "--quiet", "data/train.csv", "images")
            repo.dvc("push", "--quiet")
            repo.commit()
        return shared


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may damage."""
    shutil.copytree(made, tmp_path / "made", symlinks=True)
    return tmp_path / "made"


def restore(project: Path, target: Path, *materials: Material) -> datastores.Inputs:
    repo = project / "repo"
    chosen = materials or dvc_files.tracked(repo)
    # A tree elsewhere, as a checkout is: the remote's relative address must still be found.
    tree = target.parent / "elsewhere" / "tree"
    shutil.copytree(repo, tree, ignore=shutil.ignore_patterns("cache", "*.csv", "images"))
    return datastores.restore(chosen, target, Around(tree=tree, repository=repo, folder=tree))


def remote_object(project: Path, digest: str) -> Path:
    return project / "remote" / "files" / "md5" / digest[:2] / digest[2:]


def without_cache(project: Path) -> None:
    shutil.rmtree(project / "repo" / ".dvc" / "cache")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def material(digest: str, path: str = "data/train.csv") -> Material:
    return Material(path=path, algorithm="md5", digest=digest, size=None, files=None, origin=TAG)


def test_files_and_folders_come_back_from_the_remote(project: Path, tmp_path: Path) -> None:
    without_cache(project)
    before = snapshot(project)
    inputs = restore(project, tmp_path / "in")
    assert (tmp_path / "in/data/train.csv").read_text() == ROWS
    assert (tmp_path / "in/images/a/1.txt").read_text() == "one"
    assert (tmp_path / "in/images/2.txt").read_text() == "two"
    assert not inputs.findings
    assert snapshot(project) == before


def test_an_older_hash_is_restored_with_no_file_of_dvc_naming_it(
    project: Path, tmp_path: Path
) -> None:
    repo = Repo(project / "repo")
    pointer = repo.path / "data/train.csv.dvc"
    pointer.write_text(pointer.read_text().replace(md5(ROWS), md5("changed")))
    restore(project, tmp_path / "in", material(md5(ROWS)))
    assert (tmp_path / "in/data/train.csv").read_text() == ROWS


def by_sha256(content: str) -> Material:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return dataclasses.replace(material(digest), algorithm="sha256")


def test_a_sha256_proves_what_dvc_tracks_by_md5(project: Path, tmp_path: Path) -> None:
    restore(project, tmp_path / "in", by_sha256(ROWS))
    assert (tmp_path / "in/data/train.csv").read_text() == ROWS
    with pytest.raises(RestoreError, match=r"expected sha256 .*found .* at MD5") as told:
        restore(project, tmp_path / "other" / "in", by_sha256("other data"))
    assert hashlib.sha256(ROWS.encode()).hexdigest() in told.value.message
    assert not (tmp_path / "other/in/data/train.csv").exists()


def test_a_trials_copies_are_its_own(project: Path, tmp_path: Path) -> None:
    inputs = restore(project, tmp_path / "in")
    for name in ("one", "two"):
        inputs.copy_into(tmp_path / name)
    copy = tmp_path / "one/data/train.csv"
    copy.write_text("overwritten by the training")
    assert (tmp_path / "in/data/train.csv").read_text() == ROWS
    assert (tmp_path / "two/data/train.csv").read_text() == ROWS


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_corrupted_object_is_caught_and_stays_in_the_remote(
    project: Path, tmp_path: Path, mode: int
) -> None:
    without_cache(project)
    stored = remote_object(project, md5(ROWS))
    stored.chmod(0o644)
    stored.write_text(ROWS.replace("1", "7"))
    stored.chmod(mode)
    before = snapshot(project)
    with pytest.raises(RestoreError, match=rf"data/train\.csv at MD5 {md5(ROWS)}.*corrupted"):
        restore(project, tmp_path / "in")
    assert snapshot(project) == before


def test_a_corrupted_file_of_a_folder_is_caught(project: Path, tmp_path: Path) -> None:
    without_cache(project)
    stored = remote_object(project, md5("one"))
    stored.chmod(0o644)
    stored.write_text("0ne")
    with pytest.raises(RestoreError, match=r"images/a/1\.txt.*corrupted"):
        restore(project, tmp_path / "in")


def test_a_corrupted_folder_list_is_caught(project: Path, tmp_path: Path) -> None:
    without_cache(project)
    (listing,) = (project / "remote").rglob("*.dir")
    listing.chmod(0o644)
    listing.write_text("[]")
    with pytest.raises(RestoreError, match=r"images at MD5.*corrupted"):
        restore(project, tmp_path / "in")


def test_an_object_that_is_gone_names_the_remote_and_the_way_to_push(
    project: Path, tmp_path: Path
) -> None:
    without_cache(project)
    remote_object(project, md5(ROWS)).unlink()
    with pytest.raises(RestoreError, match="remote 'storage': not there") as caught:
        restore(project, tmp_path / "in")
    assert "dvc push" in caught.value.hint


def test_data_that_was_never_pushed_comes_from_the_cache_and_is_said_to(
    project: Path, tmp_path: Path
) -> None:
    shutil.rmtree(project / "remote")
    inputs = restore(project, tmp_path / "in")
    assert {finding.code for finding in inputs.findings} == {"data-only-in-cache"}
    assert (tmp_path / "in/data/train.csv").read_text() == ROWS


def test_no_remote_at_all_is_one_clear_error(project: Path, tmp_path: Path) -> None:
    without_cache(project)
    (project / "repo/.dvc/config").write_text("")
    with pytest.raises(RestoreError, match="no DVC remote") as caught:
        restore(project, tmp_path / "in")
    assert "dvc remote add" in caught.value.hint


def test_objects_of_dvc_2_are_found_and_text_hashes_ignore_line_ends(
    project: Path, tmp_path: Path
) -> None:
    without_cache(project)
    windows = "a\r\nb\r\n"
    digest = md5("a\nb\n")
    stored = project / "remote" / digest[:2] / digest[2:]
    stored.parent.mkdir(exist_ok=True)
    stored.write_bytes(windows.encode())
    (old,) = dvc_files.pointers(f"outs: [{{path: t.txt, md5: {digest}}}]".encode(), "t.txt.dvc")
    restore(project, tmp_path / "in", old)
    assert (tmp_path / "in/t.txt").read_bytes() == windows.encode()


def test_a_folder_list_cannot_write_outside(project: Path, tmp_path: Path) -> None:
    listing = json.dumps([{"md5": md5("one"), "relpath": "../../evil"}])
    digest = md5(listing)
    stored = remote_object(project, f"{digest}.dir")
    stored.parent.mkdir(parents=True, exist_ok=True)
    stored.write_text(listing)
    with pytest.raises(RestoreError, match="outside the directory"):
        restore(project, tmp_path / "in", material(f"{digest}.dir", "images"))
    assert not (tmp_path / "evil").exists()


def test_a_symlink_in_the_tree_cannot_lead_an_input_outside(project: Path, tmp_path: Path) -> None:
    inputs = restore(project, tmp_path / "in")
    (tmp_path / "tree").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree/data").symlink_to(tmp_path / "outside")
    with pytest.raises(RestoreError, match="symlink"):
        inputs.copy_into(tmp_path / "tree")
    assert not list((tmp_path / "outside").iterdir())


def test_a_digest_that_no_store_knows_is_an_error(project: Path, tmp_path: Path) -> None:
    unknown = Material(path="x", algorithm="etag", digest="abc", size=None, files=None, origin=TAG)
    with pytest.raises(RestoreError, match="no store"):
        restore(project, tmp_path / "in", unknown)


@pytest.mark.parametrize("text", ["[garbage", "['remote \"a\"']\n    ulr = x\n"])
def test_a_bad_config_of_dvc_is_told(project: Path, tmp_path: Path, text: str) -> None:
    (project / "repo/.dvc/config").write_text(text)
    with pytest.raises(RestoreError, match=r"reading .*\.dvc/config") as caught:
        restore(project, tmp_path / "in")
    assert "dvc config" in caught.value.hint


SLOW = """
import sys, time
from pathlib import Path
from reprocheck import datastores, dvc_files
from reprocheck.cli import _interrupt
from reprocheck.errors import Interruption
from reprocheck.datastores import Around, dvc_digests, dvc_objects
import signal, threading, os

copied = dvc_digests.copy
dvc_digests.copy_file = lambda *_: None  # as where the kernel cannot

class Drip:  # a remote over a bad line: a byte at a time, without end
    def read(self, size):
        time.sleep(0.05)
        return b"x"

def slow(source, target, legacy, stop):
    drips = threading.current_thread() is not threading.main_thread()
    return copied(Drip() if drips else source, target, legacy, stop)

dvc_digests.copy = slow
dvc_objects.CHUNK = 0  # all files count as large
repo, target = map(Path, sys.argv[1:])
signal.signal(signal.SIGTERM, _interrupt)
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
try:
    datastores.restore(
        dvc_files.tracked(repo)[1:], target, Around(tree=repo, repository=repo, folder=repo)
    )
except Interruption:
    print("interrupted")
"""


def test_a_signal_does_not_wait_for_large_files(project: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SLOW, project / "repo", tmp_path / "in"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(argv, env=env, capture_output=True, check=False, timeout=60)
    assert done.stdout == b"interrupted\n", done.stderr.decode()
