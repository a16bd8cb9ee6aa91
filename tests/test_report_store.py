import dataclasses
from datetime import timedelta

import pytest

from reprocheck import report_store
from reprocheck.errors import ReportFileError
from reprocheck.model import RunRef
from reprocheck.report_store import ReportStore, default_folder
from reprocheck.reporters import json
from tests.reporters.builders import RUN_ID, make_record, make_report


@pytest.fixture
def store(tmp_path):
    return ReportStore(tmp_path / "state" / "reports")


def later(seconds, **changes):
    report = make_report(**changes)
    return dataclasses.replace(report, created_at=report.created_at + timedelta(seconds=seconds))


def of_run(run_id):
    return make_report(record=make_record(ref=RunRef(tracker="mlflow", run_id=run_id)))


def test_a_report_is_kept_and_read_back(store):
    path = store.keep(make_report())
    assert path.relative_to(store.folder).parts[0] == RUN_ID
    assert path.name.startswith("20260201T093000Z-")
    (kept,) = store.kept(RUN_ID)
    assert (kept.run_id, kept.at, kept.path) == (RUN_ID, make_report().created_at, path)
    assert json.render(store.read(kept)) == json.render(make_report())
    assert list(path.parent.iterdir()) == [path]


def test_two_of_one_second_stay_apart_and_the_same_is_kept_once(store):
    first, second = later(0.1), later(0.2)
    for report in (second, first, second):
        store.keep(report)
    times = [store.read(kept).created_at for kept in store.kept()]
    assert times == [first.created_at, second.created_at]


def test_the_oldest_of_a_run_go_and_others_stay(store, monkeypatch):
    monkeypatch.setattr(report_store, "MOST", 2)
    store.keep(of_run("other"))
    paths = [store.keep(later(second)) for second in (3, 1, 2)]
    assert [kept.path for kept in store.kept(RUN_ID)] == [paths[2], paths[0]]
    assert len(store.kept("other")) == 1


@pytest.mark.parametrize(
    "run_id", ["", "..", "../x", "a/b", "-rf", ".hidden", "a\n", "x" * 200, "é"]
)
def test_no_run_id_leads_out_of_the_folder(store, run_id):
    with pytest.raises(ReportFileError, match="no name of a folder"):
        store.keep(of_run(run_id))
    assert not store.folder.exists()
    assert store.kept(run_id) == ()


def test_a_report_without_a_run_is_not_kept(store):
    with pytest.raises(ReportFileError):
        store.keep(make_report(record=None))


def test_what_is_no_report_is_passed_over_with_a_notice(store):
    good = store.keep(make_report())
    folder = good.parent
    (folder / "20260101T000000Z-000000000000.json").write_text("{")
    (folder / "20260102T000000Z-000000000000.json").symlink_to(good)
    (folder / "20260103T000000Z-000000000000.json").write_text(json.render(of_run("other")))
    (folder / "20269999T000000Z-000000000000.json").write_text("{")
    (folder / "notes.txt").write_text("mine")
    (store.folder / "elsewhere").symlink_to(folder)
    told = []
    assert [kept.path for kept, _ in store.reports(None, told.append)] == [good]
    assert len(told) == 3
    assert "symbolic link" in told[1]
    assert "no report of run" in told[2]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportFileError, match="keeping a report in"):
        ReportStore(tmp_path / "file").keep(make_report())


@pytest.mark.parametrize("run_id", [None, RUN_ID])
def test_a_file_in_place_of_the_folder_is_told(tmp_path, run_id):
    (tmp_path / "report.json").touch()
    with pytest.raises(ReportFileError, match="Not a directory"):
        ReportStore(tmp_path / "report.json").kept(run_id)


def test_the_default_is_the_users_state_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "reprocheck" / "reports"
