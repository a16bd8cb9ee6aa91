import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reprocheck.hostile import printable
from reprocheck.reporters import markup


def _html(text):
    return cmarkgfm.github_flavored_markdown_to_html(text, Options.CMARK_OPT_UNSAFE)


MARKS = st.text(st.sampled_from("ab1 |\\`*_~[]()<>!#@:/.-+=&;$\"'\n\t\u202e\u00e9)"), max_size=40)


@settings(max_examples=50)
@given(MARKS | st.text(max_size=40))
@example("1) x")
@example("www.a.b http://c.d a@b.c")
@example("\\|")
def test_any_text_is_one_cell_of_itself(text):
    import html

    table = f"{markup.head(['a', 'b'])}{markup.row([markup.code(text), markup.prose(text)])}\n"
    made = _html(table)
    assert set(re.findall(r"<(\w+)", made)) <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    cells = re.findall("<td>(.*?)</td>", made, re.S)
    told = printable(text).strip()
    shown = [re.sub("</?code>|\u200b", "", cell) for cell in cells]
    assert [html.unescape(cell).strip() for cell in shown] == [told.replace("\u200b", "�")] * 2


@settings(max_examples=40)
@given(st.lists(MARKS, min_size=1, max_size=4))
@example(["```", "</details>", "`````", "~~~"])
def test_any_lines_are_one_block_of_code(lines):
    before, rows, after = markup.fence(lines)
    made = _html("\n".join([before, *rows, after, "", "after"]))
    assert made.count("<pre") == 1
    assert made.endswith("</code></pre>\n<p>after</p>\n")


@pytest.mark.parametrize(
    ("url", "hosts", "found"),
    [
        ("https://a.b/c", ["a.b"], "https://a.b/c"),
        ("https://a.b", ["A.B"], "https://a.b"),
        ("https://a.b:8443/c", ["a.b:8443"], "https://a.b:8443/c"),
        ("https://a.b:8443/c", ["a.b"], "https://a.b:8443/c"),
        ("https://a.b/c", ["a.b:8443"], ""),
        ("https://a.b/c", ["a.b:443"], "https://a.b/c"),
        ("https://a.b/c?d=1&e=@", ["a.b"], "https://a.b/c?d=1&amp;e=%40"),
        ("https://x.a.b/c", ["a.b"], ""),
        ("https://a.b/c", ["", "x.y"], ""),
        ("HTTPS://a.b/c", ["a.b"], ""),
        ("https://a.b/" + "c" * 3_000, ["a.b"], ""),
    ],
)
def test_an_address_is_https_and_of_a_known_host(url, hosts, found):
    assert markup.address(url, hosts) == found
