"""Progress of what says none itself."""

from __future__ import annotations

import time

import pytest

from reprocheck.progress import Parts, Silent, bytes_bar, growing, growth


class Told(Silent):
    def __init__(self):
        self.doing = []

    def update(self, doing):
        self.doing.append(doing)


def until(condition):
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert condition()


def test_what_arrives_below_a_folder_is_told_while_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "_EVERY_S", 0.001)
    (tmp_path / "before").write_bytes(bytes(50))
    told = Told()
    with growing(told, tmp_path, "fetching x", 4000):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "b").write_bytes(bytes(1000))
        until(lambda: told.doing)
        (tmp_path / "c").write_bytes(bytes(3000))
        until(lambda: "4 kB of 4 kB" in told.doing[-1])
    assert told.doing[0] == "fetching x: [######..................] 1 kB of 4 kB"
    count = len(told.doing)
    (tmp_path / "d").write_bytes(bytes(9))
    time.sleep(0.02)
    assert len(told.doing) == count  # nothing after the block


def test_a_place_that_is_not_there_yet_or_shrinks_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "_EVERY_S", 0.001)
    told = Told()
    (tmp_path / "a").write_bytes(bytes(10))
    with growing(told, tmp_path / "none", "x"), growing(told, tmp_path / "a", "y"):
        (tmp_path / "a").unlink()
        time.sleep(0.02)
    assert told.doing == []


def test_an_error_in_the_block_comes_out(tmp_path):
    with pytest.raises(ZeroDivisionError), growing(Told(), tmp_path, "x"):
        raise ZeroDivisionError


def test_parts_stand_below_the_whole():
    told = Told()
    parts = Parts(told)
    parts.update("a: 1 of 2 files")
    parts.whole("1 kB of 2 kB")
    parts.update("b")
    assert told.doing == ["a: 1 of 2 files", "1 kB of 2 kB\na: 1 of 2 files", "1 kB of 2 kB\nb"]


def test_more_bytes_than_expected_are_no_more_than_all():
    assert bytes_bar(3000, 2000) == f"[{'#' * 24}] 3 kB of 3 kB"
    assert bytes_bar(3000, None) == bytes_bar(3000, 0) == "3 kB"
