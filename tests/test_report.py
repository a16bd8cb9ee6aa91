"""The command `report`."""

import importlib
import json as standard

import pytest

from reprocheck import cli
from reprocheck.check_documents import check_document
from reprocheck.detail import dump
from reprocheck.model import Problem
from reprocheck.report_store import ReportStore, default_folder
from reprocheck.reporters import json, markdown, terminal
from tests.reporters import cases
from tests.reporters.builders import RUN_ID, make_report
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
