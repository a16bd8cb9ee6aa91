"""Links of a page to what is in the repository, but not on the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

REPOSITORY = "https://github.com/reprocheck/reprocheck/blob/main"
_PAGES = {"README.md#verdicts-and-exit-codes": "reference/verdicts.md"}
_SCHEMA = re.compile(r"schemas/(\w+)\.schema\.json")
_LINK = re.compile(r"(?<=\]\()((?:\.\./)[^)#\s]*)(#[^)\s]*)?(?=\))")
_FENCED = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2`*$", re.MULTILINE | re.DOTALL)


class BrokenLinkError(Exception):
    """A page links to what the repository has not."""


def rewritten(markdown: str, source: str, root: Path) -> str:
    """The page of this path below docs/, with links that work on the site.

    Links to a schema lead to its generated page; others out of docs/ to the repository's public
    home. On GitHub both lead to the file. Raises `BrokenLinkError`.
    """
    kept = 0
    parts = []
    for block in _FENCED.finditer(markdown):
        parts += [_prose(markdown[kept : block.start()], source, root), block.group()]
        kept = block.end()
    return "".join((*parts, _prose(markdown[kept:], source, root)))


def _prose(text: str, source: str, root: Path) -> str:
    return _LINK.sub(lambda link: _target(link[1], link[2] or "", source, root), text)


def _target(link: str, anchor: str, source: str, root: Path) -> str:
    folder = posixpath.dirname(source)
    path = posixpath.normpath(posixpath.join("docs", folder, link))
    if path.startswith("docs/"):
        return link + anchor
    if not (root / path).exists():
        raise BrokenLinkError(f"docs/{source} links to {path}, which the repository has not")
    schema = _SCHEMA.fullmatch(path)
    page = f"reference/{schema[1]}.md" if schema else _PAGES.get(path + anchor)
    return posixpath.relpath(page, folder or ".") if page else f"{REPOSITORY}/{path}{anchor}"
