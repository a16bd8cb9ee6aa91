"""The pages of the reference, by their names: made of commands, schemas and the README's table."""

from __future__ import annotations

import json
import re
from pathlib import Path

from manual import commands, schemas


def pages(root: Path) -> dict[str, str]:
    """Text in Markdown by the page's name below `reference/`."""
    made = {"cli.md": commands.page(), "exit-codes.md": exit_codes(root)}
    every = {_name(path): json.loads(path.read_text("utf-8")) for path in _files(root)}
    return made | {f"{name}.md": schemas.page(name, every) for name in every}


def exit_codes(root: Path) -> str:
    """The page of exit codes: the README's table."""
    readme = (root / "README.md").read_text("utf-8")
    table = re.search(r"^\| exit code \|.*?\n(?:\|.*\n)+", readme, re.MULTILINE)
    if table is None:
        raise LookupError("README.md has no table that begins with '| exit code |'")
    return (
        "# Exit codes\n\nOf `reprocheck verify` and `compare`, and of the other commands where "
        "their help says nothing else.\n\n" + table.group()
    )


def _files(root: Path) -> list[Path]:
    return sorted((root / "schemas").glob("*.schema.json"))


def _name(path: Path) -> str:
    return path.name.removesuffix(".schema.json")
