"""Parts of a text, laid out for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType

_COMMAND = re.compile(r"^((?:\x1b\[[0-9;]*m)*)(\s*)::")


def laid_out(parts: Iterable[RenderableType], *, width: int, color: bool) -> str:
    """The parts as lines of at most `width` columns; with `color`, with ANSI escapes."""
    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        force_jupyter=False,
        highlight=False,
        legacy_windows=False,
    )
    for part in parts:
        console.print(part)
    lines = (_no_command(line.rstrip()) for line in out.getvalue().splitlines())
    return "\n".join(lines).strip("\n") + "\n"


def _no_command(line: str) -> str:
    """The line, which in GitHub Actions must not be a command: text of a run may begin it where a
    longer line was broken."""
    return _COMMAND.sub(r"\1\2: :", line.replace("##[", "## ["))
