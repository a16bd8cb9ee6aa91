"""Pages in a real browser: its console, its requests, its folds, and what axe-core says of them."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from axe_playwright_python.base import AXE_FILE_PATH

from reprocheck.reporters import audit_html, html
from tests.audit import samples
from tests.reporters.cases import CASES
from tests.reporters.everything import PAGES

NARROW = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 900}
REPORTS = {**CASES, **PAGES}
OPENED = ("dry_run", "crashed", "everything", "hostile", "minimal")
JUDGED = ("everything", "hostile", "audit")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
JUDGE = "tags => axe.run({runOnly: tags, resultTypes: ['violations']})"
CUT = """[...document.querySelectorAll('.scroll:has(> .stacked)')]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"""
UNFOLD = "document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"
OVER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


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


@pytest.mark.parametrize("name", OPENED)
def test_a_page_opens_and_unfolds_and_nothing_is_wider_than_a_phone(name, browser, tmp_path):
    with opened(browser, tmp_path, html.render(REPORTS[name]())) as page:
        page.set_viewport_size(NARROW)
        assert page.evaluate(OVER) == 0
        page.evaluate(UNFOLD)
        assert page.locator("details:not([open])").count() == 0
        assert page.evaluate(OVER) == 0
        assert page.evaluate(CUT) == []
        assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize("name", JUDGED)
def test_axe_finds_nothing_in_light_nor_in_dark_on_a_phone(name, browser, tmp_path):
    # The page's own policy keeps foreign scripts out, and so axe-core.
    is_audit = name == "audit"
    text = audit_html.render(samples.three()) if is_audit else html.render(REPORTS[name]())
    with opened(browser, tmp_path, text, bypass_csp=True) as page:
        page.evaluate(AXE_FILE_PATH.read_text())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        for scheme, size in (("light", WIDE), ("dark", NARROW)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found = page.evaluate(JUDGE, TAGS)["violations"]
            assert [
                (each["id"], node["html"][:200], node["failureSummary"])
                for each in found
                for node in each["nodes"][:3]
            ] == []


def test_folds_open_by_keyboard_and_by_click_and_scrolled_parts_take_the_focus(browser, tmp_path):
    with opened(browser, tmp_path, html.render(CASES["several"]())) as page:
        first, *others = page.locator("summary").all()
        first.focus()
        page.keyboard.press("Enter")
        assert page.locator("details[open]").count() == 1
        for fold in others:
            fold.click()
        assert page.locator("details:not([open])").count() == 0
        assert page.locator(".scroll:not([tabindex='0'])").count() == 0


def test_paper_is_light_and_holds_what_is_folded(browser, tmp_path):
    with opened(browser, tmp_path, html.render(CASES["several"]()), color_scheme="dark") as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(ground) == "rgb(20, 23, 28)"
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        assert page.get_by_text("Standard deviation of the reruns").first.is_visible()
        assert page.locator("nav").is_hidden()
