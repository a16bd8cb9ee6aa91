"""The pictures of the README: a comment and the page that it links, of one report of a real run.

`python -m tests.reporters.screenshots` takes them anew, by headless Chromium. A picture carries the
digest of what it shows, so that a test can tell when it is of yesterday; pixels are never compared,
since fonts differ from machine to machine.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reprocheck import publishing
from reprocheck.check_reading import read_check
from reprocheck.model import Check, Page
from reprocheck.reporters import comment
from tests.reporters import pictures

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
REPORT = Path(__file__).parent / "front" / "report.json"
"""What `reprocheck verify --json` wrote of a run of the demo's project."""
FOLDER = ROOT / "docs" / "images"
LARGEST = 150_000
"""Bytes of a picture."""
DIGEST = "Source-SHA-256"
COLORS = 128

_JOB = "https://github.com/example/digits/actions/runs/7"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """A picture: the page that it shows, and what of that."""

    source: Callable[[], str]
    width: int
    height: int


def check() -> Check:
    """The report of which both pictures are."""
    return read_check(REPORT)


def shown_comment() -> str:
    """The comment on the pull request, as GitHub shows it."""
    place = Page(
        server="https://github.com",
        repository="example/digits",
        number=7,
        workflow_url=_JOB,
        artifact_url=f"{_JOB}/artifacts/1",
        html_url=f"{_JOB}/artifacts/2",
    )
    # Its last line, which nobody sees, is packed, and so not the same everywhere.
    body = comment.render(check(), place).rpartition("\n[reprocheck-state]")[0]
    return pictures.page([pictures.article("comment", body)], "light")


def shown_report() -> str:
    """The page that it links."""
    return publishing.page_of(check())


SHOTS: Mapping[str, Shot] = {
    "comment.png": Shot(source=shown_comment, width=860, height=1040),
    "report.png": Shot(source=shown_report, width=1000, height=1720),
}
"""By file name."""


def digest(source: str) -> str:
    """What a picture is of."""
    return hashlib.sha256(source.encode()).hexdigest()


def main() -> None:
    """Takes all pictures."""
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as play:
        program = shutil.which("chromium")
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, shot in SHOTS.items():
            (FOLDER / name).write_bytes(taken(shot, browser))
        browser.close()


def taken(shot: Shot, browser: Browser) -> bytes:
    """The picture as PNG with few colours, and the digest of its source."""
    source = shot.source()
    with tempfile.TemporaryDirectory(prefix="reprocheck-shot-") as folder:
        path = Path(folder) / "page.html"
        path.write_text(source, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": shot.width, "height": shot.height}, color_scheme="light"
        )
        page.goto(path.as_uri())
        held = page.screenshot()
        page.close()
    return _packed(held, digest(source))


def _packed(png: bytes, told: str) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text(DIGEST, told)
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        # By coverage: a sign's green is rare, and would be taken for grey.
        few = image.convert("RGB").quantize(
            COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(out, "PNG", optimize=True, pnginfo=info)
    return out.getvalue()


if __name__ == "__main__":
    main()
