"""Files by their address: what is there is proved, wherever it is."""

import dataclasses
import hashlib
import os
import tracemalloc
from pathlib import Path

import pytest

from reprocheck.datastores.addresses import shown
from reprocheck.errors import RestoreError
from reprocheck.model import Material, Origin, OriginKind
from reprocheck.progress import Silent, growth
from tests.datastores.conftest import Restore
from tests.datastores.servers import COMMIT, S3, Objects, Shelf, Site

ROWS = b"x,y\n" + b"1,2\n" * 5000
CONFIG = Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml: abc")


def material(address: str, content: bytes = ROWS, algorithm: str = "sha256", **more) -> Material:
    given = {"path": "data/train.csv", "size": None, "files": None, "origin": CONFIG}
    digest = hashlib.new(algorithm, content).hexdigest()
    return Material(**given | {"algorithm": algorithm, "digest": digest, "source": address} | more)


def restored(tmp_path: Path) -> Path:
    return tmp_path / "inputs/data/train.csv"


@pytest.mark.parametrize("shelf", ["path", "http", "s3", "lakefs"], indirect=True)
def test_a_file_is_brought(shelf: Shelf, restore: Restore, tmp_path: Path) -> None:
    shelf.put("train #1?.csv", ROWS)
    before = shelf.content()
    name = "train #1?.csv" if "http" not in shelf.address else "train%20%231%3F.csv"
    restore(material(f"{shelf.address}/{name}", algorithm="md5"), env=shelf.env)
    assert restored(tmp_path).read_bytes() == ROWS
    assert shelf.content() == before


def test_how_much_has_come_is_told_while_it_comes(
    site: Site, restore: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Told(Silent):
        def update(self, doing: str) -> None:
            told.append(doing)
            if doing.startswith("["):
                site.go.set()

    told: list[str] = []
    monkeypatch.setattr(growth, "_EVERY_S", 0.01)
    content = bytes(4_000_000)
    site.put("train.csv", content)
    site.fail.append("wait")
    wanted = material(f"{site.address}/train.csv", content, size=len(content))
    restore(wanted, progress=Told())
    assert site.go.is_set()
    assert told[0] == "data/train.csv (1 of 1)"
    bars = [line for line in told if line.startswith("[")]
    assert bars[0].partition("\n")[0].endswith(" of 4 MB")
    assert bars[0].partition("\n")[2] == "data/train.csv (1 of 1)"


@pytest.mark.parametrize(
    ("kept", "size", "said"),
    [
        (bytes([ROWS[0] ^ 1]) + ROWS[1:], None, "found"),
        (ROWS[:-1], None, f"{len(ROWS) - 1} bytes"),
        (None, None, "not there"),
        (ROWS, 7, "and 7 bytes"),
    ],
    ids=["bit flipped", "truncated", "missing", "wrong size"],
)
def test_what_is_not_the_file_is_refused_and_nothing_is_left(
    shelf: Shelf, restore: Restore, tmp_path: Path, kept: bytes | None, size: int | None, said: str
) -> None:
    shelf.put("other.csv", b"other")
    if kept is not None:
        shelf.put("train.csv", kept)
    before = shelf.content()
    wanted = material(f"{shelf.address}/train.csv", size=size)
    with pytest.raises(RestoreError) as caught:
        restore(wanted, env=shelf.env)
    for words in ("data/train.csv", wanted.digest, shown(shelf.address), CONFIG.where, said):
        assert words in caught.value.message
    if kept is not None:
        assert hashlib.sha256(kept).hexdigest() in caught.value.message
    assert not restored(tmp_path).exists()
    assert shelf.content() == before


def test_a_lakefs_commit_alone_names_a_file_and_that_is_told(
    s3_server: S3, restore: Restore, tmp_path: Path
) -> None:
    shelf = Objects(s3_server, "only-commit", lakefs=True)
    shelf.put("train.csv", ROWS)
    address = f"{shelf.address}/train.csv"
    inputs = restore(
        dataclasses.replace(material(address), algorithm="lakefs", digest=COMMIT), env=shelf.env
    )
    assert restored(tmp_path).read_bytes() == ROWS
    (finding,) = inputs.findings
    assert finding.code == "only-commit-id"
    assert hashlib.sha256(ROWS).hexdigest() in finding.message
    assert COMMIT[:12] in finding.message


def test_lakefs_without_a_login_says_which_variables_are_missing(restore: Restore) -> None:
    with pytest.raises(RestoreError) as caught:
        restore(material("lakefs://repo/main/x"), env={"LAKECTL_SERVER_ENDPOINT_URL": "http://x"})
    assert "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY" in caught.value.hint
    assert "ENDPOINT" not in caught.value.hint


def test_a_relative_path_counts_from_the_configs_folder(restore: Restore, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(ROWS)
    restore(material("mine.csv"))
    restored(tmp_path).unlink()
    restore(material("file://mine.csv"))
    assert restored(tmp_path).read_bytes() == ROWS


def test_the_named_path_may_be_a_symlink(restore: Restore, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(ROWS)
    (tmp_path / "mine.csv").symlink_to("real.csv")
    restore(material("mine.csv"))
    assert restored(tmp_path).read_bytes() == ROWS
    assert not restored(tmp_path).is_symlink()


def test_what_is_no_plain_file_is_refused_and_not_waited_for(
    restore: Restore, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, said in (("pipe", "no plain file"), (".", "is a folder"), ("/dev/zero", "no plain")):
        with pytest.raises(RestoreError, match=said):
            restore(material(name))
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(RestoreError, match="loop"):
        restore(material("loop"))


@pytest.mark.parametrize(
    ("status", "said", "hint"),
    [("401", "refuses us", "netrc"), ("403", "refuses us", "netrc"), ("418", "HTTP 418", "")],
)
def test_a_web_server_that_refuses_is_asked_once(
    site: Site, restore: Restore, status: str, said: str, hint: str
) -> None:
    site.fail = [status]
    with pytest.raises(RestoreError, match=said) as caught:
        restore(material(f"{site.address}/train.csv"))
    assert hint in caught.value.hint
    assert len(site.asked) == 1


def test_a_web_server_that_fails_for_a_while_is_asked_again(
    site: Site, restore: Restore, tmp_path: Path
) -> None:
    site.put("train.csv", ROWS)
    site.fail = ["503", "cut"]
    restore(material(f"{site.address}/train.csv"))
    assert restored(tmp_path).read_bytes() == ROWS


def test_a_web_server_that_goes_on_failing_is_told(
    site: Site, restore: Restore, tmp_path: Path
) -> None:
    site.put("train.csv", ROWS)
    site.fail = ["cut"] * 9
    with pytest.raises(RestoreError, match=r"broke off in the middle, after 3 tries"):
        restore(material(f"{site.address}/train.csv"))
    assert len(site.asked) == 3
    assert not restored(tmp_path).exists()


def test_a_server_that_is_not_there_is_told(site: Site, restore: Restore) -> None:
    site.stop()
    with pytest.raises(RestoreError, match="no answer: Connection refused"):
        restore(material(f"{site.address}/train.csv?sig=secret"))


def test_a_redirect_is_followed(site: Site, restore: Restore, tmp_path: Path) -> None:
    site.put("train.csv", ROWS)
    restore(material(f"http://{site.host}/moved/a%20b/train.csv"))
    assert restored(tmp_path).read_bytes() == ROWS


def test_a_login_comes_from_netrc_or_the_address_and_is_never_shown(
    site: Site, restore: Restore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.put("train.csv", ROWS)
    site.login = "me:hunter2hunter2"
    address = f"{site.address}/train.csv"
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with pytest.raises(RestoreError) as caught:
        restore(material(address.replace("//", "//me:wrongwrong@") + "?X-Amz-Signature=abcdef"))
    assert "wrong" not in caught.value.message + caught.value.hint
    assert "abcdef" not in caught.value.message
    restore(material(address.replace("//", f"//{site.login}@")))
    restored(tmp_path).unlink()
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hunter2hunter2\n")
    restore(material(address))
    assert restored(tmp_path).read_bytes() == ROWS


@pytest.mark.parametrize(
    "address", ["memory://x", "simplecache::s3://b/x", "zip://x::/etc/a.zip", "LOCAL:///etc/passwd"]
)
def test_addresses_that_wrap_others_are_refused(restore: Restore, address: str) -> None:
    with pytest.raises(RestoreError, match="not read"):
        restore(material(address))


def test_what_no_plugin_reads_names_the_extra(restore: Restore) -> None:
    with pytest.raises(RestoreError) as caught:
        restore(material("abfs://box/x"))
    assert "reprocheck[azure]" in caught.value.hint
    with pytest.raises(RestoreError, match="Protocol not known"):
        restore(material("nonsense://x/y"))


def test_a_bucket_that_is_not_there_or_a_login_that_is_missing_is_told(
    s3_server: S3, restore: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)
    with pytest.raises(RestoreError, match="NoCredentialsError"):
        restore(material("s3://nowhere/x"))


def test_an_input_that_names_its_place_is_looked_for_nowhere_else(
    restore: Restore, tmp_path: Path
) -> None:
    with pytest.raises(RestoreError, match=r"gone\.csv.*not there"):
        restore(material("gone.csv", algorithm="md5"))


def test_memory_stays_flat(restore: Restore, tmp_path: Path) -> None:
    with (tmp_path / "large").open("w+b") as file:
        file.truncate(64 << 20)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    tracemalloc.start()
    try:
        restore(material("large", digest=sha256))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
