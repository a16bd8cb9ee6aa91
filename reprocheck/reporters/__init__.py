"""After the stages: reports from a `Report` alone."""

from __future__ import annotations

from reprocheck.reporters import json, markdown, terminal
from reprocheck.reporters.base import Reporter

REPORTERS: dict[str, Reporter] = {
    "terminal": terminal.render,
    "json": json.render,
    "markdown": markdown.render,
}
"""Every format, by its name."""
