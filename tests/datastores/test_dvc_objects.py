"""Every kind of remote, with real servers: nothing wrong passes, and nothing of it is lost."""

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reprocheck import datastores
from reprocheck.datastores import Around
from reprocheck.dvc_files import directory_digest
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from tests.datastores import storages
from tests.datastores.storages import KEY, Bucket, Storage

FILES = {"a/1.txt": b"one", "2.txt": b"two", "large.bin": bytes(range(256)) * 10_000}
OTHER = {"2.txt": b"two"}
FILE = Origin(kind=OriginKind.FILE, where="images.dvc at the commit")
KINDS = ("local", "http", "s3", "ssh")

Make = Callable[[str], Storage]


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: md5(content) for name, content in files.items()}


def listing(files: dict[str, bytes]) -> bytes:
    rows = [{"md5": digest, "relpath": name} for name, digest in sorted(digests(files).items())]
    return json.dumps(rows, sort_keys=True).encode()


def stored(digest: str) -> str:
    return f"files/md5/{digest[:2]}/{digest[2:]}"


IMAGES = directory_digest(digests(FILES))


def material(digest: str = IMAGES, path: str = "images", size: int | None = None) -> Material:
    return Material(path=path, algorithm="md5", digest=digest, size=size, files=None, origin=FILE)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], object]]:
    """Each server is started when a test first asks for it."""
    root = tmp_path_factory.mktemp("servers")
    started: dict[str, object] = {}
    open_contexts = []

    def of(kind: str) -> object:
        if kind not in started:
            (root / kind).mkdir()
            context = {
                "http": lambda: storages.web(root / "http"),
                "s3": lambda: storages.s3(root / "s3/log"),
                "ssh": lambda: storages.ssh(root / "ssh"),
            }[kind]()
            started[kind] = context.__enter__()
            open_contexts.append(context)
        return root / kind, started[kind]

    yield of
    for context in open_contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def make(servers: Callable[[str], object], tmp_path: Path) -> Make:
    def made(kind: str) -> Storage:
        folder = tmp_path / "remote"
        for content in (*FILES.values(), listing(FILES), listing(OTHER)):
            suffix = ".dir" if content.startswith(b"[") else ""
            Storage("", folder).put(stored(md5(content) + suffix), content)
        if kind == "local":
            return Storage(str(folder), folder)
        root, server = servers(kind)
        if kind == "ssh":
            return Storage(f"ssh://127.0.0.1{folder}", folder, server)
        name = f"bucket-{next(NUMBERS)}"
        if kind == "s3":
            keys = {"access_key_id": KEY, "secret_access_key": KEY}
            return Bucket(f"s3://{name}", folder, {"endpointurl": server, **keys})
        shutil.move(folder, root / name)
        return Storage(f"{server}/{name}", root / name)

    return made


NUMBERS = itertools.count()


def around(storage: Storage, tmp_path: Path) -> Around:
    repository = tmp_path / "repo"
    (repository / ".dvc").mkdir(parents=True, exist_ok=True)
    # In the local part, as credentials are.
    lines = ["['remote \"storage\"']", f"url = {storage.url}"]
    lines += [f"{name} = {value}" for name, value in storage.options.items()]
    (repository / ".dvc/config.local").write_text("\n".join(lines) + "\n")
    (repository / ".dvc/config").write_text("[core]\nremote = storage\n")
    (tmp_path / "tree").mkdir(exist_ok=True)
    return Around(tree=tmp_path / "tree", repository=repository, folder=repository)


def restore(storage: Storage, tmp_path: Path, wanted: Material | None = None) -> datastores.Inputs:
    return datastores.restore((wanted or material(),), tmp_path / "in", around(storage, tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_comes_back_whole(make: Make, tmp_path: Path, kind: str) -> None:
    storage = make(kind)
    before = storage.holds()
    assert not restore(storage, tmp_path).findings
    for name, content in FILES.items():
        assert (tmp_path / "in/images" / name).read_bytes() == content
    assert storage.holds() == before


def flip(content: bytes) -> bytes:
    return bytes([content[0] ^ 1]) + content[1:]


DAMAGES: dict[str, tuple[str, Callable[[Storage, str], None]]] = {
    "bit": ("2.txt", lambda s, name: s.put(name, flip(FILES["2.txt"]))),
    "writable": ("2.txt", lambda s, name: s.put(name, flip(FILES["2.txt"]), 0o644)),
    "large": ("large.bin", lambda s, name: s.put(name, flip(FILES["large.bin"]))),
    "truncated": ("large.bin", lambda s, name: s.put(name, FILES["large.bin"][:-1])),
    "empty": ("a/1.txt", lambda s, name: s.put(name, b"")),
    "gone": ("a/1.txt", lambda s, name: s.remove(name)),
    "swapped": ("", lambda s, name: s.put(name, listing(OTHER))),
    "list": ("", lambda s, name: s.remove(name)),
}


# What is read is judged in one way: of the slower ones, some.
CASES = [("local", damage) for damage in DAMAGES]
CASES += [(kind, each) for kind in KINDS[1:] for each in ("bit", "truncated", "gone", "swapped")]


@pytest.mark.parametrize(("kind", "damage"), CASES)
def test_damage_is_caught_and_nothing_is_lost(
    make: Make, tmp_path: Path, kind: str, damage: str
) -> None:
    storage = make(kind)
    name, do = DAMAGES[damage]
    digest = md5(FILES[name]) if name else IMAGES
    do(storage, stored(digest))
    before = storage.holds()
    with pytest.raises(RestoreError) as caught:
        restore(storage, tmp_path)
    told = caught.value.message
    assert f"images/{name}".rstrip("/") in told
    assert digest in told
    assert "DVC remote 'storage': " in told
    found = "not there" if damage in ("gone", "list") else "has MD5 "
    assert found in told
    assert KEY not in told
    assert storage.holds() == before
    if name:
        assert not (tmp_path / "in/images" / name).exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_size_in_the_record_is_told(make: Make, tmp_path: Path, kind: str) -> None:
    wanted = material(md5(b"two"), "2.txt", size=999)
    findings = restore(make(kind), tmp_path, wanted).findings
    assert [finding.code for finding in findings] == ["data-size-differs"]
    assert "3 bytes" in findings[0].message
    assert "999" in findings[0].message


def plant(storage: Storage, tmp_path: Path, digest: str, leads_to: Path) -> None:
    path = storage.folder / stored(digest)
    path.unlink(missing_ok=True)
    path.symlink_to(leads_to)


@pytest.mark.parametrize("content", [b"two", b"wrong"])
def test_a_symlink_out_of_a_local_remote_is_refused(
    make: Make, tmp_path: Path, content: bytes
) -> None:
    storage = make("local")
    (tmp_path / "outside").write_bytes(content)
    plant(storage, tmp_path, md5(b"two"), tmp_path / "outside")
    before = storage.holds()
    with pytest.raises(RestoreError, match=r"2\.txt .*symlink that leads out"):
        restore(storage, tmp_path)
    assert storage.holds() == before


def test_a_folder_of_objects_that_leads_out_of_a_local_remote_is_refused(
    make: Make, tmp_path: Path
) -> None:
    storage = make("local")
    folder = (storage.folder / stored(md5(b"two"))).parent
    shutil.move(folder, tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    with pytest.raises(RestoreError, match="symlink that leads out"):
        restore(storage, tmp_path)


def test_a_remote_reached_by_a_symlink_and_symlinks_inside_are_fine(
    make: Make, tmp_path: Path
) -> None:
    storage = make("local")
    (storage.folder / "copy").write_bytes(b"two")
    plant(storage, tmp_path, md5(b"two"), storage.folder / "copy")
    (tmp_path / "link").symlink_to(storage.folder)
    restore(Storage(str(tmp_path / "link"), storage.folder), tmp_path)
    assert (tmp_path / "in/images/2.txt").read_bytes() == b"two"
    assert not (tmp_path / "in/images/2.txt").is_symlink()


@pytest.mark.parametrize("kind", ["http", "ssh"])
def test_a_symlink_on_a_server_is_judged_by_what_it_leads_to(
    make: Make, tmp_path: Path, kind: str
) -> None:
    storage = make(kind)
    (tmp_path / "outside").write_bytes(b"wrong")
    plant(storage, tmp_path, md5(b"two"), tmp_path / "outside")
    before = storage.holds()
    with pytest.raises(RestoreError, match=r"2\.txt .*has MD5"):
        restore(storage, tmp_path)
    assert storage.holds() == before


def test_a_planted_pipe_is_not_waited_for(make: Make, tmp_path: Path) -> None:
    import os

    storage = make("local")
    path = storage.folder / stored(md5(b"two"))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RestoreError, match="no regular file"):
        restore(storage, tmp_path)


ROW = md5(b"two")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("/etc/x", ROW)], "outside"),
        ([("a/../../x", ROW)], "outside"),
        ([("x", ROW), ("x", ROW)], "twice"),
        ([("x", ROW), ("x/y", ROW)], "both as a file and as a folder"),
        ([("a\0b", ROW)], "control character"),
        ([("a\nb", ROW)], "control character"),
        ([("a\\..\\b", ROW)], "backslash"),
        ([("a//b", ROW)], "no plain path"),
        ([("./a", ROW)], "no plain path"),
        ([("", ROW)], "no name"),
        ([(7, ROW)], "no name"),
        ([("a" * 300, ROW)], "too long"),
        ([("a", "../../../../../../../../etc/pass")], "no MD5"),
        ([("a", None)], "no MD5"),
    ],
)
def test_a_list_that_dvc_would_not_make_is_refused(
    make: Make, tmp_path: Path, rows: list[tuple[object, object]], said: str
) -> None:
    storage = make("local")
    content = json.dumps([{"relpath": name, "md5": digest} for name, digest in rows]).encode()
    digest = f"{md5(content)}.dir"
    storage.put(stored(digest), content)
    with pytest.raises(RestoreError, match=said) as caught:
        restore(storage, tmp_path, material(digest))
    assert not {"\0", "\n"} & set(caught.value.message)
    assert not (tmp_path / "in/images").exists()


def test_an_error_of_a_server_shows_no_login(make: Make, tmp_path: Path) -> None:
    port = storages.free_port()
    storage = Storage(f"http://me:hunter2@127.0.0.1:{port}/x", tmp_path)
    with pytest.raises(RestoreError) as caught:
        restore(storage, tmp_path)
    assert "hunter2" not in caught.value.message


def test_credentials_of_the_callers_environment_are_used(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make("s3")
    for name in ("access_key_id", "secret_access_key"):
        monkeypatch.setenv(f"AWS_{name.upper()}", storage.options.pop(name))
    restore(storage, tmp_path, material(ROW, "2.txt"))
    assert (tmp_path / "in/2.txt").read_bytes() == b"two"
