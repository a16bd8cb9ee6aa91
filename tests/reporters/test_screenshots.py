"""The pictures of the README are of today's comment and page."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from reprocheck.reporters import terminal
from tests.reporters import screenshots

README = (screenshots.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", screenshots.SHOTS)
def test_a_picture_is_of_what_is_shown_now_and_small(name: str) -> None:
    path, shot = screenshots.FOLDER / name, screenshots.SHOTS[name]
    assert path.stat().st_size < screenshots.LARGEST
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("P", (shot.width, shot.height))
        told = image.info[screenshots.DIGEST]
    now = screenshots.digest(shot.source())
    assert told == now, f"{name} is of another day: python -m tests.reporters.screenshots"


def test_the_readme_shows_every_picture_and_says_what_is_on_it() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\(docs/images/([\w.]+)\)", README)
    assert {name for _, name in shown} == set(screenshots.SHOTS)
    assert all(len(told) > 20 for told, _ in shown)


def test_the_readme_prints_what_the_terminal_does() -> None:
    """Of the same report, in 80 columns; a line of … stands for some that are left out."""
    (report,) = screenshots.check().reports
    printed = terminal.render(report).splitlines()
    block = re.search(r"^\$ reprocheck verify \S+.*\n((?:.*\n)*?)```$", README, re.MULTILINE)
    assert block
    lines = block[1].splitlines()
    assert len(lines) > 8
    place = 0
    for line in lines:
        if line != "…":
            assert line in printed[place:], line
            place += printed[place:].index(line) + 1
