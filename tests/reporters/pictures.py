"""Comments and summaries as GitHub shows them, more or less: our own style, and no network.

`python -m tests.reporters.pictures FOLDER` takes a picture of each, light and dark, wide and
narrow, by headless Chromium.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

from reprocheck.reporters import comment
from tests.reporters.checks import COMMENTS

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-extensions", "--disable-default-apps", "--enable-logging=stderr"),
)
WIDE, NARROW = 830, 390
CSS = """
*{box-sizing:border-box}
body{margin:0;padding:16px;font:14px/1.5 -apple-system,'Segoe UI','Noto Sans',Helvetica,Arial,
'DejaVu Sans',sans-serif;color:var(--fg);background:var(--bg)}
.light{--fg:#1f2328;--bg:#fff;--muted:#59636e;--line:#d1d9e0;--code:#818b981f;--row:#f6f8fa;
--link:#0969da;--tip:#1a7f37;--note:#0969da;--important:#8250df;--warning:#9a6700;--caution:#d1242f}
.dark{--fg:#f0f6fc;--bg:#0d1117;--muted:#9198a1;--line:#3d444d;--code:#656c7633;--row:#151b23;
--link:#4493f8;--tip:#3fb950;--note:#4493f8;--important:#ab7df8;--warning:#d29922;--caution:#f85149}
article{border:1px solid var(--line);border-radius:6px;padding:16px;margin-bottom:16px;
overflow-wrap:break-word}
h2{font-size:1.5em;border-bottom:1px solid var(--line);padding-bottom:.3em;margin:0 0 16px}
h3{font-size:1.25em;margin:24px 0 16px}
h2,h3{font-weight:600;line-height:1.25}
p,ul,pre,table,blockquote,details{margin:0 0 16px}
a{color:var(--link);text-decoration:none}
code{font:85%/1.5 ui-monospace,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace;
background:var(--code);padding:.2em .4em;border-radius:6px;white-space:break-spaces}
pre{background:var(--row);padding:16px;overflow:auto;border-radius:6px}
pre code{background:none;padding:0;white-space:pre}
table{display:block;width:max-content;max-width:100%;overflow:auto;border-collapse:collapse}
td,th{border:1px solid var(--line);padding:6px 13px}
th{font-weight:600} tr:nth-child(2n) td{background:var(--row)}
blockquote{padding:0 1em;color:var(--muted);border-left:.25em solid var(--line)}
blockquote>:last-child{margin-bottom:0}
.alert{padding:8px 16px;border-left:.25em solid var(--kind);color:var(--fg)}
.alert strong.kind{color:var(--kind);font-weight:500;display:block;margin-bottom:4px}
sub{font-size:75%;color:inherit}
ul{padding-left:2em}
"""
MEASURE = """
const wide = [];
for (const article of document.querySelectorAll('article')) {
  const edge = article.getBoundingClientRect().right + 0.5;
  for (const each of article.querySelectorAll('*'))
    if (!each.parentElement.closest('table,pre') && each.getBoundingClientRect().right > edge)
      wide.push(article.id + ': ' + each.tagName);
}
document.body.dataset.wide = wide.join('; ') || 'none';
document.body.dataset.articles = document.querySelectorAll('article').length;
"""


def article(name: str, markdown: str) -> str:
    """Markdown as an element of a page, with highlighted blocks as GitHub makes them."""
    made = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    alerts = re.sub(r"<blockquote>\s*<p>\[!([A-Z]+)\]\s*", _alert, made)
    return f'<article id="{name}">{alerts}</article>'


def _alert(match: re.Match[str]) -> str:
    kind = match[1].lower()
    title = f'<strong class="kind">{kind.title()}</strong>'
    return f'<blockquote class="alert" style="--kind:var(--{kind})">{title}<p>'


def page(articles: Iterable[str], theme: str) -> str:
    """A page that needs nothing beside itself, and measures what is too wide on it."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Comments</title>'
        f"<style>{CSS}</style><body class={theme}>{''.join(articles)}<script>{MEASURE}</script>"
    )


def every() -> list[str]:
    """All comments, with folds closed as they come, and a summary."""
    shown = [article(name, comment.render(*COMMENTS[name])) for name in COMMENTS]
    return [*shown, article("summary", comment.summary(*COMMENTS["whole"]))]


def chromium(
    program: str, source: Path, width: int, *action: str
) -> subprocess.CompletedProcess[str]:
    """Opens the page in a browser that is new and forgets all of it."""
    with tempfile.TemporaryDirectory(prefix="reprocheck-chromium-") as folder:
        argv = [program, *FLAGS, f"--user-data-dir={folder}", f"--window-size={width},1200"]
        return subprocess.run(
            [*argv, *action, source.resolve().as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )


def main(folder: Path) -> None:
    """A picture of each comment and of the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for width in (WIDE, NARROW):
            for shown in every():
                name = re.findall('id="([^"]*)"', shown)[0]
                source = folder / "page.html"
                source.write_text(page([shown], theme), encoding="utf-8")
                picture = folder / f"{name}-{theme}-{width}.png"
                chromium("chromium", source, width, f"--screenshot={picture}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
