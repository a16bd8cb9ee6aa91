import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from reprocheck.reporters import audit_html
from reprocheck.reporters.audit_words import safe
from tests.audit.samples import CASES, HOSTILE, a_run, audited, hostile, many, three

EMPTY = {"meta", "input", "br", "rect"}


class Page(HTMLParser):
    """What a page holds; fails where its tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        for tag in dict.fromkeys(self.open):
            self.texts.setdefault(tag, []).append(data)

    def attributes(self, tag):
        return [attributes for each, attributes in self.tags if each == tag]


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_well_formed_and_fetches_nothing(case):
    page = Page(audit_html.render(CASES[case]()))
    names = {tag for tag, _ in page.tags}
    assert not names & {"link", "img", "iframe", "object", "embed", "form", "base"}
    told = [name for _, attributes in page.tags for name in attributes]
    assert not [name for name in told if name.startswith("on") or name in ("src", "href", "style")]


def test_the_policy_allows_the_page_its_own_script_and_style_only():
    page = Page(audit_html.render(three()))
    policy = page.attributes("meta")[1]["content"]
    for tag in ("script", "style"):
        [digest] = re.findall(rf"{tag}-src 'sha256-([^']+)'", policy)
        content = "".join(page.texts[tag]).encode()
        assert base64.b64decode(digest) == hashlib.sha256(content).digest()
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_hostile_text_is_text():
    page = Page(audit_html.render(hostile()))
    assert len(page.attributes("script")) == 1
    assert "alert" not in "".join(page.texts["script"])
    assert safe(HOSTILE) in "".join(page.texts["tbody"])
    assert "49" not in "".join(page.texts["main"])


def test_every_run_has_its_line_the_worst_first_and_can_be_opened_without_a_script():
    page = Page(audit_html.render(three()))
    rows = [each["class"] for each in page.attributes("tr") if "class" in each]
    assert rows == ["is-bad", "is-fair", "is-good"]
    assert len(page.attributes("details")) == 3
    assert "".join(page.texts["summary"]).startswith("missing-command, missing-seed")


def test_headings_and_tables_say_what_they_are():
    page = Page(audit_html.render(many()))
    headings = [tag for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings == ["h1", "h2", "h2", "h2"]
    assert page.texts["h1"] == ["10 of 40 runs are verifiable now, 5 with caveats, 25 not"]
    assert {each.get("scope") for each in page.attributes("th")} == {"col", "row"}
    assert page.attributes("html") == [{"lang": "en"}]
    assert [each["role"] for each in page.attributes("svg")] == ["img"]


def test_the_bar_is_whole():
    bar = Page(audit_html.render(many(7))).attributes("rect")
    assert sum(int(each["width"]) for each in bar) == 1000


def test_experiments_are_told_where_there_are_several():
    runs = tuple(a_run(i, experiment=name) for i, name in enumerate(("faces", "digits")))
    assert "Experiment" in Page(audit_html.render(audited(runs))).texts["thead"]
    assert "Experiment" not in Page(audit_html.render(three())).texts["thead"]


def _luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return sum(x * weight for x, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_text_can_be_read_in_light_and_dark():
    style = "".join(Page(audit_html.render(three())).texts["style"])
    for scheme in style.split("@media screen and (prefers-color-scheme: dark)")[:2]:
        colors = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for name in ("text", "quiet", "accent", "good", "fair", "bad"):
            for ground in ("ground", "raised"):
                light, dark = sorted((_luminance(colors[name]), _luminance(colors[ground])))[::-1]
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)
