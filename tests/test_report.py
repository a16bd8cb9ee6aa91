"""The command `report`."""

import dataclasses
import importlib
import json as standard

import pytest

from reprocheck import cli
from reprocheck.check_documents import check_document
from reprocheck.cli import formats, outputs
from reprocheck.cli.outputs import Outputs
from reprocheck.detail import dump
from reprocheck.discretion import minimal
from reprocheck.model import Problem, RerunPlan
from reprocheck.report_store import ReportStore, default_folder
from reprocheck.reporters import json, markdown, terminal
from tests.reporters import cases, checks
from tests.reporters.builders import RUN_ID, make_acceptance, make_report
from tests.test_check_documents import make_check


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "report.json"
    path.write_text(json.render(cases.several()), encoding="utf-8")
    return path


def test_it_renders_what_verify_did(file, tmp_path, capsys):
    again, told = tmp_path / "again.json", tmp_path / "told.md"
    assert cli.run(["report", str(file), "--json", str(again), "--markdown", str(told)]) == 0
    assert again.read_bytes() == file.read_bytes()
    assert told.read_text(encoding="utf-8") == markdown.render(cases.several())
    assert capsys.readouterr().out == terminal.render(cases.several())


def test_one_of_several_goes_to_standard_output(file, capsys):
    assert cli.run(["report", str(file), "--markdown", "-"]) == 0
    assert capsys.readouterr().out == markdown.render(cases.several())
    assert cli.run(["report", str(file), "--markdown", "-", "--json", "-"]) == 2


def secretive():
    """With secrets, and what is judged behind the rest."""
    report = dataclasses.replace(checks.whole(), hardware=None)
    record = dataclasses.replace(report.record, parameters={"hf_token": "tok-12345678"})
    first, *others = report.comparisons
    sentence = "sent tok-12345678 to https://me:pw@host/x"
    comparisons = (*others[::-1], dataclasses.replace(first, sentence=sentence))
    return dataclasses.replace(report, record=record, comparisons=comparisons)


@pytest.mark.parametrize(
    "report",
    [
        secretive(),
        minimal(dataclasses.replace(checks.whole(), hardware=None)),
        cases.dry_run(),
        cases.crashed(),
        make_report(acceptance=make_acceptance(), proposed=make_acceptance()),
    ],
    ids=["secretive", "minimal", "dry-run", "crashed", "accepted"],
)
def test_every_format_is_the_same_as_verify_gave(report, tmp_path, capsys):
    written, again = tmp_path / "written", tmp_path / "again"
    for folder in (written, again):
        folder.mkdir()
    names = ("json", "markdown", "html", "junit", "sarif", "csv")
    given = {name: str(written / name) for name in names}
    outputs.write(report, Outputs(**given, verbose=False, quiet=True))
    shown = capsys.readouterr().out
    options = [text for name in names for text in (f"--{name}", str(again / name))]
    assert cli.run(["report", given["json"], *options]) == 0
    assert capsys.readouterr().out == shown == terminal.render(report)
    for name in names:
        assert (again / name).read_bytes() == (written / name).read_bytes(), name
        assert (again / name).stat().st_size > 100


def test_a_report_that_cannot_be_read_back_is_written_all_the_same():
    odd = make_report(plan=RerunPlan(least=3, most=2_000))
    assert formats.written(odd) is odd
    assert formats.written(make_report()) is not None


def test_several_files_are_one_check(tmp_path, capsys):
    paths = [tmp_path / f"{i}.json" for i in range(3)]
    one, two = cases.several(), cases.crashed()
    for path, text in zip(
        paths,
        (json.render(one), json.render(two), dump(check_document(make_check(one)))),
        strict=True,
    ):
        path.write_text(text, encoding="utf-8")
    assert cli.run(["report", *map(str, paths), "--json", "-"]) == 0
    document = standard.loads(capsys.readouterr().out)
    assert [each["verdict"] for each in document["reports"]] == ["REPRODUCED", "NOT_VERIFIED"]
    assert cli.run(["report", *map(str, paths)]) == 0
    assert capsys.readouterr().out == f"{terminal.render(one)}\n{terminal.render(two)}"


def test_a_page_of_many_has_a_name_of_its_own(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"{i}.json" for i in range(6)]
    for i, name in enumerate(names):
        report = checks.named(make_report(), f"{i}" * 32, f"run {i}")
        (tmp_path / name).write_text(json.render(report), encoding="utf-8")
    assert cli.run(["report", *names, "--html"]) == 0
    out, err = capsys.readouterr()
    assert err == "The page: report.html\n"
    assert out.startswith("✓ 6 runs: 6 REPRODUCED\n\n✓ REPRODUCED             00000000 run 0 ")
    assert len(out.splitlines()) == 8
    assert max(map(len, out.splitlines())) <= 80
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"run {i}" in page for i in range(6))


@pytest.mark.parametrize(
    "named", [["--html", "other.json"], ["--html", "./Other.JSON"], ["--csv", "report.json"]]
)
def test_no_report_is_written_over(file, named, monkeypatch, capsys):
    monkeypatch.chdir(file.parent)
    before = file.read_bytes()
    assert cli.run(["report", "report.json", *named]) == 2
    assert "would be written over a report" in capsys.readouterr().err
    assert [each.name for each in file.parent.iterdir()] == ["report.json"]
    assert file.read_bytes() == before


def test_one_broken_file_of_several_is_named_and_nothing_written(file, tmp_path, capsys):
    broken, page = tmp_path / "broken.json", tmp_path / "page.html"
    broken.write_text("{}")
    assert cli.run(["report", str(file), str(broken), "--html", str(page)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert str(broken) in err
    assert not page.exists()


def test_a_check_has_its_reports_and_problems(tmp_path, capsys):
    path = tmp_path / "check.json"
    problem = Problem(asked="x\x1b[31m", message="no such run", hint="look again", exit_code=2)
    check = make_check(make_report(), cases.crashed(), problems=(problem,))
    path.write_text(dump(check_document(check)), encoding="utf-8")
    assert cli.run(["report", str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(terminal.render(make_report()))
    assert "NOT_VERIFIED (rerun)" in out
    assert out.endswith("x�[31m: no such run (look again)\n")
    assert cli.run(["report", str(path), "--json", "-"]) == 0
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["", "{}", "[]", standard.dumps({"schema_version": 2})])
def test_a_bad_file_is_told(tmp_path, capsys, content):
    path = tmp_path / "report.json"
    path.write_text(content)
    assert cli.run(["report", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert str(path) in err
    assert "Hint: " in err


@pytest.fixture
def keep():
    return importlib.import_module("reprocheck.cli.verify").keep


def test_verify_keeps_what_it_read_where_it_is_told_to(keep, tmp_path, capsys):
    for report in (cases.dry_run(), make_report(record=None)):
        keep(report, str(tmp_path / "a"))
    keep(make_report(), "")
    assert list(tmp_path.iterdir()) == []
    keep(cases.crashed(), str(tmp_path / "a"))
    keep(make_report(), None)
    assert len(ReportStore(tmp_path / "a").kept()) == 1
    assert ReportStore(default_folder()).kept(RUN_ID)
    assert capsys.readouterr() == ("", "")


def test_a_store_that_cannot_be_written_is_a_warning(keep, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    keep(make_report(), str(tmp_path / "file"))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Warning: the report is not kept: ")


def test_a_user_without_a_home_is_warned(keep, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setenv("HOME", "relative")
    monkeypatch.setattr("os.getuid", lambda: 987_654)  # in no password file
    keep(make_report(), None)
    assert "no home directory" in capsys.readouterr().err
