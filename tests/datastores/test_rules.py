"""What the config says of the inputs: each key, and keys that cannot be meant together."""

import hashlib
from pathlib import Path

import pytest

from reprocheck import placeholders
from reprocheck.config import Config, load
from reprocheck.data_rules import DataRule
from reprocheck.datastores import Around
from reprocheck.datastores.choice import choose
from reprocheck.errors import ConfigError, ReprocheckError, RestoreError
from reprocheck.model import Finding, Material, Origin, OriginKind, RecordedFile, RunRecord
from tests.datastores.servers import COMMIT, Site
from tests.reporters.builders import make_record

MD5, SHA = "a" * 32, "b" * 64
ARTIFACT = Origin(kind=OriginKind.ARTIFACT, where="SUMS")


@pytest.fixture
def around(tmp_path: Path) -> Around:
    (tmp_path / "tree").mkdir()
    return Around(tree=tmp_path / "tree", folder=tmp_path)


def chosen(
    around: Around, *rules: DataRule, record: RunRecord | None = None
) -> tuple[tuple[Material, ...], tuple[Finding, ...]]:
    record = record or make_record(data=(), tags={"where": "train.csv", "md5": MD5})
    return choose(record, Config(data=rules), around.tree, placeholders.substitute, around)


def rule(**keys: str) -> DataRule:
    return DataRule(**{"path": "data/train.csv", "place": "reprocheck.yaml:7"} | keys)


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        (f"sha256:{SHA}", ("sha256", SHA)),
        (f"md5:{MD5}", ("md5", MD5)),
        (f"MD5:{MD5.upper()}", ("md5", MD5)),
        ("md5:{tags.md5}", ("md5", MD5)),
        (f"{MD5}.dir", ("md5", f"{MD5}.dir")),
    ],
)
def test_a_hash_may_name_its_algorithm(
    around: Around, digest: str, expected: tuple[str, str]
) -> None:
    ((material,), _) = chosen(around, rule(digest=digest))
    assert (material.algorithm, material.digest) == expected


def test_each_key_reaches_the_input(around: Around) -> None:
    ((material,), findings) = chosen(
        around, rule(digest=SHA, url="s3://bucket/{tags.where}"), record=None
    )
    assert material.source == "s3://bucket/train.csv"
    assert findings == ()
    ((material,), _) = chosen(around, rule(digest=MD5, remote="backup"))
    assert (material.remote, material.source) == ("backup", "")


def test_an_address_takes_the_digest_that_the_run_recorded(around: Around) -> None:
    recorded = Material(
        path="data/train.csv", algorithm="md5", digest=MD5, size=9, files=None, origin=ARTIFACT
    )
    record = make_record(data=(recorded,))
    ((material,), _) = chosen(around, rule(url="https://host/x"), record=record)
    assert (material.digest, material.size, material.source) == (MD5, 9, "https://host/x")


@pytest.mark.parametrize(
    ("source", "kept"), [("/etc/passwd", ""), ("file:///etc/passwd", ""), ("s3://b/x", "s3://b/x")]
)
def test_a_record_cannot_choose_a_file_of_this_machine(
    around: Around, source: str, kept: str
) -> None:
    item = Material(
        path="x", algorithm="md5", digest=MD5, size=9, files=None, origin=ARTIFACT, source=source
    )
    ((material,), _) = chosen(around, record=make_record(data=(item,)))
    assert material.source == kept


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "https://host/x"}, "no digest says"),
        ({"url": "lakefs://repo/main/x"}, "no digest says"),
        ({"url": "s3://b/data/", "digest": SHA}, "names a folder"),
        ({"url": "s3://b/data", "digest": f"{MD5}.dir"}, "folder of DVC's"),
        ({"url": "s3://b/x", "digest": SHA, "remote": "r"}, "url and remote contradict"),
        ({"digest": f"md5:{SHA}"}, "has 64 digits"),
        ({"digest": SHA, "algorithm": "md5"}, "has 64 digits"),
        ({"digest": f"{SHA}.dir"}, "no digest"),
        ({"digest": f"sha1:{'a' * 40}"}, "no digest"),
        ({"url": "{tags.where}", "digest": SHA}, "would choose a path of this machine"),
        ({"url": "/mnt/x{tags.where}", "digest": SHA}, "would choose a path of this machine"),
        ({"url": "/mnt/{tags.up}", "digest": SHA}, "would choose a path of this machine"),
        ({"url": "file://{tags.root}", "digest": SHA}, "would choose a path of this machine"),
        ({"url": "{tags.file}", "digest": SHA}, "would choose a path of this machine"),
        ({"manifest": "{tags.file}"}, "would choose a path of this machine"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    around: Around, keys: dict[str, str], said: str
) -> None:
    tags = {
        "where": "a.csv",
        "up": "../etc/passwd",
        "file": "file:///etc/passwd",
        "root": "/etc/passwd",
    }
    with pytest.raises(ConfigError, match=said) as caught:
        chosen(around, rule(**keys), record=make_record(data=(), tags=tags))
    assert "data 'data/train.csv' in reprocheck.yaml:7" in caught.value.message


def test_a_path_twice_is_refused(around: Around) -> None:
    with pytest.raises(ConfigError, match="second time"):
        chosen(around, rule(digest=SHA), rule(digest=MD5, path="./data/train.csv"))


def test_several_digests_are_refused_with_their_line(tmp_path: Path) -> None:
    text = f"version: 1\ndata:\n  - path: x\n    md5: {MD5}\n    sha256: {SHA}\n"
    (tmp_path / "reprocheck.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"reprocheck\.yaml:3.*several digests: md5, sha256"):
        load(tmp_path / "reprocheck.yaml")


def test_a_branch_of_lakefs_is_told_and_a_commit_is_not(around: Around) -> None:
    (_, (finding,)) = chosen(around, rule(url="lakefs://repo/main/x", digest=SHA))
    assert (finding.code, finding.pointer) == ("mutable-reference", "/data/0")
    ((material,), findings) = chosen(around, rule(url=f"lakefs://repo/{COMMIT}/x"))
    assert (material.algorithm, material.digest, findings) == ("lakefs", COMMIT, ())


LIST = f"{SHA}  a.png\n".encode()
OTHER = f"{'d' * 64}  a.png\n".encode()


def images(**keys: str) -> DataRule:
    return DataRule(**{"path": "images", "place": "reprocheck.yaml:7"} | keys)


def listed(around: Around, files: tuple[RecordedFile, ...] = (), **keys: str):
    record = make_record(data=(), files=files)
    ((material,), findings) = chosen(around, images(**keys), record=record)
    return material, [finding.code for finding in findings]


def test_a_manifest_at_the_commit_describes_the_folder(around: Around) -> None:
    (around.tree / "SUMS").write_bytes(LIST)
    material, codes = listed(around, manifest="SUMS", url="s3://bucket/images")
    assert material.listing == {"a.png": SHA}
    assert (material.digest, material.files) == (hashlib.sha256(LIST).hexdigest(), 1)
    assert (material.source, codes) == ("s3://bucket/images", [])


def test_a_manifest_kept_with_the_run_wins_over_the_commits(around: Around) -> None:
    (around.tree / "SUMS").write_bytes(OTHER)
    logged = RecordedFile(path="SUMS", content=LIST, origin=ARTIFACT)
    material, codes = listed(around, (logged,), manifest="SUMS")
    assert (material.listing, codes) == ({"a.png": SHA}, ["file-from-record"])


def test_a_manifest_at_an_address_should_be_pinned(around: Around, site: Site) -> None:
    site.put("SUMS", LIST)
    address = f"{site.address}/SUMS"
    material, codes = listed(around, manifest=address)
    assert (material.listing, codes) == ({"a.png": SHA}, ["unpinned-manifest"])
    digest = hashlib.sha256(LIST).hexdigest()
    assert listed(around, manifest=address, digest=digest)[1] == []
    assert listed(around, manifest=address, digest=hashlib.md5(LIST).hexdigest())[1] == []


def test_another_manifest_than_the_pinned_one_is_refused(around: Around) -> None:
    (around.tree / "SUMS").write_bytes(OTHER)
    with pytest.raises(RestoreError, match=f"expected sha256 {SHA}, found [0-9a-f]"):
        listed(around, manifest="SUMS", digest=SHA)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("SUMS", "no manifest SUMS, neither at the commit nor among"),
        ("../outside", "outside the repository"),
        ("link", "outside the repository"),
        ("file://gone", "is not there"),
    ],
)
def test_a_manifest_that_is_not_there_is_told(around: Around, manifest: str, said: str) -> None:
    (around.tree / "link").symlink_to("/etc/passwd")
    with pytest.raises(ReprocheckError, match=said) as caught:
        listed(around, manifest=manifest)
    assert "reprocheck.yaml:7" in caught.value.message


def test_what_is_too_large_for_a_manifest_is_not_read_to_its_end(around: Around) -> None:
    with (around.folder / "data.bin").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(RestoreError, match="too large for a manifest"):
        listed(around, manifest="file://data.bin")
