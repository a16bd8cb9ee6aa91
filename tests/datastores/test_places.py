"""Inputs outside of the tree: what the config and the record may say of them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from reprocheck import config as configs
from reprocheck import placeholders
from reprocheck.config import Config
from reprocheck.datastores import places
from reprocheck.datastores.choice import choose
from reprocheck.errors import ConfigError, ReprocheckError, RestoreError
from reprocheck.model import Material, MaterialPlace, Origin, OriginKind, RunRecord
from tests.reporters.builders import make_record

COMMIT, SHA256 = "0123456789" * 4, "ab" * 32
URL = "https://example.com/x.pth"


def material(**fields) -> Material:
    blank = Material(
        path="data/train.csv",
        algorithm="md5",
        digest="0" * 32,
        size=None,
        files=None,
        origin=Origin(kind=OriginKind.ARTIFACT, where="record.json"),
    )
    return dataclasses.replace(blank, **fields)


HUB = material(
    path="anything", digest=COMMIT, source="hf://datasets/org/rows", place=MaterialPlace.HUB
)


@pytest.fixture
def read(tmp_path):
    """Reads the data of a config."""

    def run(*entries: str) -> Config:
        file = tmp_path / "reprocheck.yaml"
        lines = "".join(f"  - {entry}\n" for entry in entries)
        file.write_text(f"version: 1\ncommand: x\ndata:\n{lines}" if entries else "version: 1\n")
        return configs.load(file)

    return run


def chosen(config: Config, tree: Path, record: RunRecord | None = None):
    return choose(record or make_record(data=()), config, tree, placeholders.substitute)


def test_a_model_of_the_hub_is_pinned_by_what_the_run_logged(read, tmp_path):
    config = read('{hub: org/tiny, revision: "{tags.revision}"}')
    record = make_record(data=(), tags={"revision": COMMIT})
    (found,), findings = chosen(config, tmp_path, record)
    assert (found.path, found.place) == ("models--org--tiny", MaterialPlace.HUB)
    assert (found.digest, found.source, findings) == (COMMIT, "hf://org/tiny", ())
    assert found.label == "org/tiny (Hugging Face)"


@pytest.mark.parametrize("entry", ["{hub: org/tiny}", "{hub: org/tiny, revision: v1}"])
def test_an_unpinned_revision_is_told_before_anything_is_built(read, tmp_path, entry):
    (found,), (finding,) = chosen(read(entry), tmp_path)
    assert finding.code == "unpinned-revision"
    assert f"only '{found.digest}', which can move" in finding.message


def test_what_only_the_training_fetches_leaves_the_rest_as_it_is(read, tmp_path):
    (tmp_path / "train.csv.dvc").write_text(f"outs: [{{path: train.csv, md5: {'1' * 32}}}]\n")
    found, _ = chosen(read("{hub: org/tiny, revision: v1}"), tmp_path)
    assert [each.path for each in found] == ["train.csv", "models--org--tiny"]


def test_what_the_record_names_is_taken_unless_the_config_has_it(read, tmp_path):
    record = make_record(data=(HUB,))
    (found,), _ = chosen(read(), tmp_path, record)
    assert (found.path, found.digest) == ("datasets--org--rows", COMMIT)
    other = "f" * 40
    (found,), _ = chosen(read(f"{{hub: datasets/org/rows, revision: {other}}}"), tmp_path, record)
    assert found.digest == other


def test_a_file_of_the_cache_has_its_place_in_the_home(read, tmp_path):
    entry = f"{{url: {URL!r}, sha256: {SHA256}, cached_as: torch/x.pth}}"
    (found,), _ = chosen(read(entry), tmp_path)
    assert (found.path, found.place) == (".cache/torch/x.pth", MaterialPlace.HOME)
    assert (found.source, found.algorithm, found.digest) == (URL, "sha256", SHA256)
    assert found.label == "~/.cache/torch/x.pth"
    target = places.target_of(tmp_path / "inputs", found)
    assert target == tmp_path / "inputs-home/.cache/torch/x.pth"
    env = places.trial_env((found,), tmp_path / "inputs")
    assert env["XDG_CACHE_HOME"] == env["TORCH_HOME"] == ""


def test_what_the_training_fetches_from_the_web_is_checked_before_it_runs(
    read, tmp_path, site, restore
):
    site.put("x.pth", b"weights")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    entry = f"{{url: {site.address}/x.pth, cached_as: torch/x.pth, sha256: DIGEST}}"
    (right,), none = chosen(read(entry.replace("DIGEST", sha256)), tmp_path)
    inputs = restore(right)
    assert (tmp_path / "inputs-home/.cache/torch/x.pth").read_bytes() == b"weights"
    assert (none, inputs.findings) == ((), ())
    (wrong,), _ = chosen(read(entry.replace("DIGEST", SHA256)), tmp_path)
    with pytest.raises(RestoreError, match=f"expected sha256 {SHA256}, found {sha256}"):
        restore(wrong)


def test_an_address_without_a_digest_is_told_with_what_it_holds_now(read, tmp_path, site, restore):
    site.put("x.pth", b"weights")
    entry = f"{{url: {site.address}/x.pth, cached_as: x.pth}}"
    (found,), (finding,) = chosen(read(entry), tmp_path)
    assert finding.code == "unpinned-url"
    (now,) = restore(found).findings
    assert now.code == "resolved-url"
    assert f"sha256 {hashlib.sha256(b'weights').hexdigest()} (7 bytes) now" in now.message


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (f"{{url: {URL!r}, cached_as: x.pth, sha256: zz}}", "is no digest|no digest"),
        (f"{{url: {URL!r}, cached_as: ../.ssh/x, sha256: {SHA256}}}", r"no path below ~/\.cache"),
        (f"{{url: {URL!r}, cached_as: /x, sha256: {SHA256}}}", r"no path below ~/\.cache"),
        (f"{{url: /etc/shadow, cached_as: x, sha256: {SHA256}}}", "no address"),
        (f"{{url: 'file:///etc/shadow', cached_as: x, sha256: {SHA256}}}", "no address"),
        ("{hub: ../x}", "is no repository"),
        (f"{{path: x, sha256: {SHA256}, seen_as: /etc/x}}", "cannot be shown"),
        (f"{{path: x, sha256: {SHA256}, seen_as: '{{params.gone}}'}}", "gone"),
    ],
)
def test_what_cannot_be_meant_is_refused(read, tmp_path, entry, words):
    with pytest.raises(ReprocheckError, match=words):
        chosen(read(entry), tmp_path)


def test_a_record_cannot_choose_a_file_of_this_machine(read, tmp_path):
    hostile = material(
        path=".cache/x", algorithm="sha256", digest=SHA256, source="/etc/shadow",
        place=MaterialPlace.HOME,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="no address that a training fetches"):
        chosen(read(), tmp_path, make_record(data=(hostile,)))


def test_an_input_is_seen_at_the_path_that_the_run_logged(read, tmp_path):
    config = read(f'{{path: x.csv, sha256: {SHA256}, seen_as: "{{params.data}}"}}')
    record = make_record(data=(), parameters={"data": "/home/me//x.csv"})
    (found,), _ = chosen(config, tmp_path, record)
    assert found.seen_as == "/home/me/x.csv"
    assert found.label == "x.csv (seen as /home/me/x.csv)"


def test_a_recorded_path_is_checked_too(read, tmp_path):
    for place, error in (("/data/x", None), ("/etc/x", ConfigError)):
        record = make_record(data=(material(seen_as=place),))
        if error is None:
            assert chosen(read(), tmp_path, record)[0][0].seen_as == place
            continue
        with pytest.raises(error, match="cannot be shown"):
            chosen(read(), tmp_path, record)


def test_inputs_cannot_be_seen_inside_each_other(read, tmp_path):
    entries = [
        f"{{path: {name}, sha256: {SHA256}, seen_as: {place}}}"
        for name, place in (("a", "/data/a"), ("b", "/data"))
    ]
    with pytest.raises(ConfigError, match="one is inside of the other"):
        chosen(read(*entries), tmp_path)
