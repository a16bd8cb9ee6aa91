"""Run ids as strangers write them: in a pull request's body, in reprocheck.runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MOST_BODY = 200_000
"""Characters of a pull request's body that are looked at; GitHub keeps 65,536."""

# No address: a page of a tracker would say which server gets our credentials.
_RUN_ID = re.compile(r"[A-Za-z0-9](?!.*://)[A-Za-z0-9._:/@-]{0,199}", re.ASCII)
_NAMED = re.compile(
    r" {0,3}(?:[-*+] {1,3})?reprocheck: {0,3}(`?)(\S{1,500})\1[ \t]*", re.IGNORECASE
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def is_run_id(text: str) -> bool:
    """Whether a text may be handed on as a run's id: it is no option, address or path upwards."""
    return _RUN_ID.fullmatch(text) is not None and ".." not in text


def in_body(body: str) -> tuple[str, ...]:
    """What lines `reprocheck: RUN_ID` name, in order; not inside of code fences and comments.

    The ids are as they were written, right or wrong. A line of more words names none.
    """
    text = _COMMENT.sub("", body[:MOST_BODY])
    named = (_NAMED.fullmatch(line) for line in _outside_fences(text.splitlines()))
    return _distinct(match[2] for match in named if match)


def in_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The ids in the lines of a file: one a line; what follows a # is for people."""
    return _distinct(line.partition("#")[0].strip() for line in lines)


def _outside_fences(lines: Iterable[str]) -> Iterator[str]:
    fence = ""
    for line in lines:
        mark = _FENCE.fullmatch(line)
        if not fence and mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        elif not fence:
            yield line
        elif mark and mark[1].startswith(fence) and not mark[2].strip():
            fence = ""


def _distinct(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in ids if each))
