"""git LFS's objects by their digest, with the real git-lfs."""

import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest

from reprocheck import datastores, lfs_files, placeholders, source
from reprocheck.config import Config
from reprocheck.data_rules import DataRule
from reprocheck.datastores import Around
from reprocheck.datastores.choice import choose
from reprocheck.errors import RestoreError
from reprocheck.model import CodeState, Material, Origin, OriginKind, RunRecord, TreeState
from reprocheck.progress import Silent
from tests.conftest import Repo, need, set_author, snapshot
from tests.reporters.builders import make_record

OLD, NEW = b"old\n" * 500, b"new\n" * 400
TAG = Origin(kind=OriginKind.TAG, where="reprocheck.data")
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose data in LFS changed once, and the remote that has both contents."""
    need("git-lfs")
    root = tmp_path_factory.mktemp("lfs")
    with pytest.MonkeyPatch.context() as patch:
        set_author(patch)
        Repo(root / "origin").git("config", "core.bare", "true")
        repo = Repo(root / "repo")
        repo.git("lfs", "install", "--local")
        repo.git("lfs", "track", "*.csv")
        repo.write({"empty file.csv": "", "large.csv.txt": "x" * 2000})
        repo.commit({"data/train ü.csv": OLD})
        repo.commit({"data/train ü.csv": NEW})
        repo.git("remote", "add", "origin", "../origin")
        repo.git("push", "--quiet", "origin", "main")
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """A copy of it that the test may damage."""
    shutil.copytree(made, tmp_path / "made", symlinks=True)
    return tmp_path / "made"


@pytest.fixture
def around(project: Path, tmp_path: Path) -> Around:
    """A checkout of it, as the stage before makes it."""
    repo = Repo.at(project / "repo")
    code = CodeState(
        commit=repo.git("rev-parse", "HEAD"),
        repository=None,
        branch=None,
        script=None,
        entry_point=None,
        patch=None,
        tree=TreeState.CLEAN,
    )
    asked = source.CheckoutRequest(
        code=code, repo=None, cwd=repo.path, env=ENV, tree=tmp_path / "tree"
    )
    made = source.checkout(asked, Silent())
    return Around(tree=made.tree, repository=made.repository, folder=repo.path, env=ENV)


def recorded(content: bytes, path: str = "data/train ü.csv") -> Material:
    return Material(
        path=path, algorithm="sha256", digest=sha256(content), size=None, files=None, origin=TAG
    )


def chosen(record: RunRecord, around: Around, *rules: DataRule):
    return choose(record, Config(data=rules), around.tree, placeholders.substitute, around)


def kept(root: Path, content: bytes) -> Path:
    oid = sha256(content)
    folder = root / "lfs/objects" if (root / "lfs").is_dir() else root / ".git/lfs/objects"
    return folder / oid[:2] / oid[2:4] / oid


def restore(around: Around, tmp_path: Path, *materials: Material) -> bytes:
    datastores.restore(materials, tmp_path / "inputs", around)
    return (tmp_path / "inputs" / materials[0].path).read_bytes()


def test_pointers_are_read_from_the_commit(around: Around) -> None:
    tracked = lfs_files.tracked(around.tree, ENV)
    assert {path: (item.digest, item.size) for path, item in tracked.items()} == {
        "data/train ü.csv": (sha256(NEW), len(NEW))
    }


def test_what_is_no_pointer_is_none() -> None:
    assert lfs_files.parse(b"x,y\n1,2\n") is None
    assert lfs_files.parse(lfs_files.pointer_of("z" * 64, 1)) is None
    assert lfs_files.parse(lfs_files.pointer_of("a" * 64, 1)) == lfs_files.Pointer(
        oid="a" * 64, size=1
    )


def test_an_input_that_the_config_names_is_proved_by_its_pointer(
    around: Around, tmp_path: Path
) -> None:
    record = make_record(data=())
    assert chosen(record, around)[0] == ()
    (material,), findings = chosen(record, around, DataRule(path="data/train ü.csv"))
    assert (material.algorithm, material.digest) == ("sha256", sha256(NEW))
    assert findings == ()
    assert restore(around, tmp_path, material) == NEW


def test_a_folder_that_the_config_names_is_proved_file_by_file(
    around: Around, tmp_path: Path
) -> None:
    (around.tree / "data/readme").write_text("beside")
    (material,), _ = chosen(make_record(data=()), around, DataRule(path="data"))
    assert material.listing == {"train ü.csv": sha256(NEW)}
    datastores.restore((material,), tmp_path / "inputs", around)
    assert (tmp_path / "inputs/data/train ü.csv").read_bytes() == NEW
    assert (tmp_path / "inputs/data/readme").read_text() == "beside"


def test_a_recorded_digest_that_a_pointer_names_is_of_that_file(around: Around) -> None:
    record = make_record(data=(recorded(NEW, "/home/me/train.csv"),))
    (material,), findings = chosen(record, around)
    assert material.path == "data/train ü.csv"
    assert findings == ()


def test_the_logged_content_is_restored_from_the_users_store_and_the_difference_told(
    around: Around, project: Path, tmp_path: Path
) -> None:
    (material,), findings = chosen(make_record(data=(recorded(OLD),)), around)
    assert [finding.code for finding in findings] == ["data-differs"]
    shutil.rmtree(project / "origin")
    before = snapshot(project)
    assert restore(around, tmp_path, material) == OLD
    assert snapshot(project) == before


@pytest.mark.parametrize("size", [None, len(OLD)])
def test_the_logged_content_is_restored_from_the_remote(
    around: Around, project: Path, tmp_path: Path, size: int | None
) -> None:
    corrupted = kept(project / "repo", OLD)
    corrupted.chmod(0o644)
    corrupted.write_bytes(OLD[:-1] + b"!")
    before = snapshot(project)
    material = Material(
        path="data/x", algorithm="sha256", digest=sha256(OLD), size=size, files=None, origin=TAG
    )
    assert restore(around, tmp_path, material) == OLD
    assert snapshot(project) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(OLD[:-1] + b"!"), "corrupted, expected sha256"),
        (lambda path: path.write_bytes(OLD[:-1]), f"found {sha256(OLD[:-1])}"),
        (lambda path: path.write_bytes(NEW), f"found {sha256(NEW)}"),
        (lambda path: path.unlink(), "not there"),
    ],
    ids=["bit flipped", "truncated", "swapped", "missing"],
)
def test_a_damaged_object_is_refused(
    around: Around, project: Path, tmp_path: Path, damage, said: str
) -> None:
    mine, theirs = kept(project / "repo", OLD), kept(project / "origin/.git", OLD)
    for path in (mine, theirs):
        path.chmod(0o644)
        damage(path)
    before = snapshot(project)
    with pytest.raises(RestoreError) as caught:
        restore(around, tmp_path, recorded(OLD))
    for words in ("data/train ü.csv", sha256(OLD), said, "remote 'origin'", TAG.where):
        assert words in caught.value.message
    assert not (tmp_path / "inputs/data/train ü.csv").exists()
    assert snapshot(project) == before


def test_an_object_of_another_size_than_recorded_is_refused(around: Around, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match=r"and 7 bytes, found"):
        restore(around, tmp_path, dataclasses.replace(recorded(OLD), size=7))


def test_an_object_whose_size_nobody_knows_says_so(around: Around, tmp_path: Path) -> None:
    with pytest.raises(RestoreError, match="size, which git LFS asks for, is unknown"):
        restore(around, tmp_path, recorded(b"never seen"))


def test_a_digest_without_any_lfs_is_looked_for_in_no_store(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    around = Around(tree=repo.path, repository=repo.path, folder=repo.path, env=ENV)
    with pytest.raises(RestoreError, match="no store can look for"):
        restore(around, tmp_path, recorded(OLD))
