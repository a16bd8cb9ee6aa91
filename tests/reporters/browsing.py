"""Pages in a real browser, as a person opens them, and what axe-core says of them."""

from __future__ import annotations

from contextlib import contextmanager

from axe_playwright_python.base import AXE_FILE_PATH

NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""How much wider than the window a page is."""

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_JUDGE = "rules => axe.run({runOnly: rules, resultTypes: ['violations']})"
_UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"


@contextmanager
def opened(browser, tmp_path, text, **options):
    """A page from a file, as a person opens it; fails where it asks for more, or complains."""
    told, asked = [], []
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8")
    with browser.new_context(viewport=WIDE, **options) as context:
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("dialog", lambda dialog: told.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        yield page
        assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
        assert told == []


def violations(browser, tmp_path, text):
    """What axe-core finds on the unfolded page, in light, and in dark on a phone."""
    # The page's own policy keeps foreign scripts out, and so axe-core.
    with opened(browser, tmp_path, text, bypass_csp=True) as page:
        page.evaluate(AXE_FILE_PATH.read_text())
        page.evaluate(_UNFOLD)
        found = []
        for scheme, size in (("light", WIDE), ("dark", NARROW)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found += page.evaluate(_JUDGE, _RULES)["violations"]
    return [
        (each["id"], node["html"][:200], node["failureSummary"])
        for each in found
        for node in each["nodes"][:3]
    ]
