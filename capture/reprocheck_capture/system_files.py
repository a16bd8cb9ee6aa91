"""Small files in which the system tells of itself and of its processes."""

import os
from typing import List


def read(path: str) -> str:
    """The text; "" of what cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def words_of(process: str = "self") -> List[str]:
    """The arguments of a process; [] where they cannot be known."""
    try:
        with open("/proc/{}/cmdline".format(process), "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
    except OSError:
        return []
    return [os.fsdecode(word) for word in words] if words != [b""] else []


def parent_of(process: int) -> int:
    """The id of the process's parent; 0 where it cannot be known."""
    try:
        with open("/proc/{}/stat".format(process), "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0
