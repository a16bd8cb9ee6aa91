"""The step that makes a page: what it leaves, and that nothing it cannot do changes an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from reprocheck import cli
from reprocheck.action import rendering
from reprocheck.check_documents import check_document
from reprocheck.check_reading import read_check
from reprocheck.detail import dump
from reprocheck.model import Check
from reprocheck.reporters import batch_html, html
from tests.action import payloads
from tests.action.test_outputs import written
from tests.reporters.cases import reproduced
from tests.reporters.checks import make_check, several_runs

ONE = make_check(reproduced(), head_sha="a" * 40)
SEVERAL = several_runs()


def page(folder: Path, patch: pytest.MonkeyPatch, content: str, **env: str) -> str:
    """Runs the step on a report; its output, which it has in any case."""
    report, output = folder / "report.json", folder / "output"
    report.write_text(content)
    variables = {"REPORT": str(report), "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(folder)}
    for name, value in (variables | env).items():
        patch.setenv(name, value)
    assert cli.run(["action", "page"]) == 0
    return written(output)["report-html"]


@pytest.mark.parametrize("check", [ONE, SEVERAL], ids=["one", "several"])
def test_the_page_is_of_the_one_report_or_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check
) -> None:
    path = Path(page(tmp_path, monkeypatch, dump(check_document(check))))
    assert path.name == "page-of-reprocheck-report.html"
    read = read_check(tmp_path / "report.json")
    expected = html.render(read.reports[0]) if check is ONE else batch_html.render(read)
    assert path.read_text(encoding="utf-8") == expected


def test_a_broken_or_too_large_report_is_a_warning_and_has_no_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert page(tmp_path, monkeypatch, "{}") == ""
    assert "::warning title=reprocheck::the report has no page: " in capsys.readouterr().out
    monkeypatch.setattr(rendering, "LARGEST", 9)
    assert page(tmp_path, monkeypatch, dump(check_document(ONE))) == ""
    assert "9 are the most" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.html"))


@pytest.mark.parametrize(
    ("artifact", "attempt", "name"),
    [
        ("reprocheck-report", 1, "page-of-reprocheck-report.html"),
        ("reprocheck-report", 2, "page-of-reprocheck-report-2.html"),
        ("../a b", 1, "page-of-..-a-b-2c2c791a.html"),
        ("-x", 1, "page-of--x.html"),
    ],
)
def test_a_page_is_named_for_its_artifact_and_its_attempt(
    artifact: str, attempt: int, name: str
) -> None:
    assert rendering.file_name(artifact, attempt) == name


def test_names_that_look_alike_stay_apart() -> None:
    names = ("a b", "a:b", "a-b", "é" * 300, "é" * 301, "x" * 300, "x" * 301)
    files = {rendering.file_name(name, 1) for name in names}
    assert len(files) == len(names)
    assert max(map(len, files)) < 150


@pytest.mark.parametrize(("head", "told"), [("eve/demo", True), ("octo/demo", False)])
@pytest.mark.parametrize("check", [ONE, SEVERAL], ids=["one", "several"])
def test_a_page_of_a_forks_results_says_whose_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Check, head: str, told: bool
) -> None:
    event = payloads.workflow_run(head_repository={"full_name": head})
    env = dict(payloads.variables(tmp_path, "workflow_run", event, "octo/demo"))
    content = dump(check_document(check))
    text = Path(page(tmp_path, monkeypatch, content, **env)).read_text(encoding="utf-8")
    assert ("Computed by the code of a fork." in text) is told
