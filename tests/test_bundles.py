"""The folder of a bundle: what is believed of it, and when."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reprocheck import bundle_writing, schema
from reprocheck.bundles import CONTENTS, FILE, BundledData, BundledFile, open_bundle
from reprocheck.errors import BundleError, MachineError, UsageError
from reprocheck.model import MaterialPlace

TEXT = b"x,y\n1,2\n"


def made(folder: Path) -> str:
    """A bundle with one input; the SHA-256 of its content."""
    with bundle_writing.writing(folder) as writer:
        sha256 = writer.add(TEXT)
        data = BundledData(
            path="data/train.csv",
            place=MaterialPlace.TREE,
            algorithm="sha256",
            digest=sha256,
            source="",
            revision="",
            files=(BundledFile(path="", sha256=sha256, digest=sha256),),
        )
        writer.write((), (data,), {}, {}, frozenset())
    return sha256


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    sha256 = made(tmp_path / "b")
    bundle = open_bundle(tmp_path / "b")
    assert (bundle.content(sha256), bundle.size, bundle.run_ids) == (TEXT, len(TEXT), ())
    assert bundle.data[0].files[0].sha256 == sha256
    document = json.loads((tmp_path / "b" / FILE).read_text())
    assert not schema.check(document, "bundle")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b"]
    made(tmp_path / "b")  # a bundle may be replaced
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b"]


def place(folder: Path, sha256: str) -> Path:
    return folder / CONTENTS / sha256[:2] / sha256


def by_link(path: Path, elsewhere: Path) -> None:
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)


def folder_by_link(path: Path, elsewhere: Path) -> None:
    path.parent.rename(elsewhere)
    path.parent.symlink_to(elsewhere)


BROKEN: dict[str, Callable[[Path, Path], object]] = {
    "is not there": lambda path, _: path.unlink(),
    "has other content": lambda path, _: path.write_bytes(TEXT[::-1]),
    "instead of 8 bytes": lambda path, _: path.write_bytes(b""),
    "is no plain file": lambda path, _: (path.unlink(), os.mkfifo(path)),
    "no plain file instead": by_link,
    "reached by a symbolic link": folder_by_link,
}


@pytest.mark.parametrize("words", BROKEN)
def test_a_content_that_is_not_the_listed_one_is_refused(tmp_path: Path, words: str) -> None:
    sha256 = made(tmp_path / "b")
    BROKEN[words](place(tmp_path / "b", sha256), tmp_path / "elsewhere")
    words = "no plain file instead" if words == "is no plain file" else words
    with pytest.raises(BundleError, match=words) as caught:
        open_bundle(tmp_path / "b").content(sha256)
    assert "reprocheck fetch" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema_version": 2}, "made for a newer reprocheck"),
        ({"files": {"../../etc/passwd": 3}}, "changed or cut off"),
        ({"files": {"A" * 64: 3}}, "changed or cut off"),
        ({"runs": None}, "/runs"),
        ({"more": 1}, "more"),
    ],
)
def test_a_list_that_is_none_of_ours_is_refused(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    made(tmp_path / "b")
    path = tmp_path / "b" / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=words):
        open_bundle(tmp_path / "b")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1, "a": 2}', "\0"])
def test_a_folder_without_a_list_is_no_bundle(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BundleError):
        open_bundle(tmp_path)
    with pytest.raises(BundleError, match="is no bundle"):
        open_bundle(tmp_path / "nowhere")


def test_what_the_list_lacks_is_not_read(tmp_path: Path) -> None:
    made(tmp_path / "b")
    other = "b" * 64
    path = place(tmp_path / "b", other)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"?")
    with pytest.raises(BundleError, match="is not in its list"):
        open_bundle(tmp_path / "b").file(other)


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    sha256 = made(tmp_path / "b")
    with (
        pytest.raises(BundleError, match="at most 20 bytes"),
        bundle_writing.writing(tmp_path / "b", most=20) as writer,
    ):
        writer.add(b"x" * 10)
        writer.add(b"x" * 10)  # the same content is there once
        writer.add(b"y" * 11)
    assert open_bundle(tmp_path / "b").content(sha256) == TEXT
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b"]


@pytest.mark.parametrize("kind", ["file", "folder", "link", "nowhere"])
def test_what_is_no_bundle_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "b"
    match kind:
        case "file":
            target.write_text("mine")
        case "folder":
            target.mkdir()
            (target / "mine").write_text("mine")
        case "link":
            made(tmp_path / "other")
            target.symlink_to(tmp_path / "other")
        case _:
            target = tmp_path / "no" / "b"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError), bundle_writing.writing(target):
        pass
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "empty").mkdir()
    made(tmp_path / "empty")


def test_a_disk_that_is_full_at_the_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(MachineError, match=r"writing the bundle .*No space") as told:
        made(tmp_path / "b")
    assert told.value.hint.startswith("make room")
    assert list(tmp_path.iterdir()) == []
