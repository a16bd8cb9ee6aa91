"""The site of docs/: built strictly, without a resource of another host, its reference complete."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from manual import links, reference
from manual.fields import Walk
from reprocheck.cli import COMMANDS, HIDDEN, LazyGroup, cli
from reprocheck.exit_codes import EXIT_CODES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = reference.pages(ROOT)
SCHEMAS = {
    path.name.split(".")[0]: json.loads(path.read_text())
    for path in sorted((ROOT / "schemas").glob("*.schema.json"))
}


# --- the build ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    env = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=env | {"NO_MKDOCS_2_WARNING": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert [line for line in told.splitlines() if not line.startswith("INFO ")] == []
    return folder


class Resources(HTMLParser):
    """What a page loads, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        names = {"link": ["href"], "a": [], "form": ["action"]}.get(tag, ["src", "srcset", "data"])
        self.loaded += [given[name] or "" for name in names if name in given]


def test_no_page_loads_anything_of_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES)
    for page in pages:
        found = Resources()
        found.feed(page.read_text())
        assert found.loaded
        outside = [each for each in found.loaded if re.match(r"(?:\w+:)?//", each)]
        assert outside == [], page


def test_no_style_loads_anything_of_another_host(site: Path) -> None:
    styles = sorted(site.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"(?:url\(\s*[\"']?|@import\s+[\"'])(?:\w+:)?//", style.read_text())


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site from a server: a browser's search does not work from files."""
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and tells nobody."""

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_nothing_else_is_asked_and_all_can_be_read(
    address: str, browser: Browser, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(color_scheme=scheme)
    told: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}tutorial.html", wait_until="networkidle")
    judged = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]})
    assert [each["id"] for each in judged.response["violations"]] == []
    page.goto(f"{address}reference/config.html?q=seen_as")
    page.wait_for_selector(".md-search-result__item")
    assert [url for url in asked if not url.startswith(address)] == []
    assert told == []
    page.close()


def test_every_page_is_in_the_search_and_in_the_navigation(site: Path) -> None:
    index = json.loads((site / "search/search_index.json").read_text())
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    written = {str(page.relative_to(DOCS).with_suffix(".html")) for page in DOCS.rglob("*.md")}
    made = {f"reference/{Path(name).stem}.html" for name in PAGES}
    assert found - {""} | {"index.html"} == written | made


def test_the_reference_tells_what_each_page_is_made_of() -> None:
    index = (DOCS / "reference/index.md").read_text()
    assert set(re.findall(r"schemas/(\w+)\.schema\.json", index)) == set(SCHEMAS)


# --- links that leave docs/ ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "link", "site"),
    [
        ("x.md", "../schemas/run.schema.json", "reference/run.md"),
        ("how-to/x.md", "../../schemas/run.schema.json", "../reference/run.md"),
        ("x.md", "../README.md#verdicts-and-exit-codes", "reference/verdicts.md"),
        ("x.md", "../README.md#install", f"{links.REPOSITORY}/README.md#install"),
        ("x.md", "data.md#x", "data.md#x"),
        ("how-to/x.md", "../data.md", "../data.md"),
    ],
)
def test_links_lead_to_the_site_or_to_the_repository(page: str, link: str, site: str) -> None:
    assert links.rewritten(f"see [a]({link}).", page, ROOT) == f"see [a]({site})."


def test_a_link_to_what_the_repository_has_not_ends_the_build() -> None:
    with pytest.raises(links.BrokenLinkError, match=r"docs/x.md links to no/such\.py"):
        links.rewritten("[a](../no/such.py)", "x.md", ROOT)
    fenced = "```markdown\n[a](../no/such.py)\n```\n"
    assert links.rewritten(fenced, "x.md", ROOT) == fenced


# --- the reference ------------------------------------------------------------------------


def shown(markdown: str) -> str:
    """The text of a page as its reader sees it."""
    return unescape(re.sub(r"</?(?:code|wbr)>", "", markdown))


def commands() -> dict[str, click.Command]:
    assert isinstance(cli, LazyGroup)
    context = click.Context(cli)
    found = {name: cli.get_command(context, name) for name in COMMANDS}
    return {name: command for name, command in found.items() if command}


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_reference_has_every_option_of_every_command(name: str) -> None:
    section = shown(PAGES["cli.md"]).partition(f"## reprocheck {name}\n")[2].partition("\n## ")[0]
    command = commands()[name]
    for parameter in command.params:
        if getattr(parameter, "hidden", False):
            assert parameter.opts[-1] not in section
        elif isinstance(parameter, click.Option):
            told = re.search(rf"^\| [^|]*{re.escape(parameter.opts[-1])}\b.*", section, re.M)
            assert told, parameter.opts
            first = (parameter.help or "").partition(". ")[0].partition(" [default")[0]
            assert " ".join(first.replace("`", "").split()).rstrip(".") in told.group()
        else:
            assert parameter.make_metavar(click.Context(command)) in section
    for line in (command.epilog or "").splitlines():
        assert line.replace("\b", "").strip().rstrip(":") in section


def test_the_reference_says_nothing_of_hidden_commands() -> None:
    assert [name for name in HIDDEN if f"reprocheck {name}" in PAGES["cli.md"]] == []


def keys_of(node: object) -> set[str]:
    """Every name of a property, wherever the schema has it."""
    if isinstance(node, list):
        return set().union(*map(keys_of, node))
    if not isinstance(node, dict):
        return set()
    own = {key for key, value in node.get("properties", {}).items() if isinstance(value, dict)}
    return own.union(*(keys_of(value) for key, value in node.items() if key != "examples"))


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_the_reference_has_every_key_of_every_schema(name: str) -> None:
    page = shown(PAGES[f"{name}.md"])
    told = set(re.findall(r"^(?:## |\| )\S*?(\w+)(?:\n|<br>| \|)", page, re.MULTILINE))
    assert keys_of(SCHEMAS[name]) - told == set()


def paths_of(value: object, path: str = "") -> set[str]:
    """The paths that an example has, with [] for entries of lists."""
    if isinstance(value, dict):
        below = {f"{path}.{key}".lstrip("."): each for key, each in value.items()}
        return set(below).union(*(paths_of(each, key) for key, each in below.items()))
    if isinstance(value, list):
        return set().union(*(paths_of(each, f"{path}[]") for each in value))
    return set()


def test_a_path_is_that_of_the_file() -> None:
    page = shown(PAGES["config.md"])
    told = set(re.findall(r"^(?:## |\| )([\w.\[\]]+)", page, re.MULTILINE))
    for example in SCHEMAS["config"]["examples"]:
        found = {path.replace("metrics.accuracy", "metrics.NAME") for path in paths_of(example)}
        assert found - {"metrics.NAME"} <= told
    assert {"data[].seen_as", "metrics.NAME.margin.abs.below", "command[].cwd"} <= told


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_every_key_has_a_description(name: str) -> None:
    walk, schema = Walk(name, SCHEMAS), SCHEMAS[name]
    fields = [
        each
        for key in schema["properties"]
        for each in walk.under(schema["properties"][key], key, required=False)
    ]
    fields += [
        each
        for key in walk.left()
        for each in walk.under(schema["$defs"][key], key, required=False)
    ]
    assert [field.path for field in fields if not field.description] == []


def test_limits_and_examples_are_told() -> None:
    page = shown(PAGES["config.md"])
    assert "| reruns.max | integer (at least 1, at most 100) | Most reruns, 8 by default" in page
    assert "one of none, full" in page
    assert 'For example "30m", "4h", 900' in page


def test_the_verdicts_and_exit_codes_are_those_of_the_code() -> None:
    page = PAGES["verdicts.md"]
    assert set(re.findall(r"^\| ([A-Z_]+) \|", page, re.MULTILINE)) == set(EXIT_CODES)
    rows = dict(re.findall(r"^\| ([0-9, ]+) \| (.+) \|$", page, re.MULTILINE))
    for verdict, code in EXIT_CODES.items():
        (told,) = [row for codes, row in rows.items() if str(code) in codes.split(", ")]
        assert verdict.value in told
