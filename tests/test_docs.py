"""All pages and the README: their command lines parse, and their configs follow the schema."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from reprocheck import schema
from reprocheck.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
    if path.name != "CHANGELOG.md"  # it tells what was
}
FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"(?:^|[ |;(&]|- )(reprocheck [a-z-].*)")
CONFIG = set(schema.load("config")["properties"])


# --- command lines ------------------------------------------------------------------------


def lines_of_code(page: str) -> Iterator[str]:
    """What a page shows as code, a line each; of a session the commands alone."""
    text = page.replace("\\\n", "")
    for _, language, body in FENCE.findall(text):
        lines = [line.strip() for line in body.splitlines()]
        prompted = [line[2:] for line in lines if line.startswith("$ ")]
        if language in ("", "sh", "bash", "console"):
            yield from prompted or (line for line in lines if line.startswith("reprocheck "))
        elif language == "yaml":
            yield from (line for line in lines if re.match(r"(?:- |run: )?reprocheck ", line))
    prose = FENCE.sub("", text)
    yield from re.findall(r"^    (\S.*)$", prose, re.MULTILINE)
    yield from (" ".join(each.split()) for each in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose))


def command_lines() -> list[tuple[str, str]]:
    return [
        (name, found[1])
        for name, page in PAGES.items()
        for line in lines_of_code(page)
        if (found := OURS.match(line) or OURS.search(line.split("`")[0]))
    ]


def words(line: str) -> list[str]:
    """The arguments of one command, without what a shell adds to it."""
    parts = shlex.shlex(line.replace("[--] ", ""), posix=True, punctuation_chars="();<>|&")
    parts.whitespace_split = True
    return list(itertools.takewhile(lambda word: not set(word) <= set("();<>|&"), parts))[1:]


def parse(given: list[str]) -> None:
    """Raises `click.UsageError` for what the command line would refuse."""
    name, *args = given
    if name.startswith("-"):  # of `reprocheck` itself
        cli.make_parser(click.Context(cli)).parse_args(given)
        return
    context = click.Context(cli)
    command = cli.get_command(context, name)
    if command is None:
        raise click.UsageError(f"no such command: {name}")
    if isinstance(command, click.Group):
        return
    own = click.Context(command, info_name=name, parent=context)
    values, left, _ = command.make_parser(own).parse_args(args)
    if left:
        raise click.UsageError(f"unexpected arguments: {' '.join(left)}")
    for parameter in command.params:
        value = values.get(parameter.name)
        if isinstance(parameter.type, click.Choice) and isinstance(value, str) and value.islower():
            parameter.type.convert(value, parameter, own)


def test_every_command_line_parses() -> None:
    lines = command_lines()
    assert len(lines) > 150
    wrong = []
    for name, line in lines:
        try:
            parse(words(line))
        except (click.UsageError, ValueError) as error:
            wrong.append(f"{name}: {line}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "line",
    [
        "reprocheck verify 3f2a91 --reprot x",
        "reprocheck verfy 3f2a91",
        "reprocheck verify 3f2a91 --seeds random",
        "reprocheck --versoin",
        "reprocheck verify 3f2a91 --json",
        "reprocheck verify 3f2a91 77be02",
    ],
)
def test_a_line_that_would_be_refused_is_found(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(words(line))


def test_lines_are_found_wherever_they_are_code() -> None:
    page = (
        "Say `reprocheck\naudit --json -`, or\n\n    reprocheck plan 3f2a91   # before\n\n"
        "```console\n$ RUN=1 reprocheck clean\nreprocheck told\n```\n\n"
        "```yaml\nscript:\n  - reprocheck verify x\n```\n"
    )
    found = [OURS.search(line) for line in lines_of_code(page)]
    assert {each[1] for each in found if each} == {
        "reprocheck audit --json -",
        "reprocheck plan 3f2a91   # before",
        "reprocheck clean",
        "reprocheck verify x",
    }
    assert words("reprocheck plan 3f2a91 > out   # before") == ["plan", "3f2a91"]


# --- configs ------------------------------------------------------------------------------


def documents() -> list[tuple[str, str, object]]:
    """The configs and experiment definitions that pages show: the page, the shape, the content."""
    found = []
    for name, page in PAGES.items():
        for _, language, body in FENCE.findall(page):
            content = yaml.safe_load(body) if language == "yaml" else None
            if isinstance(content, dict) and set(content) <= CONFIG:
                shape = "experiment" if "primary" in content.get("metrics", {}) else "config"
                found.append((name, shape, {"version": 1} | content))
    return found


def test_every_config_follows_its_schema() -> None:
    every = documents()
    assert len(every) > 30
    wrong = [(name, issues) for name, shape, each in every if (issues := schema.check(each, shape))]
    assert wrong == []
    declared = sum(
        len(re.findall(r"^ *version: 1$", page, re.MULTILINE)) for page in PAGES.values()
    )
    assert declared <= len(every)
