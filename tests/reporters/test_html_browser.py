"""Pages in a real browser: its console, its requests, its folds, and what axe-core says of them."""

from __future__ import annotations

import pytest

from reprocheck.reporters import audit_html, html
from tests.audit import samples
from tests.reporters.browsing import NARROW, OVER, opened, violations
from tests.reporters.cases import CASES
from tests.reporters.everything import PAGES

REPORTS = {**CASES, **PAGES}
OPENED = ("dry_run", "crashed", "everything", "hostile", "minimal")
JUDGED = ("everything", "audit")
CUT = """[...document.querySelectorAll('.scroll:has(> .stacked)')]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => each.ariaLabel)"""
UNFOLD = "document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"


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
    is_audit = name == "audit"
    text = audit_html.render(samples.three()) if is_audit else html.render(REPORTS[name]())
    assert violations(browser, tmp_path, text) == []


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
