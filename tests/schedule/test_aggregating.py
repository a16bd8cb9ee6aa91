from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from reprocheck import cli
from reprocheck.check_documents import check_document
from reprocheck.detail import dump
from reprocheck.documents import report_document
from reprocheck.errors import ReportFileError, UsageError
from reprocheck.model import Aggregate, Report, Standing, Verdict
from reprocheck.report_store import KeptReport, ReportStore
from reprocheck.schedule.aggregating import AggregateRequest, aggregate, gather, newest
from reprocheck.schedule.remembering import verifications
from reprocheck.schedule.slugs import slug
from tests.schedule.builders import DAY, LETTERS
from tests.schedule.test_joining import check, problem, report, reports


def run(
    folder: Path, *files: Path, since_days: float | None = None, told: list[str] | None = None
) -> Aggregate:
    request = AggregateRequest(
        files=files,
        reports=folder / "store",
        since_s=None if since_days is None else since_days * 86_400,
    )
    notes: list[str] = [] if told is None else told
    return aggregate(request, notes.append, DAY + timedelta(days=10))


def keep(folder: Path, letters: str, run_id: str = "1") -> None:
    for each in reports(letters, run_id):
        ReportStore(folder / "store").keep(each)


def write(path: Path, letter: str, day: int = 0, run_id: str = "1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(report_document(report(letter, day, run_id))))
    return path


def test_a_report_is_joined_with_what_the_store_has_of_its_run(tmp_path: Path):
    keep(tmp_path, "✓✗")
    keep(tmp_path, "✓", "2")
    found = run(tmp_path, write(tmp_path / "report.json", "✗", 2))
    assert [each.standing for each in found.trends] == [Standing.STOPPED]
    assert found.total == 1


def test_the_newest_report_of_each_run_is_shown_and_the_others_are_its_past(tmp_path: Path):
    keep(tmp_path, "✓✗")
    keep(tmp_path, "✓", "2")
    files = (write(tmp_path / "new.json", "✗", 2), write(tmp_path / "copy.json", "✗", 1))
    request = AggregateRequest(files=files, reports=tmp_path / "store", since_s=10_000_000)
    check, earlier = newest(gather(request, print, DAY), DAY)
    shown = {
        each.record.ref.run_id[0]: each.created_at.day for each in check.reports if each.record
    }
    assert shown == {"1": (DAY + timedelta(days=2)).day, "2": DAY.day}
    assert [each.verdict for each in earlier] == [Verdict.REPRODUCED, Verdict.NOT_REPRODUCED]


def test_a_copy_of_a_kept_report_confirms_nothing(tmp_path: Path):
    keep(tmp_path, "✓✗")
    found = run(tmp_path, write(tmp_path / "a.json", "✗", 1), write(tmp_path / "b.json", "✗", 1))
    assert [each.standing for each in found.trends] == [Standing.UNCONFIRMED]


def test_a_job_tells_of_its_own_run_alone(tmp_path: Path):
    ours, others = ("reprocheck-report-" + slug("net", each * 32) for each in "12")
    write(tmp_path / "new" / ours / "report.json", "✗", run_id="1")
    write(tmp_path / "new" / others / "report.json", "✓", run_id="1")  # its training wrote that
    request = AggregateRequest(
        files=(tmp_path / "new",), reports=tmp_path / "store", since_s=None, by_job=True
    )
    found = aggregate(request, print, DAY + timedelta(days=10))
    (trend,) = found.trends
    assert [each.verdict for each in trend.history] == [Verdict.NOT_REPRODUCED]
    assert [each.asked for each in found.problems] == [others]
    assert (found.verified, found.total) == (0, 2)


def test_two_legs_confirm_each_other(tmp_path: Path):
    keep(tmp_path, "✓")
    found = run(tmp_path, write(tmp_path / "a.json", "✗", 1), write(tmp_path / "b.json", "✗", 2))
    assert [each.standing for each in found.trends] == [Standing.STOPPED]


@pytest.mark.parametrize(("since_days", "total"), [(None, 1), (9, 1), (11, 2)])
def test_other_runs_of_the_store_count_when_they_are_asked_for(
    tmp_path: Path, since_days: float | None, total: int
):
    keep(tmp_path, "✓", "2")
    found = run(tmp_path, write(tmp_path / "report.json", "✓"), since_days=since_days)
    assert found.total == total


def test_without_a_file_the_store_is_summed_up(tmp_path: Path):
    keep(tmp_path, "✓", "2")
    assert run(tmp_path).total == 1


def test_a_folder_of_artifacts_is_searched_and_a_broken_one_is_a_run_that_was_not_verified(
    tmp_path: Path,
):
    write(tmp_path / "new/reprocheck-report-a/report.json", "✓")
    checked = check(report("✗", 0, "2"), problems=(problem("gone"),))
    (tmp_path / "new/b").mkdir()
    (tmp_path / "new/b/report.json").write_text(dump(check_document(checked)))
    (tmp_path / "new/c").mkdir()
    (tmp_path / "new/c/report.json").write_text('{"schema_version": 99}')
    (tmp_path / "new/badge.json").write_text("{}")
    (tmp_path / "new/link.json").symlink_to(tmp_path / "new/c/report.json")
    told: list[str] = []
    found = run(tmp_path, tmp_path / "new", told=told)
    assert (found.verified, found.total) == (1, 4)
    assert [each.asked for each in found.problems] == ["report.json", "gone"]
    assert len(told) == 1
    assert "badge.json" in told[0]


def test_where_no_file_is_a_report_that_is_the_answer(tmp_path: Path):
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(ReportFileError):
        run(tmp_path, tmp_path / "report.json")
    with pytest.raises(UsageError, match="there is no report"):
        run(tmp_path, tmp_path / "none.json")


def test_a_folder_with_nothing_but_broken_files_is_no_success(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cut.json").write_text("{")
    with pytest.raises(ReportFileError, match="cut"):
        run(tmp_path, tmp_path / "in")


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    keep(tmp_path, "✓✗")
    file = write(tmp_path / "report.json", "✗", 2)
    common = ["aggregate", str(file), "--reports", str(tmp_path / "store")]
    names = [tmp_path / name for name in ("trend.md", "trend.json", "badge.json")]
    options = zip(("--markdown", "--json", "--badge"), map(str, names), strict=True)
    assert cli.run([*common, *(word for pair in options for word in pair)]) == 0
    assert capsys.readouterr().out.startswith("0 of 1 run reproduces\n")
    assert names[0].read_text().startswith("## 0 of 1 run")
    assert json.loads(names[1].read_text())["runs"][0]["standing"] == "stopped"
    assert json.loads(names[2].read_text())["message"] == "0/1"
    assert cli.run([*common, "--fail-on", "not-reproduced"]) == 10
    assert cli.run([*common, "--fail-on", "inconclusive"]) == 0
    capsys.readouterr()
    assert cli.run([*common, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 1


def test_where_nothing_was_measured_no_badge_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file, badge = write(tmp_path / "report.json", "!"), tmp_path / "badge.json"
    common = ["aggregate", str(file), "--reports", str(tmp_path / "store")]
    assert cli.run([*common, "--badge", str(badge), "--fail-on", "not-verified"]) == 3
    captured = capsys.readouterr()
    assert captured.out.startswith("Nothing was measured\n")
    assert "no badge" in captured.err
    assert not badge.exists()


def test_reports_are_read_back_to_the_last_that_reproduced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keep(tmp_path, "✗✓!✗")
    read: list[str] = []
    real = ReportStore.read

    def noted(self: ReportStore, kept: KeptReport) -> Report:
        read.append(kept.path.name)
        return real(self, kept)

    monkeypatch.setattr(ReportStore, "read", noted)
    found = verifications(tmp_path / "store", "1" * 32, read.append)
    assert [each.verdict for each in found] == [LETTERS[letter] for letter in "✓!✗"]
    assert len(read) == 3
