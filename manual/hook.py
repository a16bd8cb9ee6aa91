"""MkDocs' hook (see mkdocs.yml): adds the pages of the reference, and leads links to what is in the
repository but not on the site.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # MkDocs loads a hook by its path; ours is part of a package

from manual import links, reference  # noqa: E402


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that nobody writes."""
    for name, text in reference.pages(ROOT).items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """The page, with its links out of `docs/` rewritten."""
    return links.rewritten(markdown, page.file.src_uri, ROOT)
