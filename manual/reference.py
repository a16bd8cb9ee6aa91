"""The pages of the reference, by their names: made of commands, schemas and the README's table."""

from __future__ import annotations

import json
import re
from pathlib import Path

from manual import commands, schemas


def pages(root: Path) -> dict[str, str]:
    """Text in Markdown by the page's name below `reference/`."""
    made = {"cli.md": commands.page(), "verdicts.md": verdicts(root)}
    every = {_name(path): json.loads(path.read_text("utf-8")) for path in _files(root)}
    return made | {f"{name}.md": schemas.page(name, every) for name in every}


def verdicts(root: Path) -> str:
    """The page of verdicts and exit codes: the README's two tables."""
    readme = (root / "README.md").read_text("utf-8")
    return "\n".join(
        (
            "# Verdicts and exit codes\n",
            "A run has the worst verdict of the metrics that are judged. Strongest first:\n",
            _table(readme, "verdict"),
            "`reprocheck verify` and `compare` end with these codes, and so do the other commands "
            "where their help says nothing else:\n",
            _table(readme, "exit code"),
        )
    )


def _table(readme: str, first: str) -> str:
    """Raises `LookupError` where there is no table whose first column is called so."""
    table = re.search(rf"^\| {first} \|.*?\n(?:\|.*\n)+", readme, re.MULTILINE)
    if table is None:
        raise LookupError(f"README.md has no table that begins with '| {first} |'")
    return table.group()


def _files(root: Path) -> list[Path]:
    return sorted((root / "schemas").glob("*.schema.json"))


def _name(path: Path) -> str:
    return path.name.removesuffix(".schema.json")
