"""Reads what strace wrote about files that processes opened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_CALL = re.compile(
    rb"(?:\[pid +)?(?:\d+\]? +)?(?P<call>open|openat|openat2|creat|execve)\((?P<args>.*)\)\s+="
    rb" (?P<number>\d+)(?:<(?P<path>(?:[^<>\\]|\\.)*)>)?(?P<deleted>\(deleted\))?\s*$",
    re.DOTALL,
)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f", b"a": b"\a"}
_FLAG = re.compile(rb"O_[A-Z]+")
_UNFINISHED = re.compile(rb"(?P<who>\d+) +(?P<begin>\w+\(.*) <unfinished \.\.\.>\s*$", re.DOTALL)
_RESUMED = re.compile(rb"(?P<who>\d+) +<\.\.\. \w+ resumed>(?P<end>.*)", re.DOTALL)
_NOT_READ = {b"O_WRONLY", b"O_PATH", b"O_DIRECTORY"}
_MADE = {b"O_TRUNC", b"O_EXCL"}  # the content that was there before is gone, or there was none


def files_read(lines: Iterable[bytes]) -> set[str]:
    """Absolute paths of the files that were opened for reading or executed, and had not been
    written by one of the processes before. Memory grows with the files, not with the lines.

    A line that is not understood is passed over.
    """
    read: set[bytes] = set()
    made: set[bytes] = set()
    for line in _whole(lines):
        found = _CALL.match(line)
        path = _path(found) if found else None
        if found is None or path is None or not path.startswith(b"/") or found["deleted"]:
            continue
        flags = set(_FLAG.findall(found["args"].rpartition(b'"')[2]))
        if found["call"] == b"creat" or flags & _MADE:
            made |= {path} - read
        elif not flags & _NOT_READ and path not in made:
            read.add(path)
    return {_unescaped(path).decode(errors="surrogateescape") for path in read}


def _whole(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines, with calls put together that another process came between."""
    begun: dict[bytes, bytes] = {}
    for line in lines:
        if unfinished := _UNFINISHED.match(line):
            begun[unfinished["who"]] = unfinished["begin"]
        elif resumed := _RESUMED.match(line):
            yield begun.pop(resumed["who"], b"") + resumed["end"]
        else:
            yield line


def _path(found: re.Match[bytes]) -> bytes | None:
    """Of an opened file as the kernel knows it, through all links; still escaped."""
    if found["call"] != b"execve":
        return found["path"]
    named = _QUOTED.match(found["args"])
    return named[1] if named else None


def _unescaped(path: bytes) -> bytes:
    def plain(found: re.Match[bytes]) -> bytes:
        octal, hexadecimal, letter = found.groups()
        if octal:
            return bytes([int(octal, 8) & 255])
        return bytes([int(hexadecimal, 16)]) if hexadecimal else _LETTERS.get(letter, letter)

    return _ESCAPED.sub(plain, path)
