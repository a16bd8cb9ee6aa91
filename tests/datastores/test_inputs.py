"""inputs: each trial's own copies, and what the trial did to them."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from reprocheck.datastores import copies
from reprocheck.datastores.inputs import Inputs, OwnCopies, check_path, remove_inside
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from reprocheck.progress import Silent
from tests.conftest import snapshot

ORIGIN = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml:3")


def material(path: str, digest: str = "", algorithm: str = "md5") -> Material:
    return Material(
        path=path, algorithm=algorithm, digest=digest, size=None, files=None, origin=ORIGIN
    )


def digest(text: str, algorithm: str = "md5") -> str:
    return f"{algorithm} {hashlib.new(algorithm, text.encode()).hexdigest()}"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    folder = tmp_path / "inputs"
    (folder / "images/deep").mkdir(parents=True)
    (folder / "train.csv").write_text("x,y\n")
    (folder / "images/1.txt").write_text("one")
    (folder / "images/deep/2.sh").write_text("two")
    (folder / "images/deep/2.sh").chmod(0o555)
    (folder / "train.csv").chmod(0o444)
    found = (material("train.csv"), material("images", "x.dir"))
    return Inputs(folder=folder, materials=found, findings=())


@pytest.fixture
def own(inputs: Inputs, tmp_path: Path) -> OwnCopies:
    return inputs.copy_into(tmp_path / "tree")


def test_no_inode_is_shared_and_all_can_be_written(inputs: Inputs, own: OwnCopies) -> None:
    for path in ("train.csv", "images/1.txt", "images/deep/2.sh"):
        original, copy = inputs.folder / path, own.tree / path
        assert copy.read_bytes() == original.read_bytes()
        assert (copy.stat().st_ino, copy.stat().st_nlink) != (original.stat().st_ino, 2)
        assert copy.stat().st_mode & 0o200
    assert (own.tree / "images/deep/2.sh").stat().st_mode & 0o111
    assert not (own.tree / "train.csv").stat().st_mode & 0o111


def test_a_script_that_writes_its_input_harms_nothing(
    inputs: Inputs, own: OwnCopies, tmp_path: Path
) -> None:
    before = snapshot(inputs.folder)
    with (own.tree / "train.csv").open("r+") as file:
        file.write("harm")
    assert snapshot(inputs.folder) == before
    assert (inputs.copy_into(tmp_path / "next").tree / "train.csv").read_text() == "x,y\n"


def test_a_file_larger_than_a_chunk_is_copied_whole_with_and_without_the_kernels_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(3 * 2**20 + 17)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/big").write_bytes(content)
    inputs = Inputs(folder=tmp_path / "in", materials=(material("big"),), findings=())
    assert (inputs.copy_into(tmp_path / "a").tree / "big").read_bytes() == content
    ended = iter([1000])  # a file system that tells the kernel that a file ends too soon
    real = os.copy_file_range

    def early(source: int, target: int, count: int) -> int:
        return real(source, target, next(ended, 0) and 1000)

    monkeypatch.setattr(os, "copy_file_range", early)
    assert (inputs.copy_into(tmp_path / "b").tree / "big").read_bytes() == content
    monkeypatch.delattr(os, "copy_file_range")
    assert (inputs.copy_into(tmp_path / "c").tree / "big").read_bytes() == content


class Impatient(Silent):
    def update(self, doing: str) -> None:
        raise KeyboardInterrupt


def test_a_long_copy_tells_its_progress_and_can_be_interrupted(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(copies, "_TOLD_S", 0.01)
    (tmp_path / "in").mkdir()
    with (tmp_path / "in/big").open("wb") as file:
        file.truncate(2**40)  # of holes; the copy would have none
    inputs = Inputs(folder=tmp_path / "in", materials=(material("big"),), findings=())
    with pytest.raises(KeyboardInterrupt):
        inputs.copy_into(tmp_path / "tree", Impatient())
    assert (tmp_path / "tree/big").stat().st_size < 2**33
    (tmp_path / "tree/big").unlink()


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", ".", ".git/hooks/x"])
def test_a_path_that_leaves_the_tree_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(RestoreError):
        check_path(path)
    with pytest.raises(RestoreError):
        remove_inside(tmp_path, path)


def test_a_symlink_of_the_tree_leads_no_input_outside(inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/images").symlink_to(tmp_path / "outside")
    inputs.copy_into(tmp_path / "tree")  # the link itself is replaced
    assert not list((tmp_path / "outside").iterdir())
    (tmp_path / "tree/sub").symlink_to(tmp_path / "outside")
    (inputs.folder / "sub").mkdir()
    (inputs.folder / "sub/x").write_text("x")
    inner = Inputs(folder=inputs.folder, materials=(material("sub/x"),), findings=())
    with pytest.raises(RestoreError, match="leads it outside"):
        inner.copy_into(tmp_path / "tree")


def test_a_symlink_among_restored_files_is_refused(inputs: Inputs, tmp_path: Path) -> None:
    (inputs.folder / "images/link").symlink_to("/etc/passwd")
    with pytest.raises(RestoreError, match="no regular file"):
        inputs.copy_into(tmp_path / "tree")


def test_what_was_not_changed_is_not_read_again(own: OwnCopies, inputs: Inputs) -> None:
    shutil.rmtree(inputs.folder)  # a comparison would fail
    assert own.changed(most=3) == ([], 0)


def test_another_owner_or_mode_is_no_change(own: OwnCopies) -> None:
    (own.tree / "train.csv").chmod(0o600)
    assert own.changed(most=3) == ([], 0)


def test_a_change_is_told_with_both_digests_also_where_the_time_was_set_back(
    own: OwnCopies,
) -> None:
    path = own.tree / "train.csv"
    before = path.stat()
    path.write_text("y,x\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    told, count = own.changed(most=3)
    assert count == 1
    assert (told[0].path, told[0].expected, told[0].found) == (
        *("train.csv", digest("x,y\n"), digest("y,x\n")),
    )


def test_what_was_removed_or_replaced_is_told(own: OwnCopies, tmp_path: Path) -> None:
    (own.tree / "train.csv").unlink()
    (own.tree / "train.csv").symlink_to(own.folder / "train.csv")  # even to the same content
    (own.tree / "images/1.txt").unlink()
    (own.tree / "images/deep").rename(tmp_path / "moved")
    (own.tree / "images/deep").symlink_to(tmp_path / "moved")
    told, count = own.changed(most=2)
    assert count == 3
    found = {each.path: each.found for each in own.changed(most=5)[0]}
    assert found == {
        "train.csv": "a symlink",
        "images/1.txt": "nothing",
        "images/deep/2.sh": "a symlink that leads out of the tree",
    }
    assert len(told) == 2


def test_added_files_are_listed_by_no_symlink(own: OwnCopies, tmp_path: Path) -> None:
    (own.tree / "images/cache.bin").write_text("made")
    assert own.changed(most=3) == ([], 0)
    assert own.added() == ["images/cache.bin"]
    shutil.rmtree(own.tree / "images")
    (own.tree / "images").symlink_to("/etc")
    assert own.added() == []
