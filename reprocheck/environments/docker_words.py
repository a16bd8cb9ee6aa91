"""What docker tells of a build or a download, in few words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reprocheck.environments.docker_failures import ImageError, classify
from reprocheck.environments.logins import without_secrets
from reprocheck.progress import bytes_bar

_END = 32_000  # bytes of a log
_LONGEST = 80
_STEP = re.compile(
    r"^(?:#\d+ \[(?:[^\]\n]*? )?(?P<step>\d+)/(?P<of>\d+)\]"  # BuildKit
    r"|Step (?P<old_step>\d+)/(?P<old_of>\d+) :)",  # the engine's own builder
    re.MULTILINE,
)


def end_of(log: Path) -> str:
    """The end of a log, "" where it is not there yet."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


class BuildWords:
    """Words about one build, from what it prints."""

    def __init__(self) -> None:
        self._step = ""

    def after(self, text: str) -> str:
        """The step that the end of the output is about, of how many, and its last line."""
        for found in _STEP.finditer(text):
            step, of = found["step"] or found["old_step"], found["of"] or found["old_of"]
            self._step = f", step {step} of {of}"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        last = f": {without_secrets(lines[-1])[:_LONGEST]}" if lines else ""
        return f"{self._step}{last}"


def pull_words(doing: str, told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """How much of an image has come, whenever the engine tells of it.

    A layer's size is known only when its download begins: so the total grows in the beginning.
    Raises `ImageError` where the engine tells of a failure.
    """
    done: dict[str, int] = {}
    total: dict[str, int] = {}
    for line in told:
        if line.get("error"):
            raise ImageError(doing, classify(str(line["error"])), str(line["error"]))
        layer, detail = str(line.get("id") or ""), line.get("progressDetail") or {}
        status = str(line.get("status") or "")
        if status == "Downloading" and detail.get("total"):
            done[layer], total[layer] = int(detail.get("current") or 0), int(detail["total"])
            yield bytes_bar(sum(done.values()), sum(total.values()))
        elif layer in total and status == "Extracting":
            done[layer] = total[layer]
            yield f"extracting {bytes_bar(sum(done.values()), sum(total.values()))}"
