"""A run's text adds nothing to the page that GitHub shows: by GitHub's own parser of Markdown."""

import dataclasses
import enum
import html
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from reprocheck.reporters import comment
from tests.reporters.builders import make_comparison, make_record, make_report
from tests.reporters.checks import make_check, make_page, whole_check

STRINGS = {
    "cells": "|a|b\\|c\n| --- |\r\n|| d ||",
    "blocks": "x\n\n## heading\n\n===\n- one\n1. two\n1) three\n> four\n    five\n***\n~~~\n```",
    "html": "</code></details></td><img src=x onerror=a()><h1>h</h1><script>s</script><!-- c",
    "ends": "-->]]>?></p></sub></pre></table>",
    "links": "[l](https://evil.example) ![i](https://evil.example/i) <https://evil.example> [r]",
    "addresses": "https://evil.example www.evil.example a@evil.example mailto:a@b.example",
    "script": "[x](javascript:alert(1)) javascript:alert(1) data:text/html;base64,PHM+",
    "mentions": "@team @a/b #12 GH-12 owner/repo#12 owner/repo@0123abc :boom: :+1:",
    "references": "[reprocheck-state]: data:x\n[l]: https://evil.example\n[l][l] [l] [^1]\n[^1]: n",
    "spans": "**b** _i_ ~~s~~ `c` ``d`` $x$ $$y$$ &copy; &#64;team \\@x \\",
    "marks": "\u202eesrever\u2066\u200f\u061c\x00\x1b[31m\x07\u2028\x85end\ud800",
    "shell": "$(touch x) `id` ;rm -rf ~ '\"' ${{ github.token }} ::error::x %0A",
    "numbers": "1) one",
    "spaces": "    \t \u3000  ",
}


class _Page(HTMLParser):
    """The elements of a page, where its links lead, and its text outside of blocks of code."""

    def __init__(self, markdown):
        super().__init__()
        self.tags, self.links, self.text, self.fences = Counter(), set(), [], 0
        made = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
        self.feed(made)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.fences += tag == "pre"
        self.links |= {value for name, value in attrs if name in ("href", "src")}
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        self.fences -= tag == "pre"

    def handle_data(self, data):
        if not self.fences:
            self.text.append(data)


def poisoned(thing, text):
    """The same with the text in front of every text of it; what is empty stays so."""
    if isinstance(thing, str) and not isinstance(thing, enum.Enum):
        return f"{text}{thing}" if thing else thing
    if isinstance(thing, Mapping):
        return {poisoned(key, text): poisoned(value, text) for key, value in thing.items()}
    if isinstance(thing, tuple | frozenset):
        return type(thing)(poisoned(each, text) for each in thing)
    if dataclasses.is_dataclass(thing):
        names = [field.name for field in dataclasses.fields(thing)]
        return dataclasses.replace(thing, **{n: poisoned(getattr(thing, n), text) for n in names})
    return thing


def _hostile(text):
    """Everything of the check is, and of the page what is read from elsewhere."""
    check, page = whole_check()
    base = {poisoned(run, text): poisoned(report, text) for run, report in page.base.items()}
    earlier = poisoned(page.earlier, text.encode("utf-8", "replace").decode())
    return poisoned(check, text), dataclasses.replace(page, base=base, earlier=earlier)


BENIGN = _Page(comment.render(*_hostile("x")))
LINKS = _Page(comment.render(*whole_check())).links
COUNTED = ("table", "tr", "td", "th", "h1", "h2", "h3", "h4", "img", "li", "blockquote", "hr", "br")
KNOWN = {*COUNTED, "a", "p", "code", "pre", "details", "summary", "sub", "strong", "em", "ul"}
KNOWN |= {"thead", "tbody"}


@pytest.mark.parametrize("kind", STRINGS)
@pytest.mark.parametrize("make", [comment.render, comment.summary])
def test_a_runs_text_adds_no_element(kind, make):
    shown = _Page(make(*_hostile(STRINGS[kind])))
    assert {tag: shown.tags[tag] for tag in COUNTED} == {tag: BENIGN.tags[tag] for tag in COUNTED}
    assert set(shown.tags) <= KNOWN
    assert shown.links <= LINKS


@pytest.mark.parametrize("kind", STRINGS)
def test_a_runs_text_means_nothing_once_it_is_decoded(kind):
    text = " ".join(_Page(comment.render(*_hostile(STRINGS[kind]))).text)
    assert not re.search(r"[@#]\w|GH-\d|www\.|://|:[a-z+]\w*:", text)
    assert not re.search("[\u202e\u2066\u200f\u061c\x00\x1b\x07]", text)


def test_the_text_is_there():
    text = html.unescape("".join(_Page(comment.render(*_hostile(STRINGS["html"]))).text))
    assert "<img src=x onerror=a()>" in text


def test_texts_of_a_megabyte_are_cut():
    long = "|@<" * 350_000
    metrics = (make_comparison(metric=long), make_comparison(metric="f1", sentence=long))
    report = make_report(
        comparisons=metrics, sentence=long, record=make_record(name=long, description=long)
    )
    markdown = comment.render(make_check(report), make_page())
    shown = _Page(markdown)
    assert len(markdown.encode()) <= comment.LARGEST
    assert (shown.tags["h2"], shown.tags["table"]) == (1, 3)
    assert set(shown.tags) <= KNOWN
