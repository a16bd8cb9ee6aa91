import html
import re

import pytest

from tests.conftest import need
from tests.reporters import pictures


@pytest.fixture(scope="module")
def narrow(tmp_path_factory):
    """All comments in a narrow window, as a browser has them: what it says, and what it made."""
    source = tmp_path_factory.mktemp("pictures") / "page.html"
    source.write_text(pictures.page(pictures.every(), "dark"), encoding="utf-8")
    return pictures.chromium(need("chromium"), source, pictures.NARROW, "--dump-dom")


def test_a_browser_shows_every_comment_without_an_error(narrow):
    assert "CONSOLE" not in narrow.stderr
    assert f'data-articles="{len(pictures.every())}"' in narrow.stdout


def test_nothing_but_tables_and_code_is_wider_than_a_narrow_page(narrow):
    assert html.unescape(re.findall('data-wide="([^"]*)"', narrow.stdout)[0]) == "none"
