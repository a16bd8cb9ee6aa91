"""Folders by a manifest: each file is brought and proved by itself."""

import hashlib
from pathlib import Path

import pytest

from reprocheck.datastores.manifests import parse
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from tests.conftest import Repo, snapshot
from tests.datastores.conftest import Restore
from tests.datastores.servers import Folder, Shelf, Site

FILES = {f"{i % 3}/image {i}#?.png": f"image {i}".encode() * 100 for i in range(8)}
CONFIG = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml: SUMS")


def sums(files: dict[str, bytes], algorithm: str = "sha256") -> bytes:
    lines = [f"{hashlib.new(algorithm, text).hexdigest()} *{name}" for name, text in files.items()]
    return "\n".join(lines).encode()


def folder(source: str, files: dict[str, bytes] | None = None, algorithm: str = "sha256"):
    content = sums(FILES if files is None else files, algorithm)
    listing = parse(content, "SUMS", "images")
    return Material(
        path="images",
        algorithm=algorithm,
        digest=hashlib.sha256(content).hexdigest(),
        size=None,
        files=len(listing.files),
        origin=CONFIG,
        source=source,
        listing=listing.files,
    )


def brought(tmp_path: Path) -> dict[str, bytes]:
    root = tmp_path / "inputs/images"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def fill(shelf: Shelf) -> None:
    for name, content in FILES.items():
        shelf.put(name, content)


@pytest.mark.parametrize("shelf", ["path", "http", "s3", "lakefs"], indirect=True)
def test_the_listed_files_are_brought_and_no_others(
    shelf: Shelf, restore: Restore, tmp_path: Path
) -> None:
    fill(shelf)
    shelf.put("0/unlisted.png", b"?")
    before = shelf.content()
    restore(folder(shelf.address), env=shelf.env)
    assert brought(tmp_path) == FILES
    assert shelf.content() == before


def test_every_file_that_is_wrong_is_counted_and_the_first_are_named(
    shelf: Shelf, restore: Restore, tmp_path: Path
) -> None:
    fill(shelf)
    names = sorted(FILES)
    flipped, cut, gone, swapped, other = names[:5]
    shelf.put(flipped, bytes([FILES[flipped][0] ^ 1]) + FILES[flipped][1:])
    shelf.put(cut, FILES[cut][:-1])
    shelf.remove(gone)
    shelf.put(swapped, FILES[other])
    shelf.put(other, FILES[swapped])
    shelf.put(names[5], b"")
    before = shelf.content()
    with pytest.raises(RestoreError) as caught:
        restore(folder(shelf.address), env=shelf.env)
    said = caught.value.message
    assert "restoring images from" in said
    assert "6 of 8 files are not what the manifest says" in said
    assert f"{gone} is missing" in said
    for name in (flipped, cut, swapped, other):
        assert f"{name}: expected sha256 {hashlib.sha256(FILES[name]).hexdigest()}, found" in said
    assert f"({len(FILES[cut]) - 1} bytes)" in said
    assert names[5] not in said
    assert "and 1 more" in said
    assert not (tmp_path / "inputs/images").exists()
    assert shelf.content() == before


def test_a_symlink_that_leads_out_of_the_folder_is_refused(
    restore: Restore, tmp_path: Path
) -> None:
    shelf = Folder(tmp_path / "kept")
    fill(shelf)
    first = sorted(FILES)[0]
    (tmp_path / "secret").write_bytes(FILES[first])  # even of the right content
    (tmp_path / "kept" / first).unlink()
    (tmp_path / "kept" / first).symlink_to(tmp_path / "secret")
    before = snapshot(tmp_path / "kept")
    with pytest.raises(RestoreError, match="a symlink leads it outside"):
        restore(folder(shelf.address))
    assert not (tmp_path / "inputs/images").exists()
    assert snapshot(tmp_path / "kept") == before


def test_a_folder_that_is_a_symlink_is_the_users_word(restore: Restore, tmp_path: Path) -> None:
    fill(Folder(tmp_path / "kept"))
    (tmp_path / "link").symlink_to("kept")
    restore(folder("link"))
    assert brought(tmp_path) == FILES


def test_a_server_that_refuses_is_not_asked_for_each_file(site: Site, restore: Restore) -> None:
    site.fail = ["401"] * 99
    files = {str(i): b"" for i in range(90)}
    with pytest.raises(RestoreError, match="refuses us"):
        restore(folder(site.address, files))
    assert len(site.asked) < 50


def test_without_an_address_git_has_the_files_and_those_beside_them(
    restore: Restore, tmp_path: Path
) -> None:
    tree = Folder(tmp_path / "tree/images")
    fill(tree)
    tree.put("SUMS", b"the list")
    (tmp_path / "tree/images/link").symlink_to("/etc/hosts")
    restore(folder(""))
    assert brought(tmp_path) == FILES | {"SUMS": b"the list"}
    tree.put(sorted(FILES)[0], b"changed")
    with pytest.raises(RestoreError, match=r"1 of 8 files.*found"):
        restore(folder(""))


def test_without_an_address_dvc_has_the_files_by_their_md5(
    restore: Restore, tmp_path: Path
) -> None:
    repo = Repo(tmp_path / "tree")
    repo.write({"images/0": b"zero"})
    files = {"0": b"zero", "1": b"one", "2": b"two"}
    digest = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    objects = tmp_path / "storage/files/md5"
    for name in ("1", "2"):
        path = objects / digest[name][:2] / digest[name][2:]
        path.parent.mkdir(parents=True)
        path.write_bytes(files[name])
    repo.write({".dvc/config": f"[core]\nremote = s\n['remote \"s\"']\nurl = {tmp_path}/storage\n"})
    restore(folder("", files, "md5"))
    assert brought(tmp_path) == files
    (objects / digest["2"][:2] / digest["2"][2:]).unlink()
    with pytest.raises(RestoreError, match="1 of 3 files") as caught:
        restore(folder("", files, "md5"))
    assert digest["2"] in caught.value.message
