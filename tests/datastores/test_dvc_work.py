import threading

import pytest

from reprocheck.datastores import dvc_work
from reprocheck.datastores.base import StoppedError


def test_all_items_are_worked_on_and_the_first_failure_is_raised() -> None:
    done: list[int] = []
    dvc_work.each(range(100), done.append, 4, threading.Event())
    assert sorted(done) == list(range(100))
    with pytest.raises(ZeroDivisionError):
        dvc_work.each([1, 0, 1], lambda item: done.append(1 // item), 2, threading.Event())


def test_what_is_stopped_from_outside_is_not_taken_for_done() -> None:
    stop = threading.Event()
    with pytest.raises(StoppedError):
        dvc_work.each(range(10), lambda _: stop.set(), 1, stop)
