"""What the pages for newcomers say exists: files, headings, commands, options, verdicts."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reprocheck import cli
from reprocheck.model import SEVERITY_ORDER, Verdict

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/design.md", "docs/security.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in found)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)\s]+)\)", prose(path))
    assert links
    for link in links:
        if link.startswith("https://"):
            continue
        name, _, fragment = link.partition("#")
        target = path if not name else (path.parent / name).resolve()
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if fragment:
            assert fragment in anchors(target), link


def code() -> Iterator[str]:
    """Lines of code and pieces of it in the README."""
    for block in FENCED.findall(README):
        yield from block.splitlines()[1:-1]
    yield from (line.strip() for line in README.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", FENCED.sub("", README))


def called() -> list[tuple[str, list[str]]]:
    """Commands of ours that the README shows, each with its options."""
    found = []
    for line in code():
        match = re.match(r"(?:\$ )?reprocheck ([a-z]+)\b([^#|]*)", line)
        if match:
            found.append((match[1], re.findall(r"(?<!\S)--[a-z][a-z-]*", match[2])))
    return found


def command(name: str) -> click.Command:
    found: click.Command = getattr(importlib.import_module(f"reprocheck.cli.{name}"), name)
    return found


def test_every_command_and_option_that_is_shown_exists() -> None:
    shown = called()
    assert {name for name, _ in shown} >= {"demo", "verify"}
    for name, options in shown:
        known = {word for each in command(name).params for word in each.opts}
        assert set(options) <= known, name


def test_every_command_is_told_of() -> None:
    table = README.partition("## The other commands")[2].partition("\n## ")[0]
    rows = " ".join(re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE))
    listed = {name.split()[0] for name in re.findall(r"`([^`]+)`", rows)}
    assert listed | {"verify", "demo"} == set(cli.COMMANDS) - {"action"}


def test_every_verdict_has_its_row_strongest_first() -> None:
    table = README.partition("| verdict | meaning |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| ([A-Z_]+) \|", table, re.MULTILINE)
    assert set(listed) == {each.value for each in Verdict} - {"INFORMATIONAL"}
    assert listed == [each.value for each in SEVERITY_ORDER if each.value in listed]


def test_two_commands_set_a_fresh_clone_up() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    made = re.findall(r"^    make (\w+)", README, re.MULTILINE)
    assert made == ["demo", "test"]
    for target in made:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_each_row_of_the_table_of_other_tools_has_all_its_cells() -> None:
    table = README.partition("## Beside other tools")[2].partition("\n\nWhere")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert len(rows) > 10
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    heads = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert heads[1] == "reprocheck"
    for row in rows[2:]:
        cells = [cell.strip().partition(":")[0] for cell in row.strip("|").split("|")[1:]]
        assert set(cells) <= {"yes", "part", "no", "?", "–"}
