import errno
import shutil
from pathlib import Path

import pytest

from reprocheck.account import Account, Request
from reprocheck.errors import MachineError, RestoreError, UsageError
from reprocheck.model import Gates, Judgement, Stage, StageStatus, Verdict
from reprocheck.progress import Silent
from tests.reporters.builders import make_criterion, make_product


@pytest.fixture
def account(tmp_path: Path) -> Account:
    request = Request(asked="abc", tracking_uri="sqlite:///mlflow.db")
    return Account(request=request, progress=Silent(), workspace=tmp_path)


def test_a_stage_is_kept_with_its_summary_also_when_it_fails(account: Account) -> None:
    with account.stage(Stage.READ, "run abc") as note:
        note.summary = "read it"
    with pytest.raises(RestoreError), account.stage(Stage.RESTORE, "data"):
        raise RestoreError("it is gone", "push it")
    report = account.report(RestoreError("it is gone", "push it"))
    assert (report.verdict, report.failed_stage) == (Verdict.NOT_VERIFIED, Stage.RESTORE)
    assert [stage.status for stage in report.stages][:2] == [StageStatus.PASSED, StageStatus.FAILED]
    assert {stage.stage for stage in report.stages} == set(Stage)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_what_the_machine_refuses_is_told(account: Account, number: int) -> None:
    told = pytest.raises(MachineError, match="run abc")
    with told as caught, account.stage(Stage.READ, "run abc"):
        raise OSError(number, "refused", "/somewhere")
    assert "TMPDIR" in caught.value.hint
    assert account.stages[0].failure


def test_errors_that_were_gathered_while_copying_are_told(account: Account) -> None:
    told = [("a", "b", "[Errno 28] No space left on device: 'a' -> 'b'")]
    refused = pytest.raises(MachineError, match="trials: No space left on device")
    with refused, account.stage(Stage.RERUN, "trials"):
        raise shutil.Error(told)


def test_any_other_error_is_our_defect(account: Account) -> None:
    with pytest.raises(FileNotFoundError), account.stage(Stage.READ, "run abc"):
        Path("/no/such/file").read_bytes()


def test_nothing_judged_is_not_verified(account: Account) -> None:
    assert account.report(None).verdict is Verdict.NOT_VERIFIED


def test_the_report_holds_what_the_judgement_says_beside_the_verdict(account: Account) -> None:
    account.judgement = Judgement(
        verdict=Verdict.REPRODUCED,
        comparisons=(),
        gates=Gates(metrics=(), reason="named by --gate"),
        decided=True,
        stopped_by="decided",
        sentence="It is.",
        needed="",
        criteria=(make_criterion(),),
        products=(make_product("model.pt"),),
    )
    report = account.report(None)
    assert report.plan == account.request.config.reruns
    assert report.stopped_by == "decided"
    assert report.criteria == (make_criterion(),)
    assert report.products == (make_product("model.pt"),)
    failed = account.report(RestoreError("it is gone", "push it"))
    assert (failed.stopped_by, failed.criteria, failed.products) == ("", (), ())


def test_a_cache_in_the_current_directory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "relative")
    monkeypatch.setattr("os.getuid", lambda: 987_654)  # in no password file
    with pytest.raises(UsageError, match="no home directory") as caught:
        Request(asked="abc", tracking_uri="sqlite:///mlflow.db")
    assert "HOME" in caught.value.hint
