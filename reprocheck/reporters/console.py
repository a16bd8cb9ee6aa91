"""Parts of a text, laid out for a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType

from reprocheck.workflow_log import no_command


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
    lines = (no_command(line.rstrip()) for line in out.getvalue().splitlines())
    return "\n".join(lines).strip("\n") + "\n"
