"""GitHub-flavoured Markdown in which a run's text stays text.

No cell, link, image, mention, heading or fence comes of what a run, a tracker or a config wrote.
See https://github.github.com/gfm/ for what has a meaning there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from reprocheck.hostile import cut, printable

# What has a meaning in Markdown or HTML, but for the point of a number. A number with a bracket
# begins a list.
_MEANT = re.compile(r"^\d+\)|(?<!\d)\.|\.(?!\d)|[!\"#$&*+:<=>?@\[\\\]^_`{|}~-]")

CELL = 160
PROSE = 2_000
LINE = 500

# GitHub looks for mentions, issues, emoji and addresses after the entities are decoded. What
# matches here is followed by a space of no width.
_SEEN_LATER = re.compile(
    r"[@#]|(?i:gh(?=-)|www(?=\.))|:(?=//)|:(?=[\w+-]{0,40}[A-Za-z+-][\w+-]{0,40}:)"
)
_LONGEST_ADDRESS = 2_000
_ADDRESS = re.compile(r"https://[A-Za-z0-9.:-]+(?:/[A-Za-z0-9._~/?=&%:+,;#!$*@-]*)?")
_IN_ADDRESS = re.compile(r"[^A-Za-z0-9._~/?=%:#-]")
"""What may stand in an address, but might have a meaning in Markdown or HTML."""


def prose(text: str, length: int = PROSE) -> str:
    """The text on one line, every character of it as it is and none with a meaning."""
    line = cut(printable(text[: 2 * length]), length).strip()
    parted = _SEEN_LATER.sub(lambda match: f"{match[0]}\u200b", line)
    return _MEANT.sub(_entities, parted)


def code(text: str, length: int = CELL) -> str:
    """The text as code, for names and values; also inside a table's cell."""
    told = prose(text, length)
    return f"<code>{told}</code>" if told else ""


def fence(lines: Iterable[str], language: str = "text") -> tuple[str, tuple[str, ...], str]:
    """A block of code that none of its lines can end: what opens it, its lines, what ends it."""
    body = tuple(printable(cut(line, LINE)) for line in lines)
    longest = max((len(run) for line in body for run in re.findall("`+", line)), default=0)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}", body, marks


def row(cells: Iterable[str]) -> str:
    """A row of a table, of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |"


def head(cells: Sequence[str]) -> str:
    """What stands above the rows of a table."""
    return f"{row(cells)}\n{row(['---'] * len(cells))}\n"


def alert(kind: str, *lines: str) -> str:
    """A highlighted block: NOTE, TIP, IMPORTANT, WARNING or CAUTION. A paragraph a line."""
    return f"> [!{kind}]\n" + "\n>\n".join(f"> {line}" for line in lines if line)


def link(told: str, url: str, hosts: Iterable[str]) -> str:
    """A link of Markdown `told` to an https address on one of the hosts; else what is told.

    A host with a port is meant with this port alone.
    """
    target = address(url, hosts)
    return f"[{told}]({target})" if target else told


def address(url: str, hosts: Iterable[str]) -> str:
    """The address as a link may have it, "" where it may not lead there."""
    if len(url) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        known = {parts.hostname or "", f"{parts.hostname}:{parts.port or 443}"}
    except ValueError:  # of a port
        return ""
    if not known & {host.lower() for host in hosts if host}:
        return ""
    return _IN_ADDRESS.sub(lambda match: f"%{ord(match[0]):02X}", url).replace("%26", "&amp;")


def _entities(match: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in match[0])
