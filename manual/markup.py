"""Text of helps and schemas as Markdown that shows just it."""

from __future__ import annotations

import html
import re

_CODE = re.compile(r"`([^`]+)`")


def code(text: str) -> str:
    """The text as code, safe in a cell of a table."""
    return f"<code>{_entities(text)}</code>"


def path(text: str) -> str:
    """The path of a key as code that may be broken after its dots."""
    return code(text).replace(".", ".<wbr>")


def cell(text: str) -> str:
    """A paragraph, safe in a cell of a table: only what stands between backticks is markup."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(code(part) if index % 2 else _entities(part) for index, part in enumerate(parts))


def _entities(text: str) -> str:
    """Every character that Markdown or HTML could take for markup, by its number."""
    escaped = html.escape(text, quote=False)
    return re.sub(r"[|*_`\[\]{}\\~^#]", lambda found: f"&#{ord(found[0])};", escaped)
