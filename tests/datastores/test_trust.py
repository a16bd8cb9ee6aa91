"""Whose word counts for an address, where logins are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprocheck import config
from reprocheck.datastores.base import Around
from reprocheck.datastores.hub_fetch import anonymous
from reprocheck.datastores.manifest_files import Request, read
from reprocheck.datastores.trust import Trust, trust_of
from reprocheck.datastores.unpinned import UNPINNED
from reprocheck.dvc_files import Kept
from reprocheck.errors import RestoreError
from reprocheck.model import Material, MaterialPlace, Origin, OriginKind
from tests.datastores.conftest import Restore
from tests.datastores.servers import Site

CONFIG = """
version: 1
data:
  - {path: a, url: "https://files.example/team/{tags.name}", sha256: "{tags.a}"}
  - {path: b, url: "s3://bucket/b", sha256: "{tags.b}"}
  - {path: c, url: "/mnt/data/{tags.name}", sha256: "{tags.c}"}
  - {path: d, url: "https://{tags.host}/d", sha256: "{tags.d}"}
  - {path: e, url: "https://pre{tags.host}/e", sha256: "{tags.e}"}
  - {hub: org/tiny, revision: main}
"""


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    (tmp_path / "reprocheck.yaml").write_text(CONFIG)
    return trust_of(config.load(tmp_path / "reprocheck.yaml"), None)


@pytest.mark.parametrize(
    "address",
    ["https://files.example/other", "HTTPS://files.example/x", "s3://bucket/x", "/mnt/data/x"],
)
def test_servers_of_the_config_are_asked(trust: Trust, address: str) -> None:
    trust.check(address)
    assert trust.hubs == {"org/tiny"}


@pytest.mark.parametrize(
    "address",
    [
        "http://files.example/team/x",  # without encryption
        "https://files.example.evil/x",
        "https://me:pw@files.example/x",
        "https://files.example@evil/x",
        "https://evil/d",
        "https://preevil/e",
        "https://pre/e",
        "s3://other/b",
        "/etc/passwd",
        "/mnt/data",
        "/mnt/data/../../etc/passwd",
        "file:///etc/passwd",
        "relative",
        "",
    ],
)
def test_no_other_address_is(trust: Trust, address: str) -> None:
    with pytest.raises(RestoreError, match="only the run or its commit names") as caught:
        trust.check(address)
    assert "base branch" in caught.value.hint


def test_imports_are_those_of_the_checkout(tmp_path: Path) -> None:
    text = "deps:\n- path: x\n  repo: {url: 'https://h/a.git', rev_lock: " + "a" * 40 + "}\n"
    (tmp_path / "x.dvc").write_text(text + "outs: [{md5: " + "d" * 32 + ", path: x}]\n")
    (tmp_path / "y.dvc").write_text("deps: [{path: 'https://h/y'}]\nouts: [{path: y}]\n")
    trust = trust_of(config.Config(), tmp_path)
    same = Kept(path="z", source="x", repository="https://h/a.git", revision="a" * 40)
    later = Kept(path="z", source="x", repository="https://h/a.git", revision="b" * 40)
    assert (trust.imported(same), trust.pinned(same)) == (True, True)
    assert (trust.imported(later), trust.pinned(later)) == (True, False)
    assert trust.imported(Kept(path="z", source="https://h/y"))
    assert not trust.imported(Kept(path="z", source="https://h/z"))
    assert not trust.imported(Kept(path="z", source="x", repository="https://h/b.git"))
    (tmp_path / "broken.dvc").write_text("[")
    assert not trust_of(config.Config(), tmp_path).imported(same)


def test_a_file_without_a_digest_is_fetched_for_the_config_alone(
    site: Site, restore: Restore
) -> None:
    site.put("secret", b"of the team")
    trust = Trust(written=(site.address,))
    for kind in (OriginKind.TAG, OriginKind.CONFIG):
        wanted = Material(
            path=".cache/x",
            algorithm="sha256",
            digest=UNPINNED,
            size=None,
            files=None,
            origin=Origin(kind=kind, where="there"),
            source=f"{site.address}/secret",
            place=MaterialPlace.HOME,
        )
        if kind is OriginKind.CONFIG:
            restore(wanted, trust=trust)
        else:
            with pytest.raises(RestoreError, match="is not asked"):
                restore(wanted, trust=trust)
            assert site.asked == []


def test_a_manifest_is_read_once_and_only_where_it_may_be(site: Site, tmp_path: Path) -> None:
    site.put("sums", f"{'a' * 64}  x\n".encode())
    request = Request(
        name=f"{site.address}/sums", folder="data", algorithm=None, digest=None, told="data"
    )
    around = Around(tree=tmp_path, folder=tmp_path, trust=Trust())
    with pytest.raises(RestoreError, match="is not asked"):
        read(request, (), around)
    assert site.asked == []
    around = Around(tree=tmp_path, folder=tmp_path, trust=Trust(written=(site.address,)))
    assert read(request, (), around).listing.files == {"x": "a" * 64}
    read(request, (), around)
    assert len(site.asked) == 1


def test_no_token_goes_with_a_repository_of_the_hub_that_only_a_run_names() -> None:
    env = {"HF_TOKEN": "t", "HUGGING_FACE_HUB_TOKEN": "t", "HOME": "/h", "HF_HOME": "/h/hf"}
    given = anonymous({**env, "HF_ENDPOINT": "https://hub"})
    assert given["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    assert (given["HF_ENDPOINT"], env.keys() & given.keys()) == ("https://hub", set())
