"""Many small pieces of work in a few threads, handed out one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from reprocheck.datastores.base import StoppedError

_T = TypeVar("_T")


def each(
    items: Iterable[_T], work: Callable[[_T], None], workers: int, stop: threading.Event
) -> None:
    """Does the work for all items.

    Raises the first failure, the rest being stopped, or `StoppedError`.

    No queue: a directory may have millions of files.
    """
    waiting = iter(items)
    lock = threading.Lock()
    nothing = object()
    failures: list[BaseException] = []

    def labour() -> None:
        while not stop.is_set():
            with lock:
                item = next(waiting, nothing)
            if item is nothing:
                return
            try:
                work(item)  # type: ignore[arg-type]
            except BaseException as error:  # raised below, in the caller's thread
                failures.append(error)
                stop.set()

    with ThreadPoolExecutor(workers) as pool:
        jobs = [pool.submit(labour) for _ in range(workers)]
        try:
            for job in jobs:
                job.result()
        except BaseException:
            stop.set()  # for those that are in the middle of a large file
            raise
    if failures:
        raise failures[0]
    if stop.is_set():  # from outside: not all is done
        raise StoppedError
