"""Every kind of remote, with real servers: nothing wrong passes, and nothing of it is lost."""

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reprocheck import datastores, dvc_files
from reprocheck.datastores import Around, disagreements
from reprocheck.dvc_files import directory_digest
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from tests.conftest import snapshot
from tests.datastores import storages
from tests.datastores.storages import KEY, SECRET, Bucket, Storage

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
                "ssh": lambda: storages.ssh(root / "ssh"),
            }[kind]()
            started[kind] = context.__enter__()
            open_contexts.append(context)
        return root / kind, started[kind]

    yield of
    for context in open_contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def make(servers: Callable[[str], object], request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def made(kind: str) -> Storage:
        folder = tmp_path / "remote"
        for content in (*FILES.values(), listing(FILES), listing(OTHER)):
            suffix = ".dir" if content.startswith(b"[") else ""
            Storage("", folder).put(stored(md5(content) + suffix), content)
        if kind == "local":
            return Storage(str(folder), folder)
        name = f"bucket-{next(NUMBERS)}"
        if kind == "s3":
            options = {"endpointurl": request.getfixturevalue("s3_server").url}
            options |= {"access_key_id": KEY, "secret_access_key": SECRET}
            return Bucket(f"s3://{name}", folder, options)
        root, server = servers(kind)
        if kind == "ssh":
            return Storage(f"ssh://127.0.0.1{folder}", folder, server)
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
    assert not any(each in told for each in (KEY, SECRET))
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


def test_dvc_writes_nothing_anywhere(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "written" / name))
    monkeypatch.setenv("HOME", str(tmp_path / "written/home"))
    storage = make("http")
    beside = around(storage, tmp_path)
    before = snapshot(tmp_path / "repo")
    datastores.restore((material(),), tmp_path / "in", beside)
    assert not (tmp_path / "written").exists()
    assert snapshot(tmp_path / "repo") == before
    assert not list((tmp_path / "tree").iterdir())


def test_an_error_of_a_server_shows_no_login(make: Make, tmp_path: Path) -> None:
    port = storages.free_port()
    storage = Storage(f"http://me:hunter2@127.0.0.1:{port}/x", tmp_path)
    with pytest.raises(RestoreError) as caught:
        restore(storage, tmp_path)
    assert "hunter2" not in caught.value.message
    assert "not there" not in caught.value.message
    assert "Connect" in caught.value.message


def test_credentials_of_the_callers_environment_are_used(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = make("s3")
    for name in ("access_key_id", "secret_access_key"):
        monkeypatch.setenv(f"AWS_{name.upper()}", storage.options.pop(name))
    restore(storage, tmp_path, material(ROW, "2.txt"))
    assert (tmp_path / "in/2.txt").read_bytes() == b"two"


def test_versions_of_a_cloud_are_read_by_their_ids(make: Make, tmp_path: Path) -> None:
    storage = make("s3")
    assert isinstance(storage, Bucket)
    storage.options["version_aware"] = "true"
    on = {"Status": "Enabled"}
    storage.client.put_bucket_versioning(Bucket=storage.bucket, VersioningConfiguration=on)
    ids = {}
    for name, content in (("v.csv", b"old"), ("v.csv", b"new"), ("v/a.txt", b"a")):
        put = storage.client.put_object(Bucket=storage.bucket, Key=name, Body=content)
        ids.setdefault(name, put["VersionId"])
    beside = around(storage, tmp_path)
    outs = (
        {"path": "v.csv", "hash": "md5", "md5": md5(b"old"), "cloud": cloud(ids["v.csv"])},
        {
            "path": "v",
            "hash": "md5",
            "files": [{"relpath": "a.txt", "md5": md5(b"a"), "cloud": cloud(ids["v/a.txt"])}],
        },
    )
    (beside.tree / "v.dvc").write_text(json.dumps({"outs": outs}))
    inputs = datastores.restore(dvc_files.tracked(beside.tree), tmp_path / "in", beside)
    assert (tmp_path / "in/v.csv").read_bytes() == b"old"
    assert (tmp_path / "in/v/a.txt").read_bytes() == b"a"
    assert not inputs.findings


def cloud(version: str) -> dict[str, dict[str, str]]:
    return {"storage": {"etag": "e", "version_id": version}}


def legacy(content: bytes, digest: str, path: str = "t.txt") -> Material:
    origin = Origin(kind=OriginKind.FILE, where="t.txt.dvc at the commit")
    return Material(
        path=path, algorithm="md5-dos2unix", digest=digest, size=None, files=None, origin=origin
    )


WINDOWS, BINARY = b"a\r\nb\r\n", b"\0a\r\nb\r\n"
LONG = b"\r" * ((1 << 20) - 1) + b"\r\n" + b"x\r\n" * 1000  # a CRLF across two chunks
MIXED = b"\r\n" * (1 << 19) + b"\0\r\n"  # text, then a chunk that is none


@pytest.mark.parametrize("content", [WINDOWS, BINARY, LONG, MIXED, b"", b"\xff" * 400 + b"\r\n"])
@pytest.mark.parametrize("kind", ["local", "http"])
def test_hashes_of_dvc_2_are_computed_as_dvc_does(
    make: Make, tmp_path: Path, kind: str, content: bytes
) -> None:
    from dvc_data.hashfile.hash import file_md5

    (tmp_path / "x").write_bytes(content)
    digest = file_md5(str(tmp_path / "x"), name="md5-dos2unix")
    storage = make(kind)
    storage.put(f"{digest[:2]}/{digest[2:]}", content)
    restore(storage, tmp_path, legacy(content, digest))
    assert (tmp_path / "in/t.txt").read_bytes() == content


def test_a_binary_file_with_other_line_ends_is_no_object_of_dvc_2(
    make: Make, tmp_path: Path
) -> None:
    storage = make("local")
    digest = md5(BINARY.replace(b"\r\n", b"\n"))
    storage.put(f"{digest[:2]}/{digest[2:]}", BINARY)
    with pytest.raises(RestoreError, match="corrupted"):
        restore(storage, tmp_path, legacy(BINARY, digest))


def test_a_directory_of_dvc_2_has_its_hashes_inside_too(make: Make, tmp_path: Path) -> None:
    storage = make("local")
    digest = md5(b"a\nb\n")
    rows = json.dumps([{"md5": digest, "relpath": "w.txt"}]).encode()
    whole = f"{md5(rows)}.dir"
    storage.put(f"{digest[:2]}/{digest[2:]}", WINDOWS)
    storage.put(f"{whole[:2]}/{whole[2:]}", rows)
    restore(storage, tmp_path, legacy(rows, whole, "d"))
    assert (tmp_path / "in/d/w.txt").read_bytes() == WINDOWS


def test_a_logged_hash_may_be_one_of_dvc_2_only_where_dvc_2_kept_it(
    make: Make, tmp_path: Path
) -> None:
    storage = make("local")
    digest = md5(b"a\nb\n")
    tag = Origin(kind=OriginKind.TAG, where="data_md5")
    wanted = replace(material(digest, "t.txt"), origin=tag)
    storage.put(stored(digest), WINDOWS)
    with pytest.raises(RestoreError, match="corrupted"):
        restore(storage, tmp_path, wanted)
    storage.remove(stored(digest))
    storage.put(f"{digest[:2]}/{digest[2:]}", WINDOWS)
    restore(storage, tmp_path, wanted)
    assert (tmp_path / "in/t.txt").read_bytes() == WINDOWS


def in_cache(tmp_path: Path, content: bytes, name: bytes | None = None) -> Path:
    path = tmp_path / "repo/.dvc/cache" / stored(md5(content if name is None else name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_cache_is_read_first_and_its_wrong_object_is_passed_over(
    make: Make, tmp_path: Path
) -> None:
    storage = make("http")
    in_cache(tmp_path, b"two")
    wrong = in_cache(tmp_path, b"0ne", b"one")
    storage.put(stored(ROW), b"the remote's is not read")
    inputs = restore(storage, tmp_path)
    assert [finding.code for finding in inputs.findings] == ["data-cache-corrupt"]
    assert str(wrong) in inputs.findings[0].message
    assert (tmp_path / "in/images/a/1.txt").read_bytes() == b"one"
    assert (tmp_path / "in/images/2.txt").read_bytes() == b"two"
    assert wrong.read_bytes() == b"0ne"


@pytest.mark.parametrize("kind", ["local", "http"])
def test_what_no_remote_has_is_told_though_the_cache_has_it(
    make: Make, tmp_path: Path, kind: str
) -> None:
    storage = make(kind)
    storage.remove(stored(ROW))
    in_cache(tmp_path, b"two")
    inputs = restore(storage, tmp_path)
    assert [finding.code for finding in inputs.findings] == ["data-only-in-cache"]


@pytest.mark.parametrize("scheme", ["ssh", "http"])
def test_a_remote_that_does_not_answer_is_not_said_to_lack_it(tmp_path: Path, scheme: str) -> None:
    in_cache(tmp_path, b"two")
    storage = Storage(f"{scheme}://127.0.0.1:{storages.free_port()}/x", tmp_path)
    assert not restore(storage, tmp_path, material(ROW, "2.txt")).findings


def test_the_cache_that_the_users_config_names_counts(make: Make, tmp_path: Path) -> None:
    storage = make("local")
    beside = around(storage, tmp_path)
    storage.remove(stored(ROW))
    in_cache(tmp_path, b"two")
    (tmp_path / "repo/.dvc/cache").rename(tmp_path / "shared")
    (tmp_path / "repo/.dvc/config").write_text("[cache]\ndir = ../../shared\n")
    datastores.restore((material(ROW, "2.txt"),), tmp_path / "in", beside)
    assert (tmp_path / "in/2.txt").read_bytes() == b"two"


def test_files_that_differ_are_named_from_the_lists_alone(make: Make, tmp_path: Path) -> None:
    storage = make("local")
    commit = {"2.txt": b"2", "a/1.txt": b"one", **{f"old{i:02}": b"x" for i in range(12)}}
    rows = listing(commit)
    storage.put(stored(directory_digest(digests(commit))), rows)
    for content in FILES.values():
        storage.remove(stored(md5(content)))  # no file is fetched
    beside = around(storage, tmp_path)
    (beside.tree / "images.dvc").write_text(
        f"outs: [{{path: images, hash: md5, md5: {md5(rows)}.dir}}]"
    )
    told = disagreements((material(),), beside.tree, datastores.stores(beside))[0].message
    assert "1 added (large.bin)" in told
    assert "12 removed (old00, old01" in told
    assert "old09 and 2 more)" in told
    assert "1 changed (2.txt)" in told
    storage.remove(stored(IMAGES))
    told = disagreements((material(),), beside.tree, datastores.stores(beside))[0].message
    assert "the directory list of the run is gone" in told
    told = disagreements((material(),), beside.tree)[0].message  # as with --dry-run
    assert "the recorded one is restored" in told
    assert "list" not in told


def test_a_sha256_does_not_disagree_with_an_md5(tmp_path: Path) -> None:
    (tmp_path / "x.dvc").write_text(f"outs: [{{path: x, hash: md5, md5: {ROW}}}]")
    wanted = replace(material("a" * 64, "x"), algorithm="sha256")
    assert not disagreements((wanted,), tmp_path)
