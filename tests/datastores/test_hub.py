"""The Hugging Face hub: what a training loads comes from caches and the hub, checked."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import pytest

from reprocheck import datastores, process, seen_paths
from reprocheck.datastores import Around, hub_fetch
from reprocheck.datastores.base import StoppedError
from reprocheck.datastores.hub import HubStore, caller_cache, remove_unused
from reprocheck.datastores.hub_cache import checked_revision, repository
from reprocheck.environments.isolation import chosen
from reprocheck.environments.reach import Reach
from reprocheck.errors import ConfigError, RestoreError
from reprocheck.model import Limits, Material, MaterialPlace, Origin, OriginKind
from tests.conftest import absent, snapshot
from tests.datastores.hub import COMMIT, git_sha1, lay, serving

FILES = {"config.json": b'{"scale": 2}', "sub/model.bin": b"weights" * 100}


@pytest.fixture
def caller(tmp_path) -> Path:
    return lay(tmp_path / "theirs", "models--org--tiny", FILES, large=("sub/model.bin",))


@pytest.fixture
def around(tmp_path) -> Around:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    env |= {"HF_HUB_CACHE": str(tmp_path / "theirs"), "HF_ENDPOINT": "http://127.0.0.1:9"}
    (tmp_path / "home").mkdir()
    return Around(tree=tmp_path, folder=tmp_path, env=env, cache=tmp_path / "cache")


def at(around: Around, address: str) -> Around:
    return dataclasses.replace(around, env={**around.env, "HF_ENDPOINT": address})


def material(revision: str = COMMIT, name: str = "org/tiny") -> Material:
    return Material(
        size=None,
        files=None,
        origin=Origin(kind=OriginKind.CONFIG, where="reprocheck.yaml:3"),
        path="models--org--tiny",
        algorithm="commit",
        digest=revision,
        source=f"hf://{name}",
        place=MaterialPlace.HUB,
    )


def restored(around: Around, *materials: Material) -> datastores.Inputs:
    folder = Path(around.folder, f"work{len(list(around.folder.iterdir()))}/inputs")
    return datastores.restore(materials or (material(),), folder, around)


def contents(inputs: datastores.Inputs) -> dict[str, bytes]:
    root = Path(inputs.env["HF_HUB_CACHE"], "models--org--tiny/snapshots", COMMIT)
    return {name: (root / name).read_bytes() for name in FILES}


# --- from caches ----------------------------------------------------------------------------


def test_what_the_callers_cache_has_is_copied_and_the_cache_is_left_alone(around, caller):
    before = snapshot(caller)
    inputs = restored(around)
    assert contents(inputs) == FILES
    assert snapshot(caller) == before
    kept = [path for path in (around.cache / "hub").rglob("*") if path.is_file()]
    assert all(path.stat().st_nlink == 1 for path in kept)
    assert inputs.findings == ()


LOAD = """
import json, sys
from huggingface_hub import hf_hub_download, snapshot_download, try_to_load_from_cache
folder = snapshot_download("org/tiny")
named = hf_hub_download("org/tiny", "config.json", revision="0123456789abcdef" * 2 + "01234567")
assert try_to_load_from_cache("org/tiny", "sub/model.bin").startswith(folder)
print(json.load(open(named)), folder)
open(named, "w")
"""


def test_the_hubs_library_loads_it_offline_from_a_cache_it_cannot_write(
    around, caller, tmp_path, bubblewrap
):
    if not hub_fetch.is_installed():
        absent("huggingface_hub is not installed")
    inputs = restored(around)
    own = tmp_path / "own"
    own.mkdir()
    env = {key: text for key, text in inputs.env.items() if text}
    call = process.Call(
        argv=(sys.executable, "-P", "-c", LOAD), cwd=own, env=env | {"HOME": str(own)}, timeout_s=60
    )
    reach = Reach(
        writable=(own,),
        readable=(Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve()),
        shown=seen_paths.shown(inputs),
    )
    done = chosen({**os.environ, "HOME": str(tmp_path / "home")}, Limits()).run(
        call, reach, process.run
    )
    assert done.stdout.startswith(b"{'scale': 2}"), done.stderr
    assert b"Read-only file system" in done.stderr or b"Permission denied" in done.stderr


def test_trials_get_the_cache_alone_and_no_token(around, caller):
    env = restored(around).env
    offline = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
    assert [env[name] for name in offline] == ["1"] * 3
    assert [env[name] for name in ("HF_HOME", "HF_TOKEN", "HF_DATASETS_CACHE")] == [""] * 3
    assert [path.name for path in Path(env["HF_HUB_CACHE"]).iterdir()] == ["models--org--tiny"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_what_its_blob_says_is_refused(around, caller, name):
    blob = (caller / "snapshots" / COMMIT / name).resolve()
    blob.write_bytes(b"x" * blob.stat().st_size)
    with pytest.raises(RestoreError) as caught:
        restored(around)
    told = caught.value.message
    assert f"{name}: expected" in told
    assert blob.name in told
    assert str(caller) in told
    assert not (around.cache / "hub/models--org--tiny/blobs" / blob.name).exists()


def test_our_own_copy_that_changed_is_taken_again(around, caller):
    restored(around)
    for blob in (around.cache / "hub/models--org--tiny/blobs").iterdir():
        blob.chmod(0o644)
        blob.write_bytes(b"changed")
    assert contents(restored(around)) == FILES


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../{secret}", "../../refs/main"])
def test_a_link_out_of_the_repositorys_blobs_is_refused(around, caller, target):
    secret = git_sha1(b"hunter2")
    (caller.parent / secret).write_bytes(b"hunter2")  # named as a blob is
    (caller / "snapshots" / COMMIT / "other").symlink_to(target.format(secret=secret))
    with pytest.raises(RestoreError, match="it is no link to one of its repository's blobs"):
        restored(around)


def test_a_blob_that_is_a_link_itself_is_refused(around, caller, tmp_path):
    blob = (caller / "snapshots" / COMMIT / "config.json").resolve()
    blob.rename(tmp_path / "moved")
    blob.symlink_to(tmp_path / "moved")
    with pytest.raises(RestoreError, match=r"config\.json: it is no link"):
        restored(around)


def test_a_linked_folder_is_refused(around, caller):
    (caller / "snapshots" / COMMIT / "more").symlink_to("/etc")
    with pytest.raises(RestoreError, match="more: it is no link"):
        restored(around)


def test_a_branch_is_resolved_to_what_the_cache_has_and_told(around, caller):
    inputs = restored(around, material("main"))
    (finding,) = inputs.findings
    assert finding.code == "resolved-revision"
    assert f"org/tiny at main is commit {COMMIT} now" in finding.message
    assert contents(inputs) == FILES


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c", "HOME": "/d"}, "/c/huggingface/hub"),
        ({"HOME": "/d"}, "/d/.cache/huggingface/hub"),
    ],
)
def test_the_callers_cache_is_where_the_library_would_look(env, expected):
    assert caller_cache(env) == Path(expected)


def test_a_copy_that_nobody_used_for_long_is_removed(around, caller):
    restored(around)
    kept = around.cache / "hub/models--org--tiny"
    assert remove_unused(around.cache, 0) == 0  # a trial may run
    os.utime(kept / ".used", (0, 0))
    assert (remove_unused(around.cache, 3600), kept.exists()) == (1, False)
    assert contents(restored(around)) == FILES


# --- from the hub ---------------------------------------------------------------------------


@pytest.fixture
def hub():
    if not hub_fetch.is_installed():
        absent("huggingface_hub is not installed")
    with serving(FILES) as server:
        yield server


def test_what_no_cache_has_is_fetched_once(around, hub):
    online = at(around, hub.address)
    online = dataclasses.replace(online, env={**online.env, "HF_TOKEN": "hf_abc"})
    assert contents(restored(online, material("v1"))) == FILES
    assert hub.tokens == {"Bearer hf_abc"}
    assert contents(restored(around)) == FILES  # where no hub answers


def test_what_the_hub_sends_is_checked(around, hub):
    hub.sent["sub/model.bin"] = b"x" * len(FILES["sub/model.bin"])
    with pytest.raises(RestoreError, match=r"org/tiny: sub/model\.bin: expected SHA-256 .*found"):
        restored(at(around, hub.address))


def test_a_hub_that_lacks_it_is_named_without_any_secret(around, hub):
    asked = at(around, hub.address.replace("//", "//user:hunter2@"))
    asked = dataclasses.replace(asked, env={**asked.env, "HF_TOKEN": "hf_abcdefgh"})
    with pytest.raises(RestoreError) as caught:
        restored(asked, material(name="org/other"))
    assert "fetching org/other at 0123" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "hf_abcdefgh" not in caught.value.message


def test_without_the_library_the_extra_is_named(around, monkeypatch):
    monkeypatch.setattr(hub_fetch, "is_installed", lambda: False)
    with pytest.raises(RestoreError) as caught:
        restored(around)
    assert "pip install 'reprocheck[hub]'" in caught.value.hint


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x", "a/b/c", "-x/y", "a--b/c", "", "a/../b", "spaces/a/b"])
def test_what_is_no_repository_is_refused(name):
    with pytest.raises(ConfigError, match="is no repository of the Hugging Face hub"):
        repository(name, "reprocheck.yaml:3")


def test_folders_are_named_as_the_library_names_them():
    assert repository("gpt2", "").folder == "models--gpt2"
    assert repository("datasets/org/rows", "").folder == "datasets--org--rows"


@pytest.mark.parametrize("revision", ["../../x", "-x", "a b", "/etc/x"])
def test_what_is_no_revision_is_refused(revision):
    with pytest.raises(ConfigError, match="is no revision"):
        checked_revision(revision, "x")


def test_a_fetch_ends_when_it_is_not_wanted_any_more(around):
    if not hub_fetch.is_installed():
        absent("huggingface_hub is not installed")
    around.stop.set()
    with pytest.raises(StoppedError):  # it would try for long: no hub answers
        HubStore(around).restore(material(), around.folder / "view/models--org--tiny")
    assert list((around.cache / "hub").glob("*.log")) == []
