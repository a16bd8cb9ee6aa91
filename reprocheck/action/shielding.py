"""Keeps what this process was given from the trainings it starts, which run as the same user."""

from __future__ import annotations

import sys

_SET_DUMPABLE = 4  # of linux/prctl.h


def shield() -> None:
    """Makes /proc tell no other process of this user our variables, memory and open files.

    The step's token is in them, and no program can take that back once it has started. A process
    that we start is as readable as ever. Where the system has no such thing nothing is done; a
    training that may become root reads all the same.
    """
    if sys.platform != "linux":
        return
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_SET_DUMPABLE, 0, 0, 0, 0)
