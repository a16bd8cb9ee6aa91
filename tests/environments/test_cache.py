"""cache: folders by digest, complete and unchanged or not there at all."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from reprocheck import cli
from reprocheck.environments.cache import STATE, Cache, fingerprint, remove_unused, write_whole
from reprocheck.errors import RebuildError
from tests.environments.samples import Heard


def healthy(folder: Path, state: dict) -> bool:
    return (folder / "made").exists()


def make(folder: Path) -> dict:
    (folder / "made").write_text("x")
    return {"number": 1}


def refuse(folder: Path) -> dict:
    raise AssertionError("built again")


def test_a_folder_is_built_once(tmp_path):
    cache = Cache(root=tmp_path, progress=Heard())
    with cache.entry("digest", make, healthy) as entry:
        assert not entry.cached
    with cache.entry("digest", refuse, healthy) as entry:
        assert (entry.cached, entry.state) == (True, {"number": 1})


@pytest.mark.parametrize("harm", ["made", "reprocheck.json"])
def test_a_broken_or_unfinished_folder_is_wiped(tmp_path, harm):
    cache = Cache(root=tmp_path, progress=Heard())
    with cache.entry("digest", make, healthy) as entry:
        (entry.folder / "junk").write_text("x")
        (entry.folder / harm).unlink()
    with cache.entry("digest", make, healthy) as entry:
        assert not entry.cached
        assert not (entry.folder / "junk").exists()


def test_a_state_file_that_is_no_json_is_not_trusted(tmp_path):
    cache = Cache(root=tmp_path, progress=Heard())
    with cache.entry("digest", make, healthy) as entry:
        (entry.folder / "reprocheck.json").write_text("{")
    with cache.entry("digest", make, healthy) as entry:
        assert not entry.cached


def test_a_failed_build_leaves_no_folder(tmp_path):
    def fail(folder: Path) -> dict:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    cache = Cache(root=tmp_path, progress=Heard())
    with pytest.raises(KeyboardInterrupt), cache.entry("digest", fail, healthy):
        pass
    assert not (tmp_path / "digest").exists()


def test_who_comes_second_waits_and_says_so(tmp_path):
    heard = Heard()

    def slow(folder: Path) -> dict:
        second.start()
        assert heard.waiting.wait(20)
        return make(folder)

    def come_second() -> None:
        with Cache(root=tmp_path, progress=heard).entry("digest", refuse, healthy) as entry:
            cached.append(entry.cached)

    cached: list[bool] = []
    second = threading.Thread(target=come_second)
    with Cache(root=tmp_path, progress=Heard()).entry("digest", slow, healthy):
        second.join(20)  # two may use it at the same time
    assert cached == [True]


def test_a_folder_in_use_is_not_wiped(tmp_path):
    heard = Heard()
    cached: list[bool] = []

    def rebuild() -> None:
        with Cache(root=tmp_path, progress=heard).entry("digest", make, healthy) as entry:
            cached.append(entry.cached)

    second = threading.Thread(target=rebuild)
    with Cache(root=tmp_path, progress=Heard()).entry("digest", make, healthy) as entry:
        (entry.folder / "made").unlink()
        second.start()
        assert heard.waiting.wait(20)
        assert (entry.folder / "reprocheck.json").exists()
    second.join(20)
    assert cached == [False]


def test_the_fingerprint_sees_files_and_not_byte_code(tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text("1")
    before = fingerprint(tmp_path)
    (tmp_path / "pkg/__pycache__").mkdir()
    (tmp_path / "pkg/__pycache__/a.pyc").write_text("1")
    assert fingerprint(tmp_path) == before
    (tmp_path / "pkg/a.py").write_text("22")
    assert fingerprint(tmp_path) != before


def test_a_file_is_written_whole(tmp_path):
    write_whole(tmp_path / "new/lock.txt", "text")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock.txt"]


@pytest.mark.parametrize("place", ["cache", "cache/locks"])
def test_a_file_in_the_place_of_a_folder_is_told(tmp_path, place):
    (tmp_path / "cache").touch()
    with pytest.raises(RebuildError, match="making the folder") as caught:
        write_whole(tmp_path / place / "lock.txt", "text")
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_what_was_killed_or_not_used_for_long_is_removed_and_nothing_in_use(tmp_path):
    kept = Cache(root=tmp_path / "venv", progress=Heard())
    for name in ("old", "young", "used", "killed"):
        with kept.entry(name, lambda folder: {}, lambda *_: True):
            pass
    (tmp_path / "venv/killed" / STATE).unlink()
    for name in ("old", "used"):
        os.utime(tmp_path / "venv" / name / STATE, (0, 0))
    with kept.entry("used", lambda folder: {}, lambda *_: True):
        os.utime(tmp_path / "venv/used" / STATE, (0, 0))
        assert remove_unused(tmp_path, 60) == 2
    assert sorted(path.name for path in kept.root.iterdir() if path.is_dir()) == ["used", "young"]


def test_using_a_folder_keeps_it_young(tmp_path):
    kept = Cache(root=tmp_path / "venv", progress=Heard())
    with kept.entry("one", lambda folder: {}, lambda *_: True):
        os.utime(tmp_path / "venv/one" / STATE, (0, 0))
    with kept.entry("one", lambda folder: {}, lambda *_: True):
        pass
    assert remove_unused(tmp_path, 60) == 0


@pytest.mark.parametrize("leftovers", [True, False])
def test_a_full_disk_is_tried_once_more_where_room_was_made(tmp_path, leftovers):
    kept, tries = Cache(root=tmp_path / "venv", progress=Heard()), []
    if leftovers:
        (tmp_path / "script/killed").mkdir(parents=True)
        (tmp_path / "script/killed.lock").touch()

    def build(folder):
        tries.append(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"), kept.entry("one", build, healthy):
        pass
    assert len(tries) == (2 if leftovers else 1)


def test_the_command_removes_what_is_not_used(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent.sock")
    (tmp_path / "reprocheck/conda/killed").mkdir(parents=True)
    (tmp_path / "reprocheck/conda/killed.lock").touch()
    assert cli.run(["clean"]) == 0
    assert "environments 1," in capsys.readouterr().out
    assert not (tmp_path / "reprocheck/conda/killed").exists()
