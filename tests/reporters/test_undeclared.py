"""What was read and is versioned nowhere, in each report."""

from __future__ import annotations

import pytest

from reprocheck.model import UndeclaredInput
from reprocheck.reporters import markdown, terminal
from tests.reporters.builders import make_report

EMPTY = "traced, nothing undeclared was read"


def read(count: int) -> tuple[UndeclaredInput, ...]:
    return tuple(
        UndeclaredInput(path=f"/shared/{n}.csv", sha256="ab" * 32, size=5, hint="under data: …")
        for n in range(count)
    )


@pytest.mark.parametrize("render", [terminal.render, markdown.render])
def test_where_nobody_looked_nothing_is_said(render):
    told = render(make_report(undeclared=None))
    assert "traced" not in told
    assert "versioned nowhere" not in told


@pytest.mark.parametrize("render", [terminal.render, markdown.render])
def test_a_trace_without_undeclared_files_is_told(render):
    assert EMPTY in render(make_report(undeclared=()))


def test_the_terminal_names_the_first_files_and_counts_the_others():
    report = make_report(undeclared=read(7))
    told = terminal.render(report, width=120)
    assert "/shared/0.csv (5 bytes, sha256 abababababab…): read, but versioned nowhere" in told
    assert "/shared/5.csv" not in told
    assert "and 2 more" in told
    assert "/shared/6.csv" in terminal.render(report, width=120, verbose=True)


def test_markdown_lists_them_as_text():
    odd = UndeclaredInput(path="/x/<b>|`y`.csv", sha256="", size=None, hint="")
    told = markdown.render(make_report(undeclared=(odd, *read(2))))
    assert "**Read, but versioned nowhere**" in told
    assert "/x/<b>" not in told
    assert "csv (5 bytes" in told.replace("&#46;", ".")
