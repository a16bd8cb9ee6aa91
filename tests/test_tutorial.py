"""docs/tutorial.md, followed to its end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.walkthrough import Reader, steps

PAGE = (Path(__file__).parents[1] / "docs/tutorial.md").read_text(encoding="utf-8")


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Someone with an empty home, who has activated the environment that reprocheck is in."""
    (tmp_path / "home").mkdir()
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    env = os.environ | {
        "HOME": str(tmp_path / "home"),
        "XDG_STATE_HOME": str(tmp_path / "home/state"),
        # What this machine has fetched and built, and the package indexes that it uses.
        "XDG_CACHE_HOME": str(user),
        "XDG_CONFIG_HOME": str(settings),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "COLUMNS": "80",
    }
    del env["REPROCHECK_CAPTURE"]  # tests do not record; here the runs' records are the matter
    return Reader(cwd=tmp_path, env=env)


def test_the_tutorial_can_be_followed(reader: Reader) -> None:
    reader.follow(PAGE)
    assert reader.cwd.name == "points"
    assert len(set(reader.ids.values())) == 3


def console(*lines: str) -> str:
    return "\n".join(("```console", *lines, "```", ""))


SHOWN, B, C, D = ("abcd"[index] * 32 for index in range(4))


def test_ids_of_a_page_stand_for_the_real_ones(tmp_path: Path) -> None:
    reader = Reader(cwd=tmp_path, env=dict(os.environ))
    reader.follow(console(f"$ echo run {B}", f"run {SHOWN}", "$ echo aaaaaaa | cat", "aaaaaaa"))
    assert reader.ids == {SHOWN: B}
    with pytest.raises(AssertionError):
        reader.follow(console(f"$ echo {C} {D}", f"{'e' * 32} {'e' * 32}"))


@pytest.mark.parametrize(
    "lines",
    [
        ("$ printf 'a\\nb\\n'", "a"),
        ("$ printf 'a\\nb\\n'", "…", "a"),
        ("$ echo ab", "…c"),
        ("$ false",),
        ("$ true", "$ echo $?", "1"),
    ],
)
def test_a_page_that_says_otherwise_is_found_out(tmp_path: Path, lines: tuple[str, ...]) -> None:
    with pytest.raises(AssertionError):
        Reader(cwd=tmp_path, env=dict(os.environ)).follow(console(*lines))


def test_what_is_left_out_may_be_anything(tmp_path: Path) -> None:
    reader = Reader(cwd=tmp_path, env=dict(os.environ))
    reader.follow(console("$ printf 'a\\nb\\nc d\\n'", "a", "…", "c…"))
    reader.follow(console("$ X=3 bash -c 'exit $X'", "$ echo $?", "3"))


def test_files_are_written_as_they_are_shown(tmp_path: Path) -> None:
    reader = Reader(cwd=tmp_path, env=dict(os.environ))
    reader.follow(
        '```python title="a/b.py"\nx = 1\n```\n\n```console\n$ cat \\\n    a/b.py\nx = 1\n```\n'
    )
    assert (tmp_path / "a/b.py").read_text() == "x = 1\n"
    assert [step.file for step in steps(PAGE) if step.file][:2] == ["data.py", "train.py"]
