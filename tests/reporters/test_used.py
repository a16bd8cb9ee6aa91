"""used: what was not installed as the run had it, and what was restored."""

from __future__ import annotations

import pytest

from reprocheck.documents import report_document
from reprocheck.model import (
    Origin,
    OriginKind,
    PackageDifference,
    PackageGrade,
    PackageLists,
    Report,
    Setting,
)
from reprocheck.reporters import markdown, terminal
from reprocheck.schema import check
from tests.reporters.builders import make_report


@pytest.fixture
def report() -> Report:
    differences = [
        PackageDifference(name="torch", asked="2.1.0", landed="2.2.0", grade=PackageGrade.FRAMEWORK)
    ]
    differences += [
        PackageDifference(name=f"p|{i}", asked=None, landed="1", grade=PackageGrade.OTHER)
        for i in range(7)
    ]
    lists = PackageLists(
        source="freeze.txt",
        asked=(("torch", "2.1.0"),),
        whole=True,
        frameworks=("torch",),
        differences=tuple(differences),
    )
    setting = Setting(
        name="PYTHONHASHSEED", value="7", origin=Origin(kind=OriginKind.TAG, where="tags")
    )
    return make_report(packages=lists, settings=(setting,))


def test_the_terminal_shows_the_worst_differences(report):
    text = terminal.render(report)
    assert "1 package asked for by freeze.txt; 8 differ" in text
    assert "torch    2.1.0  2.2.0   framework" in text
    assert "and 3 more" in text
    assert "PYTHONHASHSEED=7 (tags)" in text
    assert "and 3 more" not in terminal.render(report, verbose=True)


def test_markdown_has_the_whole_table_and_escapes_it(report):
    text = markdown.render(report)
    assert "8 packages not as the run had them" in text
    assert "<code>torch</code> | <code>2.1.0</code> | <code>2.2.0</code> | framework |" in text
    assert "p|6" not in text


def test_the_document_holds_both(report):
    document = report_document(report)
    assert check(document, "report") == ()
    assert document["packages"]["differences"][0]["grade"] == "framework"
    assert document["settings"][0]["value"] == "7"
