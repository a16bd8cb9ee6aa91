"""Inputs out of a bundle: proved again, and asked for nowhere else."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from reprocheck import bundle_writing, datastores, dvc_files
from reprocheck.bundles import Bundle, BundledData, BundledFile, open_bundle
from reprocheck.datastores import Around, places
from reprocheck.datastores.bundle import bundled, revision_of
from reprocheck.datastores.unpinned import UNPINNED
from reprocheck.errors import RestoreError
from reprocheck.model import Material, MaterialPlace, Origin, OriginKind
from tests.datastores.conftest import Restore
from tests.datastores.hub import COMMIT, lay

ORIGIN = Origin(kind=OriginKind.FILE, where="x.dvc at the commit")
TEXT = b"x,y\r\n1,2\r\n"


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def material(digest: str, algorithm: str = "md5", **changes: object) -> Material:
    given = {"path": "data/x.csv", "size": None, "files": None, "origin": ORIGIN, **changes}
    return Material(algorithm=algorithm, digest=digest, **given)  # type: ignore[arg-type]


def put(
    folder: Path,
    wanted: Material,
    content: dict[str, bytes],
    listing: dict[str, str] | None = None,
    target: Path | None = None,
) -> Bundle:
    """A bundle with an input as it was restored."""
    if target is None:
        target = folder / "restored"
        for name, text in content.items():
            path = target / name if name else target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
    with bundle_writing.writing(folder / "bundle") as writer:
        data = BundledData(
            path=wanted.path,
            place=wanted.place,
            algorithm=wanted.algorithm,
            digest=wanted.digest,
            source="",
            revision=revision_of(wanted, target),
            files=tuple(
                BundledFile(path=name, sha256=writer.add_file(path), digest=digest)
                for name, path, digest in bundled(wanted, target, listing)
            ),
        )
        lists = {wanted.digest: listing} if listing else {}
        writer.write((), (data,), lists, {}, frozenset())
    return open_bundle(folder / "bundle")


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("md5", md5(TEXT)),
        ("md5", md5(TEXT.replace(b"\r", b""))),  # of DVC 2, which nothing says
        ("md5-dos2unix", md5(TEXT.replace(b"\r", b""))),
        ("sha256", sha256(TEXT)),
    ],
)
def test_a_file_comes_back_whatever_it_is_called(
    tmp_path: Path, restore: Restore, algorithm: str, digest: str
) -> None:
    wanted = material(digest, algorithm)
    bundle = put(tmp_path, wanted, {"": TEXT})
    restore(dataclasses.replace(wanted, path="other/name.csv"), bundle=bundle)
    assert (tmp_path / "inputs/other/name.csv").read_bytes() == TEXT


def test_a_folder_of_dvcs_comes_back_by_its_list(tmp_path: Path, restore: Restore) -> None:
    files = {"a/1.txt": b"one", "2.txt": b"two"}
    listing = {name: md5(text) for name, text in files.items()}
    wanted = material(dvc_files.directory_digest(listing), path="images")
    bundle = put(tmp_path, wanted, files, listing)
    restore(wanted, bundle=bundle)
    assert {
        path.relative_to(tmp_path / "inputs/images").as_posix(): path.read_bytes()
        for path in (tmp_path / "inputs/images").rglob("*.txt")
    } == files
    other = dataclasses.replace(bundle, lists={wanted.digest: listing | {"3.txt": md5(b"")}})
    with pytest.raises(RestoreError, match="the list of its files is not that of"):
        restore(wanted, bundle=other)


def test_the_records_digest_counts_and_not_the_bundles_word(
    tmp_path: Path, restore: Restore
) -> None:
    wanted = material(md5(TEXT))
    bundle = put(tmp_path, wanted, {"": TEXT})
    forged = dataclasses.replace(bundle.data[0], digest=md5(b"other"))
    with pytest.raises(RestoreError, match="expected md5") as caught:
        restore(material(md5(b"other")), bundle=dataclasses.replace(bundle, data=(forged,)))
    assert "reprocheck fetch" in caught.value.hint
    assert not any(each.is_file() and each.read_bytes() == b"other" for each in _all(tmp_path))


def _all(folder: Path) -> list[Path]:
    return list((folder / "inputs").rglob("*"))


def test_what_a_bundle_lacks_is_asked_for_nowhere_else(tmp_path: Path, restore: Restore) -> None:
    bundle = put(tmp_path, material(md5(TEXT)), {"": TEXT})
    near = tmp_path / "near.csv"
    near.write_bytes(b"near")
    config = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml:3")
    wanted = material(sha256(b"near"), "sha256", source=str(near), origin=config, path="near.csv")
    with pytest.raises(RestoreError, match="does not hold it at sha256") as caught:
        restore(wanted, bundle=bundle)
    assert "near.csv" in caught.value.message
    assert "reprocheck fetch" in caught.value.hint
    (tmp_path / "tree/near.csv").write_bytes(b"near")  # git brought it
    restore(wanted, bundle=bundle)
    assert (tmp_path / "inputs/near.csv").read_bytes() == b"near"


def test_a_manifests_files_come_with_those_that_git_has_beside(
    tmp_path: Path, restore: Restore
) -> None:
    files = {"a.txt": b"a", "b/c.txt": b"c"}
    listing = {name: sha256(text) for name, text in files.items()}
    wanted = material("f" * 64, "sha256", path="data", listing=listing)
    (tmp_path / "tree/data").mkdir(parents=True)
    (tmp_path / "tree/data/README").write_text("read me")
    bundle = put(tmp_path, wanted, files)
    restore(wanted, bundle=bundle)
    assert (tmp_path / "inputs/data/b/c.txt").read_bytes() == b"c"
    assert (tmp_path / "inputs/data/README").read_text() == "read me"


def test_what_no_digest_names_is_found_by_its_place_alone(tmp_path: Path, restore: Restore) -> None:
    wanted = material(UNPINNED, "sha256", path=".cache/w.pt", place=MaterialPlace.HOME)
    bundle = put(tmp_path, wanted, {"": TEXT})
    restore(wanted, bundle=bundle)
    target = places.target_of(tmp_path / "inputs", wanted)
    assert target.read_bytes() == TEXT
    with pytest.raises(RestoreError, match="does not hold it"):
        restore(dataclasses.replace(wanted, path=".cache/v.pt"), bundle=bundle)


@pytest.mark.parametrize("revision", [COMMIT, "main"])
def test_a_snapshot_of_the_hub_is_laid_again(
    tmp_path: Path, restore: Restore, revision: str
) -> None:
    files = {"config.json": b"{}", "sub/model.bin": b"weights"}
    lay(tmp_path / "theirs", "models--org--tiny", files, large=("sub/model.bin",))
    wanted = material(
        revision,
        "commit",
        path="models--org--tiny",
        source="hf://org/tiny",
        place=MaterialPlace.HUB,
    )
    env = {"PATH": os.environ["PATH"], "HF_HUB_CACHE": str(tmp_path / "theirs")}
    around = Around(tree=tmp_path, folder=tmp_path, env=env, cache=tmp_path / "cache")
    datastores.restore((wanted,), tmp_path / "first/inputs", around)
    target = places.target_of(tmp_path / "first/inputs", wanted)
    bundle = put(tmp_path, wanted, {}, target=target)
    restore(wanted, bundle=bundle)
    laid = places.target_of(tmp_path / "inputs", wanted)
    for name, text in files.items():
        assert (laid / "snapshots" / COMMIT / name).read_bytes() == text
    assert (laid / "refs/main").read_text() == COMMIT
