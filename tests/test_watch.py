"""watch: what a trial did to its inputs and read besides them, told once for all trials."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from reprocheck import schema
from reprocheck.datastores.inputs import Inputs
from reprocheck.environments.base import Observed, TrialRun
from reprocheck.errors import RerunError
from reprocheck.process import Completed
from reprocheck.progress import Silent
from reprocheck.rerun import RerunRequest, rerun
from reprocheck.starts import Start
from reprocheck.trackers.base import LoggedRun
from reprocheck.watch import Ran, Watch
from tests.conftest import need
from tests.datastores.test_inputs import inputs as inputs  # noqa: PLC0414 - a fixture
from tests.environments.samples import command, record
from tests.lab import Lab, copy_of


class Sandbox:
    """Only answers what it observed."""

    shows = False

    def __init__(self, seen: Observed) -> None:
        self.seen = seen

    def observed(self, trial: TrialRun) -> Observed:
        return self.seen


@pytest.fixture
def ran(inputs: Inputs, tmp_path: Path):
    def make(number: int, exit_code: int = 0, trace: Path | None = None) -> Ran:
        tree = tmp_path / f"tree-{number}"
        trial = TrialRun(
            command=command("true"),
            tree=tree,
            home=tree,
            env={},
            timeout_s=1,
            log=tree,
            trace=trace,
        )
        ended = Completed(
            argv=(), exit_code=exit_code, duration_s=1.0, stdout=b"", stderr=b"", timed_out=False
        )
        copies = inputs.copy_into(tree)
        return Ran(number=number, trial=trial, copies=copies, completed=ended)

    return make


def test_a_changed_input_is_told_once_with_file_digests_and_trials(ran):
    watch = Watch()
    for number in (1, 2):
        each = ran(number)
        (each.copies.tree / "train.csv").write_text("mine")
        watch.look(each, Sandbox(Observed()))
    (found,) = watch.findings
    assert found.code == "changed-input"
    expected, mine = (hashlib.md5(text).hexdigest() for text in (b"x,y\n", b"mine"))
    assert found.message == (
        f"the training changed its own input: train.csv: expected md5 {expected}, "
        f"found md5 {mine} (trials 1, 2)"
    )


def test_many_changed_inputs_are_counted_and_added_files_are_a_note(ran):
    watch, each = Watch(), ran(1)
    for name in ("train.csv", "images/1.txt", "images/deep/2.sh"):
        (each.copies.tree / name).unlink()
    (each.copies.tree / "images/new").touch()
    watch.look(each, Sandbox(Observed()))
    changed, added = watch.findings
    assert "found nothing" in changed.message
    assert (added.code, added.severity.value) == ("added-to-input", "note")


def test_what_cannot_be_looked_at_fails_no_trial(ran, inputs):
    each = ran(1)
    (each.copies.tree / "train.csv").unlink()
    (inputs.folder / "train.csv").unlink()
    watch = Watch()
    watch.look(each, Sandbox(Observed()))
    assert watch.findings == ()


def test_a_trial_that_fails_while_observed_is_not_observed_again(ran, tmp_path):
    watch = Watch(trace=True)
    folder = watch.trace_folder(tmp_path)
    watch.look(ran(1, exit_code=1, trace=folder), Sandbox(Observed(files=("/x",))))
    assert not watch.traces
    assert watch.trace_folder(tmp_path) is None
    assert [each.code for each in watch.findings] == ["not-traced"]
    assert watch.undeclared is None


def test_only_regular_files_that_are_there_and_no_input_are_undeclared(ran, tmp_path):
    data = tmp_path / 'norm "1".csv'
    data.write_text("0.5\n")
    os.mkfifo(tmp_path / "fifo")
    files = (str(data), str(tmp_path), f"{tmp_path}/fifo", f"{tmp_path}/gone", f"{tmp_path}/in")
    (tmp_path / "in").touch()
    watch = Watch(trace=True, known=lambda path: path.endswith("/in"))
    trace = watch.trace_folder(tmp_path)
    watch.look(ran(1, trace=trace), Sandbox(Observed(files=files, by="strace 6.1")))
    (found,) = watch.undeclared or ()
    digest = hashlib.sha256(b"0.5\n").hexdigest()
    assert (found.path, found.size, found.sha256) == (str(data), 4, digest)
    (entry,) = yaml.safe_load(found.hint.partition(": ")[2])
    assert entry == {
        "path": "inputs/" + data.name,
        "url": str(data),
        "seen_as": str(data),
        "sha256": digest,
    }
    assert [each.code for each in watch.findings] == ["traced", "undeclared-input"]


def test_a_declaration_names_the_inputs_that_it_would_hide(ran, tmp_path):
    (tmp_path / "x").write_text("1")
    watch = Watch(trace=True, unlisted=("data/raw.csv",))
    trace = watch.trace_folder(tmp_path)
    watch.look(ran(1, trace=trace), Sandbox(Observed(files=(f"{tmp_path}/x",))))
    assert watch.findings[-1].hint.endswith('the whole one; - {path: "data/raw.csv"}')


def test_a_trace_that_found_nothing_is_no_missing_one(ran, tmp_path):
    watch = Watch(trace=True)
    trace = watch.trace_folder(tmp_path)
    watch.look(ran(1, trace=trace), Sandbox(Observed(by="strace 6.1")))
    assert watch.undeclared == ()
    refused = dataclasses.replace(Observed(), missing="strace is not installed", hint="get it")
    other = Watch(trace=True)
    other.look(ran(2, trace=trace), Sandbox(refused))
    assert (other.undeclared, other.findings[0].code) == (None, "not-traced")


class Disturbed(Sandbox):
    """Its trials fail while they are observed, and more often."""

    shows = False

    def __init__(self, failures: int) -> None:
        super().__init__(Observed())
        self.left = failures
        self.traced: list[bool] = []

    def run(self, trial: TrialRun) -> Completed:
        self.traced.append(trial.trace is not None)
        self.left -= 1
        return Completed(
            argv=(),
            exit_code=1 if self.left >= 0 else 0,
            duration_s=1.0,
            stdout=b"",
            stderr=b"",
            timed_out=False,
        )


class Nowhere:
    """A redirection of nothing."""

    env: ClassVar[dict[str, str]] = {}

    def peek(self) -> dict[str, object]:
        return {}

    def collect(self) -> tuple[LoggedRun, ...]:
        return ()


@pytest.mark.parametrize(
    ("failures", "traced", "message"),
    [(3, [True, False, False], "twice"), (1, [True, False], "logged no MLflow run")],
)
def test_a_failure_while_observed_is_repeated_without_and_does_not_count(
    failures, traced, message, inputs, tmp_path
):
    (tmp_path / "base").mkdir()
    sandbox = Disturbed(failures)
    request = RerunRequest(
        record=record(),
        starts=(Start(seed=None, command=command("true")),),
        given=frozenset(),
        unproved="",
        ignore=(),
        tree=tmp_path / "base",
        inputs=inputs,
        sandbox=sandbox,
        redirect=lambda _: Nowhere(),
        folder=tmp_path / "trials",
        logs=tmp_path / "logs",
        timeout_s=60,
        watch=Watch(trace=True),
    )
    with pytest.raises(RerunError) as told:
        rerun(request, lambda *_: None, Silent())
    assert sandbox.traced == traced
    assert message in told.value.message
    assert [each.code for each in request.watch.findings] == ["not-traced"]


SCRIPT = """import os
with open(os.environ["CONSTANTS"]) as file:
    scale = float(file.read())
with open("data/train.csv", "a") as file:
    file.write("9,18\\n")
"""


def test_a_traced_verification_tells_what_was_read_and_changed(lab: Lab, tmp_path, monkeypatch):
    need("strace")
    own = copy_of(lab, tmp_path)
    constants = tmp_path / "shared/scale.txt"
    constants.parent.mkdir()
    constants.write_text("1.0")
    monkeypatch.setenv("CONSTANTS", str(constants))
    script = (own.repo.path / "train.py").read_text()
    config = (own.repo.path / "reprocheck.yaml").read_text() + "pass_env: [CONSTANTS]\n"
    script = script.replace("sys.exit(0)", SCRIPT)
    own.repo.commit({"train.py": script, "reprocheck.yaml": config})
    run_id = own.train("--seed", "7")
    result = own.verify(run_id, "--trace", "--markdown", str(tmp_path / "report.md"))
    assert result.verdict == "IDENTICAL", result.stdout
    assert not schema.check(result.report, "report")
    assert [each["path"] for each in result.report["undeclared"]] == [str(constants)]
    codes = {each["code"] for each in result.report["findings"]}
    assert {"undeclared-input", "changed-input", "traced"} <= codes
    assert "read, but versioned nowhere" in " ".join(result.stdout.split())
    assert "**Read, but versioned nowhere**" in (tmp_path / "report.md").read_text()
    assert own.leftovers == []
