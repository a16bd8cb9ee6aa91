"""several: inputs restored side by side."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from reprocheck.datastores.base import Around, Stop
from reprocheck.datastores.several import Several
from reprocheck.errors import RestoreError
from reprocheck.model import Finding, Material, Severity
from tests.datastores.test_inputs import material


def several(restore, *paths: str, around: Around | None = None) -> tuple[Finding, ...]:
    found = around or Around(tree=Path(), folder=Path())
    return Several(restore, found).restore(tuple(map(material, paths)))


def finding(code: str) -> Finding:
    return Finding(code=code, severity=Severity.NOTE, message="", hint="", pointer="/data")


def test_inputs_are_restored_side_by_side_and_told_in_their_order() -> None:
    together = threading.Barrier(3, timeout=5)

    def restore(item: Material) -> tuple[Finding, ...]:
        together.wait()  # as long as all three run at a time
        return (finding(item.path),)

    assert [each.code for each in several(restore, "c", "a", "b")] == ["c", "a", "b"]


def test_what_lies_inside_of_another_input_comes_after_it() -> None:
    done: list[str] = []
    several(lambda item: done.append(item.path) or (), "x/y/z", "x-y", "x", "x/y")
    assert [path for path in done if path != "x-y"] == ["x/y/z", "x", "x/y"]


def test_all_failures_are_told_together_and_the_rest_is_stopped() -> None:
    around = Around(tree=Path(), folder=Path())
    begun: list[str] = []

    def restore(item: Material) -> tuple[Finding, ...]:
        begun.append(item.path)
        if item.path.startswith("gone"):
            time.sleep(0.05)
            raise RestoreError(f"restoring {item.path}: not there", "push it")
        assert around.stop.wait(10)
        raise RestoreError(f"restoring {item.path}: stopped", "")  # as a store tells it

    with pytest.raises(RestoreError) as told:
        several(restore, "gone1", "gone2", "large", *map(str, range(50)), around=around)
    assert told.value.message == (
        "2 inputs: restoring gone1: not there; restoring gone2: not there"
    )
    assert told.value.hint == "push it"
    assert len(begun) < 10


def test_a_stop_is_heard_from_outside_and_stays_inside() -> None:
    outer = threading.Event()
    mine, other = Stop(outer), Stop(outer)
    mine.set()
    assert mine.is_set()
    assert not other.is_set()
    outer.set()
    assert other.is_set()


def test_a_failure_of_the_machine_is_not_taken_for_one_of_the_data() -> None:
    both = threading.Barrier(2, timeout=5)

    def restore(item: Material) -> tuple[Finding, ...]:
        both.wait()
        raise OSError(28, "No space left on device") if item.path == "b" else RestoreError("", "")

    with pytest.raises(OSError, match="No space"):
        several(restore, "a", "b")
