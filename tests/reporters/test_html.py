import pytest

from reprocheck.reporters import base, html
from tests.reporters.cases import CASES


@pytest.mark.parametrize("case", CASES)
def test_every_verdict_opens_without_an_error_and_asks_for_nothing(case, browser):
    report = CASES[case]()
    page = browser.new_page()
    told, asked = [], []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html.render(report))
    assert base.headline(report) in page.inner_text("h1")
    assert (told, asked) == ([], [])
    page.close()
